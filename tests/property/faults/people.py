"""Faults to plant in who is who: what is shared, what a steward rules."""

from tests.property.faults.fault import Fault

FAULTS = (
    # -- who is shared, who is generic
    Fault(
        "sharing counts raw neighbours, not people",
        "identity/resolve.py",
        "is_shared = len(met) + self",
        "is_shared = len(stronger) + self",
    ),
    Fault(
        "a contested identifier goes to the first comer",
        "identity/resolve.py",
        "            self._nobody[x] = why\n",
        "            self._unite({alone, min(met, key=lambda group: min(group.members))})\n",
    ),
    Fault(
        "identifiers are asked in no order",
        "identity/resolve.py",
        "for x in sorted(evidence.seen, key=strength):",
        "for x in evidence.seen:",
    ),
    Fault("a strong end never becomes generic (no fan guard)", "identity/agent.py", "pointer.down += 1", "pointer.down += 0"),
    Fault("only the weak end is asked", "identity/agent.py", "if message.granted and not pointer.is_generic:", "if message.granted:"),
    Fault(
        "only the strong end is asked", "identity/agent.py", "if message.granted and not pointer.is_generic:", "if not pointer.is_generic:"
    ),
    Fault(
        "a component is not told that an identifier is generic",
        "identity/agent.py",
        "            send(AddGeneric(pointer.root, x))",
        "            pass",
    ),
    Fault(
        "touchpoints stay at an anchor that turned out generic",
        "journey/settle.py",
        "if node is not None and node.is_generic and following",
        "if node is None and following",
    ),
    Fault(
        "identity does not hand on what arrives at a generic anchor",
        "identity/agent.py",
        "if pointer.is_generic and following < len(identifiers):",
        "if following < 0:",
        "the component hands it on; this saves it the way",
    ),
    Fault(
        "a claim is counted but not passed on again when its times widen",
        "identity/agent.py",
        "elif times.first <= first and not (message.is_bare and times.last < last):",
        "elif times:",
        "times of evidence decide nothing yet",
    ),
    # -- what a steward rules
    Fault(
        "the first word of a steward stands",
        "identity/rulings.py",
        "_place(found[ruling.pair]) < _place(ruling)",
        "_place(found[ruling.pair]) > _place(ruling)",
    ),
    Fault(
        "of equally late words any stands",
        "identity/rulings.py",
        "return ruling.at, ruling.command, ruling.content",
        "return ruling.at, '', ''",
    ),
    Fault("a word that was taken back stands", "identity/rulings.py", "ruling.undone_by is None and (", "("),
    Fault("an undo that comes first is forgotten", "identity/agent.py", "None if undone is None else undone.by, send)", "None, send)"),
    Fault("an undo that comes last is forgotten", "identity/agent.py", "_rule(name, row[1:], ordered, by, send)", "pass"),
    Fault("a steward's join counts as a merge", "identity/resolve.py", "home.pardoned += ", "home.pardoned += 0 * "),
    Fault("rulings do not travel", "journey/component.py", "self.add_ruling(row)", "pass"),
    Fault(
        "that a ruling was undone does not travel",
        "journey/component.py",
        "(known.undone_by, ruling.undone_by) if by is not None)",
        "(known.undone_by,) if by is not None)",
    ),
    Fault("a steward's join is refused by the limit of merges", "identity/resolve.py", "if not is_by_word and sum(", "if sum("),
    Fault(
        "whom a steward keeps apart from one belongs to nobody",
        "identity/resolve.py",
        "        met -= overruled\n",
        "",
    ),
)
