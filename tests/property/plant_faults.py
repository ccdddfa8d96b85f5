"""Plants faults into a copy of the package, one by one, and asks who finds them: `python -m tests.property.plant_faults [name…]`.

For each fault the explorer tries histories until the law of convergence fails, and the tests of the pure stages run until one fails. The
result is the table of docs/decisions/0005-planted-faults.md. Exits with 1 if a fault is found by nobody and is not marked as harmless.
"""
# ruff: noqa: T201 - it prints its table

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
HISTORIES = 1500
TESTS = (
    "tests/unit/identity",
    "tests/unit/journey",
    "tests/property/test_fold.py",
    "tests/property/test_survivorship.py",
    "tests/property/test_resolve.py",
)


class Fault(NamedTuple):
    """One line of the product, and the same line with a fault. `harmless`: why nobody needs to find it."""

    name: str
    module: str
    line: str
    fault: str
    harmless: str = ""


FAULTS = (
    # -- who is shared, who is generic
    Fault(
        "sharing counts raw neighbours, not people",
        "identity/resolve.py",
        "PERSONS if len(met) > self",
        "PERSONS if len(stronger) > self",
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
        "elif times.first <= first:",
        "elif times:",
        "times of evidence decide nothing yet",
    ),
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
    Fault("a redirect drops edges", "journey/agent.py", "send(AddEdge(redirect, weak, strong, first, last, sure))", "pass"),
    Fault("a redirect drops pieces", "journey/agent.py", "send(Piece(redirect, source, number, total, as_of, rows))", "pass"),
    Fault("pieces are joined before all are here", "journey/component.py", "if len(staged) < piece.total:", "if not staged:"),
    Fault(
        "a component that moves on leaves behind what was on its way to it",
        "journey/component.py",
        "for row in staged:  #",
        "for row in []:  #",
    ),
    Fault("generic does not travel", "journey/component.py", "                if row.is_generic:\n", "                if False:\n"),
    Fault(
        "known since does not travel",
        "journey/component.py",
        "                if row.since is not None:\n",
        "                if row.since is not None and self.node(name[1:]) is None:\n",
    ),
    # -- what was said before all state was lost
    Fault("what was read back is put nowhere", "journey/agent.py", "                component.add_recall(message)", "                pass"),
    Fault(
        "a redirect drops what was read back", "journey/agent.py", "send(Recall(redirect, customer_id, number, not_before, rows))", "pass"
    ),
    Fault("what was read back does not travel", "journey/component.py", '_MOVED = "cmorneat"', '_MOVED = "cmoneat"'),
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
        "return self.ids - self._origins.keys()",
        "return set()",
    ),
    # -- time
    Fault("as_of does not travel", "journey/component.py", "if piece.as_of > header.as_of:", "if piece.as_of > 1 << 62:"),
    Fault(
        "timers are lost on a move",
        "journey/agent.py",
        "fromkeys((root, customer_id) for customer_id in touched))\n            self._rewind(component)",
        "fromkeys((root, customer_id) for customer_id in touched))",
    ),
    Fault(
        "who moves away leaves a timer",
        "journey/component.py",
        "            self._store.clear_timer(header.timer, self.root)",
        "            pass",
    ),
    Fault(
        "the short way sets no timer",
        "journey/agent.py",
        "        self._wake(component, person.next_at",
        "        (component, person.next_at",
    ),
    Fault(
        "a timer that rang is not set again",
        "journey/agent.py",
        "                self._say(component, name[1:], person, drafts, speaker, now)\n        self._rewind(component)",
        "                self._say(component, name[1:], person, drafts, speaker, now)",
    ),
    # -- the short way
    Fault(
        "the short way ignores which touchpoint is the newest",
        "journey/agent.py",
        "touchpoint.order <= person.newest",
        "touchpoint.order <= (0, '', '')",
    ),
    Fault(
        "the short way ignores deadlines that fired",
        "journey/agent.py",
        "or touchpoint.occurred_at <= person.fired:",
        "or person.fired is None:",
    ),
    Fault(
        "the short way passes a deadline that the touchpoint meets exactly",
        "journey/agent.py",
        "advance(state, journey, touchpoint.occurred_at - 1)",
        "advance(state, journey, touchpoint.occurred_at)",
    ),
    Fault(
        "the short way forgets the rest of its component",
        "journey/agent.py",
        'news == "new" and component.root not in self._stale and',
        'news == "new" and',
        "settle compares fingerprints and books; it only saves work",
    ),
    Fault(
        "a new anchor takes the short way though the limit of merges is in reach",
        "journey/agent.py",
        ">= self._journeys.limits.merges_per_person:",
        ">= 1 << 30:",
    ),
    Fault(
        "the short way forgets that an identifier holds a touchpoint now",
        "journey/agent.py",
        "node.is_anchor = True",
        "node.is_anchor |= False",
    ),
    Fault(
        "the short way takes what lies behind the horizon",
        "journey/agent.py",
        " or touchpoint.occurred_at < now - self._retention:",
        ":",
    ),
    Fault(
        "the short way gives the touchpoint to its anchor",
        "journey/agent.py",
        "        if anchor.refused is None:\n",
        "        if anchor is not None:\n",
    ),
    Fault("the short way puts off the horizon", "journey/agent.py", "or condense_at < header.condense_at:", "or False:"),
    Fault(
        "the short way says no customer", "journey/agent.py", "        self._touched[component.root, customer_id] = None", "        pass"
    ),
    # -- owners and duplicates
    Fault("a touchpoint belongs to its anchor always", "journey/settle.py", "        for x in usable:\n", "        for x in ():\n"),
    Fault(
        "duplicates are decided per component",
        "journey/settle.py",
        "        for variant in variants:\n            owner",
        "        for variant in [v for v in variants if v.touchpoint in winners([o.touchpoint for o in variants])]:\n            owner",
    ),
    Fault(
        "of two statements about other identifiers the first received counts",
        "journey/component.py",
        "        if held is None or held.variant is None:\n",
        '        if held is None:\n            return "known"\n        if held.variant is None:\n',
    ),
    Fault(
        "what is too much for a day stays",
        "journey/settle.py",
        "if len(kept) > per_day:",
        "if False:",
    ),
    Fault(
        "the short way takes what is too much for a day",
        "journey/agent.py",
        "if day < person.pace[0] or number > self._journeys.per_day:",
        "if day < person.pace[0]:",
    ),
    Fault(
        "a full day turns away also what comes earlier",
        "journey/agent.py",
        "and place(touchpoint) > node.full.get(group_name(touchpoint), _LAST):",
        "and group_name(touchpoint) in node.full:",
    ),
    Fault(
        "of two statements about the same identifiers the first received counts",
        "journey/component.py",
        "first = min(known.touchpoint, touchpoint, key=_precedence)",
        "first = known.touchpoint",
    ),
    Fault(
        "a touchpoint goes back to an earlier anchor",
        "journey/component.py",
        "Variant(max(known.index, index), first",
        "Variant(index, first",
    ),
    Fault(
        "a changed statement wakes nobody",
        "journey/agent.py",
        'settlement.everyone |= news == "changed"',
        "settlement.everyone |= False",
        "the fingerprint of its owner tells",
    ),
    Fault("fingerprints do not know times", "journey/golden.py", "\\x1f{touchpoint.occurred_at}", ""),
    Fault("fingerprints do not know keys", "journey/golden.py", "{touchpoint.key}\\x1f", ""),
    Fault(
        "the earlier known-since does not win",
        "journey/component.py",
        "if node.since is not None and node.since <= since:",
        "if node.since is not None:",
    ),
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
    # -- retention
    Fault("past the horizon the first touchpoints stay, not the last", "journey/retention.py", "[:-keep]", "[keep:]"),
    Fault(
        "past the horizon one state per person stays (all are dropped but the last)",
        "journey/settle.py",
        "horizon, journeys.topology.keep))",
        "horizon, 1))",
    ),
    Fault(
        "nobody wakes at the horizon",
        "journey/settle.py",
        "if young else None\n        component",
        "if young and horizon > 1 << 61 else None\n        component",
    ),
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
    # -- consent
    Fault(
        "what was said on an output that asks for consent does not travel",
        "journey/component.py",
        '_MOVED = "cmorneat"',
        '_MOVED = "cmrneat"',
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
        "        for name, said in self.carried.get(customer_id, {}).items():",
        "        for name, said in ():",
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
    # -- the fold
    Fault(
        "a touchpoint exactly at a deadline is too late",
        "journey/fold.py",
        "drafts += advance(state, journey, touchpoint.occurred_at - 1)",
        "drafts += advance(state, journey, touchpoint.occurred_at)",
    ),
    Fault(
        "a silence counts from the entry only",
        "journey/fold.py",
        "reset if reset is not None and reset.at >= entered.at else entered",
        "entered",
    ),
    Fault(
        "a fold takes touchpoints as they come",
        "journey/fold.py",
        "for touchpoint in sorted(touchpoints, key=lambda t: t.order):",
        "for touchpoint in touchpoints:",
    ),
)


