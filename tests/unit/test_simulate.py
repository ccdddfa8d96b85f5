"""The offline twin: the same end in any batches, on any partitions, in any order; and the same as somebody who sees everything at once."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest

from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.lines import prepare_line
from touchstone.intake.touchpoint import Accepted
from touchstone.model.output import IdentityChange, Moment
from touchstone.observe.metrics import CONSUMED, LATE, Counts
from touchstone.pipeline import OutputRecord
from touchstone.runtime.program import Record
from touchstone.simulate import Twin, simulate
from touchstone.testing.generator import generate
from touchstone.testing.oracle import tell
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import Final, FinalView, diff

TOPOLOGY = load_topology(default_topology_path())
ORDERING = Ordering(TOPOLOGY.kinds)
NOON = 1_714_564_800_000
HOUR = 3_600_000
GENERATED = generate(1_500, seed=11)


def line(number: int, kind: str, at: int = NOON, **identifiers: str) -> bytes:
    """A touchpoint on the web."""
    fields: dict[str, Any] = {"event_id": f"e{number}", "channel": "web", "type": kind, "occurred_at": at, "identifiers": identifiers}
    return msgspec.json.encode(fields)


def seen_by_twin(lines: Sequence[bytes], partitions: int, at_once: int) -> tuple[Twin, Final]:
    """A twin with so many partitions that has taken the lines in, and the final view."""
    view = FinalView()
    twin = Twin(TOPOLOGY, view.apply, partitions=partitions)
    for n in range(0, len(lines), at_once):
        twin.feed(lines[n : n + at_once])
    return twin, view.final(twin.now, TOPOLOGY.retention_ms)


@pytest.mark.parametrize(("partitions", "at_once"), [(1, 1), (3, 7), (12, 100)])
def test_batches_partitions_and_order_do_not_change_the_end(partitions: int, at_once: int) -> None:
    """Generated touchpoints with merges, duplicates, conflicts, late ones and garbage, in file order and shuffled."""
    expected = simulate(GENERATED.lines, TOPOLOGY)
    shuffled = list(GENERATED.lines)
    Random(partitions).shuffle(shuffled)

    _, in_order = seen_by_twin(GENERATED.lines, partitions, at_once)
    _, in_disorder = seen_by_twin(shuffled, partitions, at_once)

    assert diff(in_order, expected.final) == []
    assert diff(in_disorder, expected.final) == []


def test_the_twin_agrees_with_who_sees_everything_at_once() -> None:
    """The oracle is told all touchpoints together and knows no order, no message and no state."""
    simulation = simulate(GENERATED.lines, TOPOLOGY)
    intake = Intake(TOPOLOGY, ORDERING, Counts())
    prepared = [prepare_line(one, TOPOLOGY) for one in GENERATED.lines]
    taken = [intake.take(Record(p.topic, 0, n, 0, p.key, p.value), []) for n, p in enumerate(prepared)]
    facts = [one.touchpoint for one in taken if isinstance(one, Accepted)]

    truth = tell(facts, TOPOLOGY, ORDERING, simulation.as_of)

    assert {row["moment_id"] for row in simulation.final["moments"]} == truth.moments.keys()
    assert {
        row["customer_id"]: frozenset(ORDERING.key(row["tenant"], one["kind"], one["value"]) for one in row["identifiers"])
        for row in simulation.final["customers"]
    } == truth.people
    assert len(simulation.final["deadletters"]) == GENERATED.garbage > 0


def test_time_can_be_moved_on_after_the_last_touchpoint() -> None:
    """What 48 hours of silence say is said at their end; and T is what was asked for."""
    lines = [line(1, "cart_add", user_id="u1")]

    before = simulate(lines, TOPOLOGY, as_of=NOON + 48 * HOUR - 1)
    after = simulate(lines, TOPOLOGY, as_of=NOON + 48 * HOUR)

    assert [row["rule"] for row in before.final["moments"]] == ["considered"]
    assert {row["rule"] for row in after.final["moments"]} == {"considered", "abandoned"}
    assert after.as_of == NOON + 48 * HOUR
    assert simulate(lines, TOPOLOGY).as_of == NOON


def test_the_clock_never_goes_back() -> None:
    """Neither for a touchpoint received earlier nor when told to."""
    twin = Twin(TOPOLOGY, lambda _: None)
    twin.feed([line(1, "search", NOON, user_id="u1")])

    twin.feed([line(2, "search", NOON - HOUR, user_id="u1")])
    twin.move_to(NOON - 2 * HOUR)

    assert twin.now == NOON


def test_everything_that_is_said_is_kept_in_its_order() -> None:
    """A late search takes back what was said before it; revisions rise; the merge is told by its kind."""
    lines = [
        line(1, "order_paid", NOON, device_id="d1"),
        line(2, "login", NOON + HOUR, device_id="d1", user_id="u1"),
        line(3, "search", NOON - HOUR, device_id="d1"),
    ]

    records = simulate(lines, TOPOLOGY, lines_at_once=1).records

    moments = [record for record in records if isinstance(record, Moment)]
    told = [(moment.action, moment.from_phase, moment.to_phase, moment.corrects) for moment in moments]
    assert told[0] == ("assert", None, "purchase", None)
    assert sorted(told[1:], key=str) == sorted(
        [("retract", None, "purchase", "late"), ("assert", None, "interest", "late"), ("assert", "interest", "purchase", "late")], key=str
    )
    assert [record.kind for record in records if isinstance(record, IdentityChange)] == ["linked"]
    by_id: dict[str, list[int]] = {}
    for moment in moments:
        by_id.setdefault(moment.moment_id, []).append(moment.revision)
    assert all(revisions == sorted(set(revisions)) for revisions in by_id.values())


def test_a_touchpoint_that_changes_nothing_about_a_journey_says_no_moment() -> None:
    """One customer record per batch, and no moment twice."""
    said: list[OutputRecord] = []
    twin = Twin(TOPOLOGY, said.append)
    twin.feed([line(1, "search", user_id="u1")])
    said.clear()

    twin.feed([line(n, "page_view", NOON + n, user_id="u1") for n in range(2, 50)])

    assert [type(record).__name__ for record in said] == ["Customer"]


def test_what_the_metrics_would_count_comes_along() -> None:
    """Late touchpoints and channels, as a worker counts them."""
    late = msgspec.json.encode({**msgspec.json.decode(line(2, "search", NOON - 30 * HOUR, user_id="u1")), "received_at": NOON})

    counted = simulate([line(1, "search", user_id="u1"), late, b"garbage"], TOPOLOGY).counted

    assert (CONSUMED, ("web",), 3) in counted
    assert (LATE, ("web",), 1) in counted


def test_nothing_in_nothing_out() -> None:
    """No line at all, or empty ones."""
    simulation = simulate([b"", b"  \n"], TOPOLOGY)

    assert simulation.records == []
    assert simulation.final == {"moments": [], "outputs": [], "customers": [], "deadletters": []}


def test_progress_counts_every_line() -> None:
    """In batches; empty lines are none."""
    seen: list[int] = []

    simulate([line(n, "search", user_id="u1") for n in range(5)] + [b" "], TOPOLOGY, lines_at_once=2, progress=seen.append)

    assert seen == [2, 2, 1]


def test_another_secret_gives_other_customer_ids_and_the_same_journeys() -> None:
    """Nobody who does not know it can guess an id."""
    lines = [line(1, "search", user_id="u1", cookie="c1")]

    ours, theirs = simulate(lines, TOPOLOGY).final, simulate(lines, TOPOLOGY, secret=b"another").final

    assert ours["customers"][0]["customer_id"] != theirs["customers"][0]["customer_id"]
    assert ours["customers"][0]["journeys"] == theirs["customers"][0]["journeys"]


def test_a_refused_merge_names_the_person_it_was_refused_with() -> None:
    """Eleven devices with touchpoints of their own log in as one user: one is refused, and the change says who both are."""
    alone = [line(n, "search", NOON + n, device_id=f"d{n}") for n in range(11)]
    together = [line(20 + n, "login", NOON + HOUR + n, device_id=f"d{n}", user_id="u1") for n in range(11)]

    simulation = simulate([line(99, "search", NOON - 1, user_id="u1"), *alone, *together], TOPOLOGY)

    (refused,) = [record for record in simulation.records if isinstance(record, IdentityChange) and record.kind == "refused"]
    active = {row["customer_id"]: len(row["identifiers"]) for row in simulation.final["customers"]}
    assert refused.rule == "merge_limit"
    assert [active[name] for name in (refused.customer_id, *refused.customers)] == [1, 11]


def test_a_person_whose_id_was_made_of_a_device_that_is_shared_now_is_split() -> None:
    """Not merged: the device's touchpoints go back to the device, and what was said of it is withdrawn as a split."""
    lines = [
        line(1, "search", NOON, device_id="kiosk"),
        line(2, "login", NOON + 1, device_id="kiosk", user_id="alice"),
        line(3, "login", NOON + 2, device_id="kiosk", user_id="bob"),
    ]

    records = simulate(lines, TOPOLOGY, lines_at_once=1).records

    changes = [record for record in records if isinstance(record, IdentityChange)]
    assert [change.kind for change in changes] == ["linked", "split", "shared"]
    assert len(changes[2].customers) == 2, "the people who share it"
    assert [record.corrects for record in records if isinstance(record, Moment) and record.action == "retract"] == ["split"]
