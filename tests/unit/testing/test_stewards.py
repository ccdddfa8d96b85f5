"""Generated commands: every action is among them, they bite, and whatever the order the end is one."""

import json
from collections import Counter
from random import Random
from typing import Any

from touchstone.model.output import IdentityChange
from touchstone.simulate import LINES_AT_ONCE, Simulation, Twin, simulate
from touchstone.testing.generator import Mix, generate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import Final, FinalView, diff

TOPOLOGY = load_topology(default_topology_path())
GENERATED = generate(1_500, 12, mix=Mix(login=0.3, per_person=10, commands=0.1))
COMMANDS = [line for line in GENERATED.lines if b'"command_id"' in line]


def ended(lines: list[bytes], partitions: int) -> Final:
    """What readers believe in the end."""
    view = FinalView()
    twin = Twin(TOPOLOGY, view.apply, partitions=partitions)
    for start in range(0, len(lines), LINES_AT_ONCE):
        twin.feed(lines[start : start + LINES_AT_ONCE])
    return view.final(twin.now, TOPOLOGY.retention_ms)


def changes(simulation: Simulation) -> Counter[str]:
    """How often who is who changed, by kind."""
    return Counter(record.kind for record in simulation.records if isinstance(record, IdentityChange))


def test_there_are_as_many_as_asked_for_and_none_unless_asked_for() -> None:
    """They are part of the number of lines, and without a share for them no byte is another."""
    assert len(COMMANDS) == 150
    assert len(GENERATED.lines) == 1_500
    assert not any(b'"command_id"' in line for line in generate(1_500, 12).lines)
    assert generate(1_500, 12, mix=Mix(login=0.3, per_person=10, commands=0.1)) == GENERATED


def test_every_action_is_among_them_and_undos_before_what_they_undo() -> None:
    """Split, forbid, join and undo; one said twice; two different ones under one id; an undo that arrives first."""
    said: list[dict[str, Any]] = [json.loads(line) for line in COMMANDS]
    arrived = [command["command_id"] for command in said]
    undone = [(n, command["undoes"]) for n, command in enumerate(said) if command["action"] == "undo"]
    contents: dict[str, set[str]] = {}
    for command, line in zip(said, COMMANDS, strict=True):
        contents.setdefault(command["command_id"], set()).add(line.decode())

    assert {"split", "forbid", "join", "undo"} <= {command["action"] for command in said}
    assert any(count > 1 for count in Counter(COMMANDS).values())
    assert any(len(found) > 1 for found in contents.values())
    assert any(name not in arrived[:n] for n, name in undone)
    assert any(name in arrived[:n] for n, name in undone)


def test_what_is_none_becomes_a_dead_letter_and_is_counted() -> None:
    """The generator knows how many lines are refused, commands and touchpoints together."""
    refused = simulate(GENERATED.lines, TOPOLOGY).final["deadletters"]

    assert len(refused) == GENERATED.garbage
    assert {"unknown_action", "ignored_identifier"} <= {letter["reason"] for letter in refused}


def test_they_change_who_is_who() -> None:
    """Splits take effect and joins hold, or a walk with commands would test nothing."""
    without = simulate([line for line in GENERATED.lines if line not in COMMANDS], TOPOLOGY)
    ruled = simulate(GENERATED.lines, TOPOLOGY)

    assert len(ruled.final["customers"]) >= len(without.final["customers"]) + 10
    assert changes(ruled)["split"] >= 10
    assert changes(ruled)["split"] > changes(without)["split"]


def test_the_end_is_one_in_any_order_on_1_3_and_12_partitions() -> None:
    """Commands first, commands last, everything shuffled."""
    lines = list(GENERATED.lines)
    touchpoints = [line for line in lines if line not in COMMANDS]
    shuffled = list(lines)
    Random(3).shuffle(shuffled)
    truth = ended(lines, 1)

    others = [ended([*COMMANDS, *touchpoints], 3), ended([*touchpoints, *COMMANDS], 12), ended(shuffled, 3)]

    assert [diff(other, truth) for other in others] == [[], [], []]


def test_all_taken_back_the_end_is_as_if_none_had_been_given() -> None:
    """What every command did is known: nothing, once it is undone, whatever the others of the same pair say."""
    accepted = {command["command_id"] for command in map(json.loads, COMMANDS) if command["action"] != "undo"}
    touchpoints = [line for line in GENERATED.lines if line not in COMMANDS]
    stamp = {"action": "undo", "at": "2024-03-01T00:00:00Z", "who": "ann", "why": "all of it"}
    undos = [json.dumps({"command_id": f"undo-{name}", "undoes": name, **stamp}).encode() for name in sorted(accepted)]

    never, undone = ended(touchpoints, 1), ended([*GENERATED.lines, *undos], 3)

    assert undone["customers"] == never["customers"]
    assert undone["moments"] == never["moments"]
