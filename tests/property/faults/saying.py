"""Faults to plant in what is said: moments, customers."""

from tests.property.faults.fault import Fault

FAULTS = (
    # -- publishing
    Fault(
        "only assertions are published",
        "journey/publish.py",
        "if moment_id not in truth and (before.stands",
        "if moment_id is None and (before.stands",
    ),
    Fault(
        "changed content is not said again", "journey/publish.py", "not before.stands or before.content != content)", "not before.stands)"
    ),
    Fault("what was retracted is not asserted again", "journey/publish.py", "or not before.stands or", "or"),
    Fault(
        "a young statement whose truth is old stays",
        "journey/publish.py",
        "and (before is None or before.content.occurred_at < horizon)",
        "",
    ),
    Fault("final moments are retracted", "journey/publish.py", "and before.content.occurred_at >= horizon:", "and before is not None:"),
    Fault("two different statements are not repeated", "journey/component.py", "higher.must_repeat = True", "higher.must_repeat |= False"),
    Fault("a lower revision wins a join", "journey/component.py", "said if said.revision > mine.revision else mine", "mine"),
    Fault(
        "revisions do not know the clock",
        "journey/publish.py",
        "return max(before + 1, wall_ms)",
        "return before + 1",
        "until a state is lost and built anew; tests/unit/journey/test_publish.py keeps it",
    ),
    Fault("the book does not travel", "journey/component.py", '_MOVED = "cm', '_MOVED = "c'),
    # -- customers
    Fault(
        "nothing is said of a customer who is no more",
        "journey/settle.py",
        "            retold.append(Retold(customer_id, None, {}, stated, cause))\n            touched.append(customer_id)",
        "            retold.append(Retold(customer_id, None, {}, stated, cause))",
    ),
    Fault("who was merged is only retired", "journey/speaker.py", 'return "merged", node.customer_id', 'return "retired", None'),
    Fault(
        "a person who is no more keeps her moments",
        "journey/settle.py",
        "            stated = speaker.correct_moments(component, customer_id, {}, horizon, cause)",
        "            stated = {}",
    ),
    Fault(
        "identity changes are said at once, not once",
        "journey/changes.py",
        "if identifier in self._shared else before",
        "if identifier is None else before",
        "more of them are said; the log depends on the order of arrival anyway",
    ),
)
