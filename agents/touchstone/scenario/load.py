"""A file of stories -> scenarios that can be run, or all that is wrong with it, each with its line."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from touchstone.contracts.reasons import REASONS
from touchstone.errors import Fault, TopologyError, UsageError
from touchstone.observe.metrics import METRICS
from touchstone.scenario.lines import lines_of
from touchstone.scenario.model import MOST_PERMUTED, Story
from touchstone.scenario.run import Scenario
from touchstone.topology.compile import Topology
from touchstone.topology.document import MAX_BYTES, Node, read
from touchstone.topology.explain import Location, details, explain, nearest, place
from touchstone.topology.load import default_topology_path, load_text

COUNTED = {metric.name.removeprefix("touchstone_").removesuffix("_total"): metric for metric in METRICS if metric.type == "counter"}
"""The counters that a story can ask for, by their short names."""


def load_scenarios(path: Path, topology: Path | None = None) -> list[Scenario]:
    """Read a file that holds one story, or a list of them. `topology` is what their overrides are laid upon; else the shipped one.

    Raises:
        UsageError: the file cannot be read, or it is no story; the text names every fault with file, line and column.
        TopologyError: the topology itself is wrong.
    """
    try:
        text = path.read_bytes()[: MAX_BYTES + 1].decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; expected a YAML file of stories") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path}: expected UTF-8, found other bytes; save the file as UTF-8") from None
    return load_scenario_text(text, str(path), topology)


def load_scenario_text(text: str, file: str, topology: Path | None = None) -> list[Scenario]:
    """As `load_scenarios`, of a text; `file` is the name its faults are reported under."""
    root, faults = read(text, file)
    if root is not None and not faults:
        stories, faults = _validate(root.value if isinstance(root.value, list) else [root], file)
        base = (topology or default_topology_path()).resolve()
        scenarios = []
        for node, story in stories:
            try:
                scenarios.append(_scenario(story, node, file, base))
            except _StoryFault as wrong:
                faults += wrong.faults
        if not faults:
            return scenarios
    raise UsageError("\n".join(map(str, sorted(faults, key=lambda fault: (fault.line, fault.column)))))


class _StoryFault(Exception):
    """What is wrong with one story."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__(*self.faults)


def _validate(nodes: list[Node], file: str) -> tuple[list[tuple[Node, Story]], list[Fault]]:
    stories: list[tuple[Node, Story]] = []
    faults: list[Fault] = []
    for node in nodes:
        try:
            stories.append((node, Story.model_validate(node.plain())))
        except ValidationError as error:
            faults += [explain(one, node, file, Story) for one in details(error)]
    return stories, faults


def _scenario(story: Story, node: Node, file: str, base: Path) -> Scenario:
    topology = _topology(base, story, node, file)
    lines, latest = lines_of(story.given)
    faults = [
        *_unknown_words(story, node, file, topology),
        *_impossible_orders(story, node, file, {line.event_id for line in lines}, len(lines)),
    ]
    if faults:
        raise _StoryFault(faults)
    return Scenario(story, topology, tuple(lines), latest, file, node.line)


def _unknown_words(story: Story, node: Node, file: str, topology: Topology) -> Iterable[Fault]:
    """What is expected of things that do not exist can never be found."""
    then = story.then
    kinds = topology.kinds.keys() | topology.kind_aliases.keys() | {"tenant"}
    written: list[tuple[Location, Iterable[str], str, Collection[str]]] = [
        (("then", "counted"), then.counted, "a metric that counts", COUNTED),
        (("then", "dead_letters"), then.dead_letters, "a reason", REASONS),
    ]
    for name, people in (("people", then.people if isinstance(then.people, list) else []), ("nobody", then.nobody or [])):
        written += [(("then", name, n), one, "a kind of identifier", kinds) for n, one in enumerate(people)]
    written += [(("then", "customers", n, "of"), one.of, "a kind of identifier", kinds) for n, one in enumerate(then.customers)]
    asking = {output.name for output in topology.asking}
    carried: list[tuple[Location, Iterable[str]]] = [
        (("then", "customers", n, "outputs"), one.outputs) for n, one in enumerate(then.customers)
    ]
    written += [(location, names, "an output that asks for consent", asking) for location, names in carried]
    written.append((("then", "log", "outputs"), then.log.outputs, "an output that asks for consent", asking))
    for location, words, what, known in written:
        for word in words:
            if word not in known:
                at = place(node, (*location, word))[0]
                yield Fault(f"expected {what}, found `{word}`: {nearest(word, known)}", at.path, file, at.key_line, at.key_column)


def _impossible_orders(story: Story, node: Node, file: str, event_ids: set[str], count: int) -> Iterable[Fault]:
    permute = story.orders.permute
    at = place(node, ("orders", "permute"))[0]
    if permute == "all":
        if count > MOST_PERMUTED:
            text = f"expected at most {MOST_PERMUTED} touchpoints to permute, found {count}; name those to permute, or use `random`"
            yield Fault(text, at.path, file, at.line, at.column)
        return
    if len(permute) > MOST_PERMUTED:
        yield Fault(f"expected at most {MOST_PERMUTED} event ids, found {len(permute)}", at.path, file, at.line, at.column)
    for n, event_id in enumerate(permute):
        if event_id not in event_ids:
            at = place(node, ("orders", "permute", n))[0]
            yield Fault(f"no touchpoint has the event id `{event_id}`: {nearest(event_id, event_ids)}", at.path, file, at.line, at.column)


# -- the topology, with what the story says otherwise ---------------------------------------------------------------------------


def _topology(base: Path, story: Story, node: Node, file: str) -> Topology:
    written = place(node, ("topology",))[0]
    try:
        return _merged(base, msgspec.json.encode(story.topology))
    except TopologyError as wrong:
        if not story.topology:
            raise
        raise _StoryFault(_placed(fault, written, file) for fault in wrong.faults) from None


@lru_cache(maxsize=64)
def _merged(base: Path, overrides: bytes) -> Topology:
    try:
        text = base.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"the topology {base} cannot be read: {error.strerror}") from error
    changed = msgspec.json.decode(overrides)
    root, _ = read(text, str(base))
    if not changed or root is None:
        return load_text(text, str(base))
    return load_text(msgspec.json.encode(_laid_upon(root.plain(), changed)).decode(), str(base))


def _laid_upon(below: Any, above: Any) -> Any:
    """Maps are joined key by key, a null takes a key out; anything else replaces what was there."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    joined = {key: _laid_upon(below.get(key), value) for key, value in above.items() if value is not None}
    return {key: joined.get(key, value) for key, value in below.items() if key not in above or key in joined} | joined


def _placed(fault: Fault, written: Node, file: str) -> Fault:
    """The fault at the override that brought it about, as far as its path leads there."""
    parts: tuple[str | int, ...] = tuple(int(part) if part.isdecimal() else part for part in re.findall(r"[^.\[\]]+", fault.path))
    at = place(written, parts)[0]
    return Fault(fault.message, f"topology.{fault.path}", file, at.key_line, at.key_column)
