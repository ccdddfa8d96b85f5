"""The bench's own arithmetic: what it makes of what it sees. Its figures are no test's business."""

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from rich.console import Console

from bench.latency import Stopwatch
from bench.load import mixed, paced, recorded, registrations
from bench.report import Bar, Figure, machine, show, store
from bench.shared import shared, sharing
from bench.watch import sample_of
from touchstone.model.output import Moment

PAGE = """# HELP process_cpu_seconds_total CPU
process_cpu_seconds_total 12.5
process_resident_memory_bytes 2.097152e+06
touchstone_consumed_records_total{channel="web"} 40.0
touchstone_consumed_records_total{channel="app"} 2.0
touchstone_transactions_total{result="committed"} 7.0
touchstone_restored_records_total 0.0
touchstone_worker_state{state="starting"} 0.0
touchstone_worker_state{state="running"} 1.0
"""


def moment(action: str, event_id: str) -> Moment:
    """A moment that this touchpoint caused."""
    content: dict[str, Any] = dict.fromkeys(Moment.__struct_fields__) | {"action": action, "touchpoints": ("web/before", f"web/{event_id}")}
    return Moment(**content)


def test_a_page_is_read_as_sums_over_labels() -> None:
    """Channels are added up; the state is the one that is 1."""
    sample = sample_of(PAGE)

    assert (sample.cpu_s, sample.resident_mib, sample.consumed, sample.committed) == (12.5, 2.0, 42.0, 7.0)
    assert sample.state == "running"


def test_a_figure_is_the_median_of_its_rounds_and_held_against_its_bar() -> None:
    """One slow round does not spoil it; the spread shows it."""
    figure = Figure("rate", "1/s", (10.0, 900.0, 30.0), bar=Bar("at least", 30))

    assert figure.value == 30
    assert figure.spread == "10.0 – 900"
    assert figure.bar is not None
    assert figure.bar.is_reached(figure.value)
    assert not Bar("below", 30).is_reached(30)


def test_the_table_and_the_file_say_the_same(tmp_path: Path) -> None:
    """With the machine they were measured on, and whether each bar was reached."""
    figures = [Figure("memory", "MiB", (500.0,), "after all", Bar("below", 400)), Figure("rate", "1/s", (2.0, 4.0))]
    console = Console(record=True, width=160, quiet=True)

    show(figures, machine(), console)
    store(figures, machine(), tmp_path / "a" / "b.json")

    stored = json.loads((tmp_path / "a" / "b.json").read_text())
    assert [(figure["value"], figure["reached"]) for figure in stored["figures"]] == [(500.0, False), (3.0, None)]
    assert stored["machine"]["cores"] == machine()["cores"]


def test_a_moment_stops_the_watch_of_its_last_touchpoint_once() -> None:
    """A retraction or a second assertion is no first sight; merging ones stand apart."""
    watch = Stopwatch()
    watch.left.update({"e1": 0.0, "e2": 0.0, "e3": 0.0})
    watch.merging.add("e2")

    for said in (
        moment("assert", "e1"),
        moment("assert", "e1"),
        moment("assert", "e2"),
        moment("retract", "e3"),
        moment("assert", "other"),
    ):
        watch.saw(said)

    assert (len(watch.quiet), len(watch.merged)) == (1, 1)


def test_the_load_is_made_of_known_and_of_new_customers() -> None:
    """Every event id once, one in ten of somebody new, and nothing older than a registration."""
    lines = [msgspec.json.decode(line) for line in [*registrations(50, 0), *mixed(50, 100, 50, seed=3)]]

    known = {line["identifiers"]["cookie"] for line in lines[:50]}
    assert len({line["event_id"] for line in lines}) == 150
    assert sum(line["identifiers"]["cookie"] not in known for line in lines[50:]) == 10
    assert max(line["occurred_at"] for line in lines[:50]) < min(line["occurred_at"] for line in lines[50:])


@pytest.mark.parametrize("count", [1_000, 2_000])
def test_whoever_merges_was_there_before(count: int) -> None:
    """A cookie that logs in has been seen a thousand touchpoints earlier, alone."""
    seen: set[str] = set()

    for _, merges, touchpoint in paced(100, count, Random(1)):
        cookie = touchpoint["identifiers"]["cookie"]
        assert bool(merges) == ("user_id" in touchpoint["identifiers"])
        assert not merges or cookie in seen
        seen.add(cookie)


def test_each_copy_of_the_real_touchpoints_has_people_of_its_own() -> None:
    """Twice the touchpoints, twice the identifiers, no event id twice; the last was received when it was asked for."""
    end_ms = 1_718_020_800_000

    once, twice = (list(map(msgspec.json.decode, recorded(copies, end_ms, seed=3))) for copies in (1, 2))

    assert len(twice) == 2 * len(once) == len({line["event_id"] for line in twice})
    cookies, more = ({line["identifiers"].get("ecid") for line in lines} - {None} for lines in (once, twice))
    assert len(more) == 2 * len(cookies)
    assert max(line["received_at"] for line in twice) == "2024-06-10T12:00:00.000Z"
    assert [line["received_at"] for line in twice] == sorted(line["received_at"] for line in twice)


def test_shared_identifiers_are_several_peoples_and_always_the_same() -> None:
    """About one cookie and address in twenty, each of about four people; accounts stay, and whoever comes again shows the same."""
    plain = [msgspec.json.decode(line)["identifiers"] for line in registrations(4_000, 0)]
    mingled = [msgspec.json.decode(line)["identifiers"] for line in sharing(registrations(4_000, 0), 4_000)]

    changed = [theirs["cookie"] for ours, theirs in zip(plain, mingled, strict=True) if ours["cookie"] != theirs["cookie"]]
    assert [one["user_id"] for one in plain] == [one["user_id"] for one in mingled]
    assert 0.04 < len(changed) / len(plain) < 0.06
    assert 3 < len(changed) / len(set(changed)) < 5
    assert mingled == [msgspec.json.decode(line)["identifiers"] for line in sharing(registrations(4_000, 0), 4_000)]


def test_what_shared_identifiers_cost_is_measured_on_people_who_share() -> None:
    """Where nobody shares, no identifier is found to be nobody's; where they do, some are."""
    figures = {figure.name: figure for figure in shared(customers=400, touchpoints=100, rounds=2)}

    assert figures["identifiers found to be nobody's"].value > 0
    assert figures["identifiers found to be nobody's"].of.endswith("0 where none is shared")
    left, costs = figures["a touchpoint: speed that is left"], figures["a touchpoint, 5 % shared"]
    without = figures["a touchpoint, no identifier shared"]
    assert left.rounds == tuple(ours / theirs * 100 for ours, theirs in zip(without.rounds, costs.rounds, strict=True))
