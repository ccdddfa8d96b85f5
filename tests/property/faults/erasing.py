"""Faults of forgetting: who is reached, what stays, and what it does to others."""

from tests.property.faults.fault import Fault

FAULTS = (
    Fault("a request does not travel", "journey/component.py", '_MOVED = "cmovrqnedklat"', '_MOVED = "cmovrnedklat"'),
    Fault("what is forgotten does not travel", "journey/component.py", "        if other.until is not None:\n", "        if False:\n"),
    Fault("a request reaches nobody but who asks", "journey/erasure.py", "for x in {who, *group}:", "for x in {who}:"),
    Fault(
        "a person may be reached by what was learnt after she asked",
        "identity/evidence.py",
        "for edge in edges if edge.first <= until}",
        "for edge in edges}",
    ),
    Fault("who was forgotten counts as an owner no more", "identity/evidence.py", "            ghosts[edge.weak] += 1", "            pass"),
    Fault(
        "whoever comes back has the id of before",
        "journey/policy.py",
        'made_from = origin if epoch is None else f"{origin} {epoch}"',
        "made_from = origin",
    ),
    Fault(
        "what was held is forgotten with its times",
        "journey/settle.py",
        "component.remember(touchpoint, anchor=",
        "str(touchpoint) or dict(anchor=",
    ),
    Fault(
        "other values stay in touchpoints", "journey/erasure.py", "None if value is not None and self.epoch(x) >= at else value", "value"
    ),
    Fault("a forgotten value stays in its node", "journey/erasure.py", "if x in known else None", "if True else None"),
    Fault(
        "a touchpoint is forgotten with its anchor alone",
        "journey/erasure.py",
        "touchpoint.identifiers[: index + 1])",
        "touchpoint.identifiers[index : index + 1])",
    ),
    Fault("the privacy log is not read after a loss of state", "journey/erasure.py", "        if x in table:\n", "        if False:\n"),
)
