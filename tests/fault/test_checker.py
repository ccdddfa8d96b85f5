"""The checker finds what was planted: an invariant that cannot fail proves nothing."""

from dataclasses import replace
from functools import cache

import msgspec
import pytest

from tests.fault import checker
from tests.fault.checker import Readings, Row, Said, Sample, Source
from tests.fault.workload import CANARY
from touchstone.identity.ordering import Ordering
from touchstone.intake.lines import prepare_line
from touchstone.model.component import Header, Node, Pointer, Staged
from touchstone.model.output import DeadLetter, Moment
from touchstone.pipeline import IDENTITY, JOURNEY
from touchstone.simulate import simulate
from touchstone.testing.generator import Mix, generate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed

TOPOLOGY = replace(prefixed(load_topology(default_topology_path()), "t."), partitions=4)
COOKIE, USER = "default/cookie:c1", "default/user_id:ada"


@cache
def healthy() -> Readings:
    """What a faultless system would leave behind, taken from the twin: 300 touchpoints and commands, some of them garbage."""
    lines = generate(300, 5, mix=Mix(commands=0.1)).lines
    truth = simulate(lines, TOPOLOGY)
    sources = [Source(p.topic, 0, n, p.value) for n, p in enumerate(prepare_line(line, TOPOLOGY) for line in lines)]
    by_offset = {letter.offset: letter for letter in truth.records if isinstance(letter, DeadLetter)}
    said = [Said(topic_of(record), 0, number, record) for number, record in enumerate(truth.records)]
    keys = [checker.state_key(source.value, TOPOLOGY) for source in sources if source.offset not in by_offset]
    held = [Row(place(USER), USER, f"t{key}", b"") for key in keys if key is not None and "command:" not in key]
    heard = [command_row(key) for key in keys if key is not None and "command:" in key]
    return Readings(
        topology=TOPOLOGY,
        as_of=truth.as_of,
        acknowledged=[(s.topic, s.partition, s.offset) for s in sources],
        sources=sources,
        said=said,
        rows={
            IDENTITY: [*heard, pointer(USER, USER), pointer(COOKIE, USER)],
            JOURNEY: [*held, header(USER, None), node(USER), header(COOKIE, USER)],
        },
        twin=truth.final,
        texts={"log": "group generation 3: 4 partitions ready"},
        samples=[Sample("w1", 120.0, 80, 5.0)],
        local_offsets={"w1: journey[0]": (10, 12)},
    )


def topic_of(record: object) -> str:
    """The output topic of a record."""
    return TOPOLOGY.topics.moments if isinstance(record, Moment) else type(record).__name__


def place(group: str) -> int:
    """The partition of an identifier."""
    return Ordering(TOPOLOGY.kinds).partition(group, TOPOLOGY.partitions)


def command_row(key: str) -> Row:
    """A row of identity that remembers a command, or that it was undone."""
    heard, _, group = key.partition(" ")
    return Row(place(group), group, "d" if heard == "undone" else "o0123", b"")


def pointer(group: str, root: str) -> Row:
    """A row of identity."""
    return Row(place(group), group, "i", msgspec.msgpack.encode(Pointer(root)))


def header(group: str, redirect: str | None) -> Row:
    """A component's header."""
    return Row(place(group), group, "h", msgspec.msgpack.encode(Header(redirect)))


def node(group: str) -> Row:
    """An identifier inside a component."""
    return Row(place(group), group, f"n{group}", msgspec.msgpack.encode(Node(since=1)))


def violated(readings: Readings) -> set[str]:
    """The invariants that do not hold."""
    return {name for name, violations in checker.check_all(readings).items() if violations}


def with_rows(readings: Readings, stage: str, *rows: Row) -> Readings:
    """The same readings with more rows of a stage."""
    return replace(readings, rows={**readings.rows, stage: [*readings.rows[stage], *rows]})


def first_moment(readings: Readings) -> Said:
    """The first moment that was said."""
    return next(each for each in readings.said if isinstance(each.record, Moment))


