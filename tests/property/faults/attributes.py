"""Faults to plant in what is kept of a person: consent, the golden record."""

from tests.property.faults.fault import Fault

FAULTS = (
    # -- consent
    Fault(
        "what was said on an output that asks for consent does not travel",
        "journey/component.py",
        '_MOVED = "cmovrqnedklat"',
        '_MOVED = "cmvrqnedklat"',
    ),
    Fault("a withdrawal is heard by the fold only", "journey/agent.py", "if decided != decisions(person):", "if decided is None:"),
    Fault(
        "what a customer who is no more has got stays on outputs",
        "journey/settle.py",
        "            retold.append(Retold(customer_id, None, {}, stated, cause))",
        "            pass",
    ),
    Fault(
        "outputs are not corrected when a person is told anew",
        "journey/settle.py",
        "        speaker.correct_outputs(component, retold, horizon)",
        "        pass",
    ),
    Fault(
        "who consents now has always consented",
        "journey/consent.py",
        "(changes[place - 1][1] if place else policy.assumed)",
        "(True if place else policy.assumed)",
    ),
    Fault("who once consented always does", "journey/consent.py", "return changes[-1][1] and", "return"),
    Fault("an earlier statement of a source stays", "journey/consent.py", "if not _replaces(said, one)", "if said is not None"),
    Fault(
        "a later statement replaces those of other sources",
        "journey/consent.py",
        "return is_later and is_same_source and",
        "return is_later and",
    ),
    Fault(
        "an identifier of nobody connects statements",
        "journey/consent.py",
        "for x in touchpoint.identifiers if x in person.members)",
        "for x in touchpoint.identifiers)",
    ),
    Fault("at one time the last name counts", "journey/consent.py", "earlier.order[0] < later.order[0]", "earlier.order < later.order"),
    Fault(
        "what was read back of outputs is forgotten",
        "journey/recall.py",
        '(("m", self.moments), ("o", self.carried))',
        '(("m", self.moments),)',
    ),
    # -- golden record
    Fault(
        "a touchpoint that takes up a use goes the short way",
        "journey/agent.py",
        "if recycled and changes_hands(person, touchpoint, recycled):",
        "if recycled and touchpoint is None:",
    ),
    Fault("nobody wakes on a birthday", "journey/policy.py", "times.append(changes_at)", "pass"),
    Fault(
        "a use that has ended is not said of who ended nothing",
        "journey/settle.py",
        "                touched.append(customer_id)\n        return",
        "        return",
    ),
    Fault("a generic identifier is looked up", "journey/recycled.py", "if nobody.get(x, GENERIC) != GENERIC:", "if x:"),
    Fault(
        "what survives is not part of what was said",
        "journey/speaker.py",
        "said = (*said, person.golden, person.used, person.shared)",
        "pass",
    ),
    Fault(
        "the first rule decides alone",
        "journey/survivorship.py",
        "for criterion in rule.by:\n            match",
        "for criterion in rule.by[:1]:\n            match",
    ),
    Fault(
        "a source replaces what others said",
        "journey/survivorship.py",
        "if source in spell.holders and spell.value not in texts:",
        "if spell.value not in texts:",
    ),
    Fault(
        "what was chosen last stays, what survives is left out",
        "journey/survivorship.py",
        "reverse=True)[:MOST_CANDIDATES]",
        "reverse=False)[:MOST_CANDIDATES]",
    ),
)