def plant(fault: Fault, package: Path) -> None:
    """Change the copy.

    Raises:
        LookupError: the line is not there exactly once; the code has moved on, and this list must follow.
    """
    module = package / "touchstone" / fault.module
    text = module.read_text()
    if text.count(fault.line) != 1:
        raise LookupError(
            f"expected the line of {fault.name!r} once in {fault.module}, found it {text.count(fault.line)} times: {fault.line!r}"
        )
    module.write_text(text.replace(fault.line, fault.fault))


def run(arguments: list[str], copy: Path) -> subprocess.CompletedProcess[str]:
    """Run python in the copy of the repository."""
    environment = os.environ | {"PYTHONPATH": f"{copy / 'agents'}{os.pathsep}{copy}", "TOUCHSTONE_EXAMPLES": "check"}
    return subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False)


def found_by_law(copy: Path) -> str:
    """The number of histories it took, or a dash."""
    outcome = run(["-m", "tests.property.explore", "--first", str(HISTORIES), "0"], copy)
    if outcome.returncode == 0:
        return "–"
    lines = outcome.stdout.splitlines()
    return lines[0].removeprefix("found by history ") if lines else "crashed: " + outcome.stderr.strip().splitlines()[-1]


def found_by_tests(copy: Path) -> str:
    """The first test that fails, or a dash."""
    outcome = run(["-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *TESTS], copy)
    failed = [line for line in outcome.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition("::")[2].partition(" - ")[0] if failed else "–" if outcome.returncode == 0 else "crashed"


def main(names: list[str]) -> int:
    """The command line."""
    missed = 0
    print("| fault | law: history | unit and fold tests |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        for name in ("agents", "tests"):
            shutil.copytree(ROOT / name, whole / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
        shutil.copy(ROOT / "pyproject.toml", whole)
        for fault in FAULTS:
            if not names or any(name in fault.name for name in names):
                missed += not try_out(fault, whole)
    return int(missed > 0)


def try_out(fault: Fault, whole: Path) -> bool:
    """Plant one fault and say who finds it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(whole, copy)
        try:
            plant(fault, copy / "agents")
        except LookupError as error:
            print(f"| {fault.name} | {error} | |", flush=True)
            return False
        law, tests = found_by_law(copy), found_by_tests(copy)
    note = f" ({fault.harmless})" if fault.harmless else ""
    print(f"| {fault.name}{note} | {law} | {tests} |", flush=True)
    return bool(fault.harmless) or not law == tests == "–"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
