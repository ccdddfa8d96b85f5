"""Faults to plant in components on their way: unions, pieces, redirects, what was said before a loss."""

from tests.property.faults.fault import Fault

FAULTS = (
    # -- union-find and moving
    Fault(
        "pointers are linked by strength",
        "identity/agent.py",
        "self._ordering.hook)",
        "self._ordering.strength)",
        "until ranks change under a living state; tests/unit/identity/test_ordering.py keeps the two apart",
    ),
    Fault(
        "the union goes to the lower of two roots",
        "identity/union.py",
        "if hook(root) < hook(y) else (y, root)",
        "if hook(root) > hook(y) else (y, root)",
    ),
    Fault("a root hangs itself up and tells nobody", "identity/union.py", "return y, Absorb(x, y)", "return y, None"),
    Fault("both hang up", "identity/union.py", "        return root, None if y == x else Unite(y, x)", "        return y, Absorb(x, y)"),
    Fault("a component leaves no redirect", "journey/component.py", "self.put_header(Header(redirect=root))", "self.put_header(Header())"),
    Fault("a redirect drops what is said of apart", "journey/agent.py", "send(AddRuling(redirect, ruling))", "pass"),
    Fault("a redirect drops generic", "journey/agent.py", "send(AddGeneric(redirect, identifier))", "pass"),
    Fault("a redirect drops edges", "journey/agent.py", "send(AddEdge(redirect, weak, strong, first, last))", "pass"),
    Fault("a redirect drops pieces", "journey/agent.py", "send(Piece(redirect, source, number, total, as_of, rows))", "pass"),
    Fault("pieces are joined before all are here", "journey/component.py", "if len(staged) < piece.total:", "if not staged:"),
    Fault(
        "a component that moves on leaves behind what was on its way to it",
        "journey/component.py",
        "for row in staged:  #",
        "for row in []:  #",
    ),
    Fault("generic does not travel", "journey/component.py", "        if other.is_generic:\n", "        if False:\n"),
    Fault(
        "known since does not travel",
        "journey/component.py",
        "        if other.since is not None:\n",
        "        if other.since is not None and self.node(identifier) is None:\n",
    ),
    # -- what was said before all state was lost
    Fault("what was read back is put nowhere", "journey/agent.py", "                component.add_recall(message)", "                pass"),
    Fault(
        "a redirect drops what was read back", "journey/agent.py", "send(Recall(redirect, customer_id, number, not_before, rows))", "pass"
    ),
    Fault("what was read back does not travel", "journey/component.py", '_MOVED = "cmovrqnedklat"', '_MOVED = "cmovqnedklat"'),
    Fault(
        "what was read back is not compared with the truth",
        "journey/agent.py",
        "self._note(component.root).heard |= concerned",
        "self._note(component.root)",
    ),
    Fault(
        "what was read back with a higher revision is not said again",
        "journey/component.py",
        "said.must_repeat = mine is not None",
        "said.must_repeat = False",
    ),
    Fault("what was read back hides what was said since", "journey/component.py", "if mine is None or mine.revision <= said", "if said"),
    Fault(
        "nobody is woken to hear what was read back",
        "journey/agent.py",
        "for at in (header.condense_at, header.hears_at) if",
        "for at in (header.condense_at,) if",
    ),
    Fault(
        "what was read back is not heard when its time comes",
        "journey/agent.py",
        "        self._hear(component)\n        if component.root in self._stale:",
        "        if component.root in self._stale:",
    ),
    Fault(
        "a customer id that no record names is not traced",
        "journey/recall.py",
        "return self.ids - self.origins.keys()",
        "return set()",
    ),
)