def test_a_faultless_system_violates_nothing() -> None:
    """Nothing is reported where nothing is wrong."""
    assert violated(healthy()) == set()


def test_an_acknowledged_record_that_is_not_in_the_log_is_found() -> None:
    """The broker has lost it."""
    readings = healthy()

    assert violated(replace(readings, acknowledged=[*readings.acknowledged, ("t.touchpoints.web.v1", 0, 1_000)])) == {
        "acknowledged is kept"
    }


def test_a_touchpoint_that_is_nowhere_is_found() -> None:
    """One that the state does not hold any more."""
    readings = healthy()
    journey = [row for row in readings.rows[JOURNEY] if not row.name.startswith("t")]

    found = violated(replace(readings, rows={**readings.rows, JOURNEY: journey}))

    assert found == {"every touchpoint and command in state or dead letters"}


@pytest.mark.parametrize("tag", ["o", "d"])
def test_a_command_that_is_nowhere_is_found(tag: str) -> None:
    """One that identity has not heard of, and an undo."""
    readings = healthy()
    identity = [row for row in readings.rows[IDENTITY] if not row.name.startswith(tag)]
    assert len(identity) < len(readings.rows[IDENTITY])

    found = violated(replace(readings, rows={**readings.rows, IDENTITY: identity}))

    assert found == {"every touchpoint and command in state or dead letters"}


def test_an_undo_is_held_with_what_it_takes_back_not_with_the_command_itself() -> None:
    """An undo of a command that has not come yet is no lost command, and an undo that is lost is not excused by its command."""
    undo = Source("t.commands.v1", 0, 1, b'{"command_id":"st-undo-1","action":"undo","undoes":"st-1"}')
    first = checker.held_in([], [command_row("ordered default/command:st-1")])
    both = checker.held_in([], [command_row("undone default/command:st-1")])

    assert checker.unaccounted_sources([undo], first, [], TOPOLOGY) == [undo]
    assert checker.unaccounted_sources([undo], both, [], TOPOLOGY) == []


def test_a_touchpoint_on_its_way_is_not_lost() -> None:
    """While the system runs, a committed message between two workers is as good as state."""
    source = Source("t.touchpoints.web.v1", 0, 1, b'{"event_id":"tp-1","channel":"website"}')

    assert checker.unaccounted_sources([source], frozenset(), [], TOPOLOGY) == [source]
    assert checker.unaccounted_sources([source], frozenset(), [], TOPOLOGY, frozenset({"default/web/tp-1"})) == []


def test_a_dead_letter_that_is_said_twice_is_found() -> None:
    """A record that was read again after a crash."""
    readings = healthy()
    letter = next(each for each in readings.said if isinstance(each.record, DeadLetter))

    found = violated(replace(readings, said=[*readings.said, letter._replace(offset=9_999)]))

    assert found == {"every touchpoint and command in state or dead letters", "each moment and revision once"}


def test_a_revision_that_is_said_twice_is_found() -> None:
    """Seen by a reader who keeps the highest revision it is harmless; promised is that it does not happen."""
    readings = healthy()

    found = violated(replace(readings, said=[*readings.said, first_moment(readings)._replace(offset=9_999)]))

    assert found == {"each moment and revision once", "revisions rise"}


def test_a_revision_that_falls_is_found() -> None:
    """A worker that had lost the last one, or whose clock went back."""
    readings = healthy()
    moment = first_moment(readings)
    assert isinstance(moment.record, Moment)
    older = msgspec.structs.replace(moment.record, revision=moment.record.revision - 1)

    assert violated(replace(readings, said=[*readings.said, moment._replace(offset=9_999, record=older)])) == {"revisions rise"}


def test_a_moment_that_changes_its_partition_is_found() -> None:
    """No reader could order its revisions."""
    readings = healthy()
    moment = first_moment(readings)
    assert isinstance(moment.record, Moment)
    newer = msgspec.structs.replace(moment.record, revision=moment.record.revision + 1)

    found = violated(replace(readings, said=[*readings.said, moment._replace(partition=1, record=newer)]))

    assert found == {"revisions rise"}


def test_a_moment_that_the_twin_does_not_know_is_found_and_one_that_is_missing_too() -> None:
    """Both directions of the difference."""
    readings = healthy()
    moment = first_moment(readings)
    assert isinstance(moment.record, Moment)
    invented = msgspec.structs.replace(moment.record, moment_id="invented")
    standing = {each["moment_id"] for each in readings.twin["moments"]} if readings.twin else set()
    without = [each for each in readings.said if not (isinstance(each.record, Moment) and each.record.moment_id in standing)]

    assert violated(replace(readings, said=[*readings.said, moment._replace(offset=9_999, record=invented)])) == {"live view = twin's view"}
    assert violated(replace(readings, said=without)) == {"live view = twin's view"}


@pytest.mark.parametrize(
    ("stage", "row"),
    [
        pytest.param(JOURNEY, header("default/cookie:c2", "default/cookie:nowhere"), id="a redirect to nowhere"),
        pytest.param(JOURNEY, header(USER, COOKIE), id="redirects in a circle"),
        pytest.param(JOURNEY, Row(place(COOKIE), COOKIE, "tdefault/web/e0", b""), id="a touchpoint left behind"),
        pytest.param(
            JOURNEY,
            Row(place(USER), USER, "sdefault/cookie:c9/0", msgspec.msgpack.encode(Staged(COOKIE, 0, 2, 0, ()))),
            id="a piece that waits for ever",
        ),
        pytest.param(JOURNEY, node("default/cookie:c3"), id="a component that no pointer leads to"),
        pytest.param(IDENTITY, pointer("default/cookie:c4", "default/cookie:c5"), id="a pointer to nowhere"),
        pytest.param(IDENTITY, pointer("default/cookie:c6", "default/cookie:c6"), id="a root without a component"),
    ],
)
def test_an_orphan_is_found(stage: str, row: Row) -> None:
    """Whatever is cut off from the rest would never be heard of again."""
    assert violated(with_rows(healthy(), stage, row)) == {"no orphaned component"}


def test_an_identifier_that_only_a_steward_has_named_needs_no_pointer_of_its_own() -> None:
    """Its component is there and another's pointer leads to it; once a touchpoint has shown it, the lack of its pointer is a loss."""
    unseen, other = "default/cookie:c7", "default/cookie:c8"
    ruled = with_rows(with_rows(healthy(), JOURNEY, header(unseen, None)), IDENTITY, pointer(other, unseen))

    assert violated(ruled) == set()
    assert violated(with_rows(ruled, JOURNEY, node(unseen))) == {"no orphaned component"}


def test_a_row_in_a_foreign_partition_is_found() -> None:
    """Two workers would each keep a state of the same component."""
    assert violated(with_rows(healthy(), JOURNEY, node(USER)._replace(partition=(place(USER) + 1) % 4))) == {"each row in its partition"}


def test_a_store_ahead_of_its_changelog_is_found() -> None:
    """It holds what was never committed."""
    assert violated(replace(healthy(), local_offsets={"w1: journey[0]": (13, 12)})) == {"state on disk not ahead of its changelog"}


@pytest.mark.parametrize("text", [f"cannot decode ck-{CANARY}-7-1", CANARY.upper(), 'value="+49302000123"', "tel 49302000123"])
def test_a_personal_value_is_found(text: str) -> None:
    """In any case of letters, and telephone numbers, which hold none."""
    assert violated(replace(healthy(), texts={"log": f"fine\n{text}"})) == {"nothing personal"}


def test_long_numbers_are_nothing_personal() -> None:
    """A time or an offset may hold the digits of a telephone number."""
    assert not checker.nothing_personal({"log": "offset 1749302000123, clock 14930200012345"})


@pytest.mark.parametrize("sample", [Sample("w", 5_000, 1, 1), Sample("w", 1, 5_000, 1), Sample("w", 1, 1, 5_000)])
def test_a_worker_that_takes_too_much_is_found(sample: Sample) -> None:
    """Memory, descriptors, disk."""
    assert violated(replace(healthy(), samples=[sample])) == {"memory, descriptors and disk bounded"}
