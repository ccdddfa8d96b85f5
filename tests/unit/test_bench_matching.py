"""The yardstick of matching: sets with their truth, measures that stand on their own definition, and a run from end to end."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from itertools import combinations, islice, pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.matching import published as published_sets
from bench.matching.crowd import crowd
from bench.matching.errors import FEW, MANY, record_of
from bench.matching.invented import Invention, invented
from bench.matching.measure import Quality, Scores, agreement, quality
from bench.matching.people import CROWDED, Society, people
from bench.matching.places import COUNTRIES, Places
from bench.matching.published import labels_of_fake_1000, published
from bench.matching.result import Report, Result
from bench.matching.sheet import GIVEN, RECORD_ID, Laid, published_ids_in, rows_in, truth_in
from bench.matching.stage import Stages, measure
from bench.matching.told import Told
from bench.matching.tool import Tool, run, write_pairs
from bench.report import machine
from touchstone.errors import Unavailable
from touchstone.observe.metrics import LIKENESSES

ROOT = Path(__file__).parents[2]
PEOPLE = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=12)


def by_definition(truth: dict[str, str], found: dict[str, str]) -> Quality:
    """The measures written down once more, straight from their definitions: slow, and with nothing in common with measure.py."""
    pairs = list(combinations(truth, 2))
    true = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    said = {pair for pair in pairs if found[pair[0]] == found[pair[1]]}
    true_sets, said_sets = ({frozenset(record for record in who if who[record] == name) for name in who.values()} for who in (truth, found))
    mine = {record: {other for other in truth if truth[other] == truth[record]} for record in truth}
    told = {record: {other for other in truth if found[other] == found[record]} for record in truth}
    return Quality(
        Scores(len(true & said) / len(said) if said else 1.0, len(true & said) / len(true) if true else 1.0),
        Scores(len(true_sets & said_sets) / len(said_sets), len(true_sets & said_sets) / len(true_sets)),
        Scores(
            sum(len(mine[record] & told[record]) / len(told[record]) for record in truth) / len(truth),
            sum(len(mine[record] & told[record]) / len(mine[record]) for record in truth) / len(truth),
        ),
    )


@given(PEOPLE)
def test_the_measures_are_what_their_definitions_say(answers: list[tuple[str, str]]) -> None:
    """For any truth and any answer, pairs, clusters and B-cubed agree with an implementation that shares nothing with them."""
    truth = {str(number): who for number, (who, _) in enumerate(answers)}
    found = {str(number): as_whom for number, (_, as_whom) in enumerate(answers)}

    measured, expected = quality(truth, found), by_definition(truth, found)

    for name in ("pairs", "clusters", "b_cubed"):
        ours, theirs = getattr(measured, name), getattr(expected, name)
        assert (ours.precision, ours.recall) == pytest.approx((theirs.precision, theirs.recall))


def test_an_answer_that_lacks_a_record_is_no_answer() -> None:
    """A tool that drops what it finds hard must not gain by it."""
    with pytest.raises(ValueError, match="1 are in none"):
        quality({"1": "a", "2": "a"}, {"1": "x"})


def test_judged_pairs_count_alone() -> None:
    """Of three judged pairs one was found rightly, one wrongly, one was missed."""
    found = {"1": "x", "2": "x", "3": "x", "4": "y"}

    scores = agreement([("1", "2", True), ("1", "3", False), ("1", "4", True)], found)

    assert scores == Scores(0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "records", "who"),
    [("febrl1", 1_000, 500), ("febrl2", 5_000, 4_000), ("febrl3", 5_000, 2_000), ("febrl4", 10_000, 5_000), ("fake_1000", 1_000, 251), ("senzing", 159, 85)],
)  # fmt: skip
def test_published_sets_have_as_many_people_as_their_publishers_say(name: str, records: int, who: int, tmp_path: Path) -> None:
    """Every record is read once, with the truth that was published."""
    laid = Laid(tmp_path)

    laid.write(next(sheet for sheet in published() if sheet.name == name))

    assert (laid.records, laid.people, len(truth_in(tmp_path))) == (records, who, records)


def test_without_the_number_the_number_is_not_handed_out(tmp_path: Path) -> None:
    """What a set leaves out is in no file that a tool gets."""
    Laid(tmp_path).write(next(sheet for sheet in published() if sheet.name == "febrl1, no SSN"))

    assert all("soc_sec_id" not in (tmp_path / name).read_text(encoding="utf-8") for name in GIVEN)


def test_neither_ids_nor_order_tell_who_is_who(tmp_path: Path) -> None:
    """FEBRL's ids name the person, and in fake_1000 one person's records stand together: a tool sees neither."""
    for name in ("febrl1", "fake_1000"):
        laid = Laid(tmp_path / name)
        laid.write(next(sheet for sheet in published() if sheet.name == name))
        truth = truth_in(laid.folder)
        owners = [truth[row[RECORD_ID]] for row in rows_in(laid.folder)]

        assert list(truth) == [str(number) for number in range(1_000)]
        assert sum(one == other for one, other in pairwise(owners)) < 20


def test_clerks_and_clusters_of_fake_1000_speak_of_the_same_records(tmp_path: Path) -> None:
    """Each labelled record is one of the set."""
    Laid(tmp_path).write(next(sheet for sheet in published() if sheet.name == "fake_1000"))

    labels = list(labels_of_fake_1000())

    assert len(labels) == 3_176
    assert {record for left, right, _ in labels for record in (left, right)} <= published_ids_in(tmp_path).keys()


def test_a_seed_gives_the_same_people_and_another_seed_others() -> None:
    """Figures of two runs are comparable."""
    once, again, other = (list(Invention("x", "x", 200, seed=seed).rows()) for seed in (7, 7, 8))

    assert once == again
    assert once != other


def test_every_country_is_written_as_there(tmp_path: Path) -> None:
    """Native sets are in their script, but for the records that came in Latin letters; the others are in Latin letters."""
    for code, country in COUNTRIES.items():
        names = [row["family_name"] for _, row in Invention(code, "x", 200, (code,)).rows()]
        latin = sum(name.isascii() for name in names) / len(names)
        assert (0.02 < latin < 0.3) if country.is_native else latin > 0.5, (code, latin)


def test_a_large_set_waits_in_memory_no_more_than_a_small_one() -> None:
    """The first record comes long before the last person was invented."""
    half_a_million = next(sheet for sheet in invented() if sheet.name == "people 500k")

    first = list(islice(half_a_million.read(), 3))

    assert [row[RECORD_ID] for _, row in first] == ["0", "1", "2"]


def test_records_of_one_person_do_not_stand_together() -> None:
    """A tool that believed in the order of the file would be wrong."""
    owners = [who for who, _ in Invention("x", "x", 1_000).rows()]

    neighbours = sum(one == other for one, other in pairwise(owners))

    assert neighbours < 20


def test_more_errors_leave_less_of_the_truth() -> None:
    """Every kind of error is in the records, and a name is in each."""
    random = Random(1)
    places = Places("de", random)
    somebody = list(islice(people(places, Society(), random, ""), 300))

    few, many = ([record_of(person, errors, random) for person in somebody] for errors in (FEW, MANY))

    def untouched(rows: list[dict[str, str]]) -> int:
        return sum(
            row["given_name"] == person.given.written and row["birth_date"] == person.birth_date.isoformat()
            for person, row in zip(somebody, rows, strict=True)
        )

    assert untouched(few) > 1.5 * untouched(many) > 0
    assert all(row["given_name"] and row["family_name"] for row in few + many)
    dates = [(person.birth_date.isoformat(), row["birth_date"]) for person, row in zip(somebody, many, strict=True)]
    assert any(said == f"{true[:4]}-{true[8:]}-{true[5:7]}" != true for true, said in dates)


def test_a_crowded_society_has_what_misleads() -> None:
    """Twins, namesakes under one roof, and telephone numbers of somebody else."""
    random = Random(1)

    crowd = list(islice(people(Places("fr", random), CROWDED, random, ""), 500))
    neighbours = [(one, other) for one, other in pairwise(crowd) if one.homes == other.homes]

    assert any(one.birth_date == other.birth_date and one.given != other.given for one, other in neighbours)
    assert any(one.given == other.given and one.birth_date != other.birth_date for one, other in neighbours)
    numbers = [number for person in crowd for number in set(person.phones)]
    assert len(numbers) > len(set(numbers))


def test_the_crowd_has_companies_and_mailboxes_of_many() -> None:
    """Both are what misleads in Senzing's set; a seed gives the same crowd, and another seed another."""
    rows = list(crowd(600).read())
    owners: dict[str, set[str]] = {}
    for who, row in rows:
        owners.setdefault(row["email"], set()).add(who)

    assert len(rows) == 600
    assert 0.2 < sum("given_name" not in row for _, row in rows) / 600 < 0.4
    assert sum(bool(email) and len(who) > 1 for email, who in owners.items()) > 20
    assert rows == list(crowd(600).read()) != list(crowd(600, seed=1).read())


def test_whoever_is_taught_gets_true_pairs_of_both_kinds(tmp_path: Path) -> None:
    """Nothing else is told, and what is told is true."""
    Laid(tmp_path).write(Invention("x", "x", 400).sheet())

    write_pairs(tmp_path, tmp_path, Random(1))

    truth = truth_in(tmp_path)
    with (tmp_path / "pairs.csv").open(newline="", encoding="utf-8") as file:
        told = list(csv.reader(file))
    assert {answer for _, _, answer in told} == {"match", "distinct"}
    assert all((truth[left] == truth[right]) == (answer == "match") for left, right, answer in told)


def test_a_tool_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    """And it never saw the truth."""
    Laid(tmp_path).write(Invention("x", "x", 20).sheet())

    with pytest.raises(Unavailable, match="Nobody ended with code 1"):
        run(Tool("Nobody", "bench.matching.nobody"), Path(sys.executable), tmp_path, 60)

    assert sorted(path.name for path in (tmp_path / "Nobody").iterdir()) == sorted(GIVEN)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has only part of the repository is told what is missing and what brings it back."""
    monkeypatch.setattr(published_sets, "DATA", tmp_path)

    with pytest.raises(Unavailable, match=r"fake_1000\.csv, found no such file; `git checkout`"):
        next(next(sheet for sheet in published() if sheet.name == "fake_1000").read())


def test_a_promise_is_held_against_touchstone_alone(tmp_path: Path) -> None:
    """F1 and precision must both be reached; a peer has promised nothing; what could not be run is named beside the table."""
    sheet = next(sheet for sheet in published() if sheet.name == "fake_1000")  # F1 at least .956, precision at least .97
    told = Told("1", cpu_s=3.0, wall_s=4.0, peak_mib=100.0, learned_s=1.0)

    def scored(precision: float, recall: float) -> Quality:
        return Quality(Scores(precision, recall), Scores(1, 1), Scores(1, 1))

    good = Result(sheet, 1_000, 251, "Touchstone", scored(0.98, 0.96), told, is_promised=True)
    imprecise = Result(sheet, 1_000, 251, "Touchstone", scored(0.96, 0.99), told, is_promised=True)
    incomplete = Result(sheet, 1_000, 251, "Touchstone", scored(0.99, 0.90), told, is_promised=True)
    peer = Result(sheet, 1_000, 251, "Splink", scored(0.5, 0.5))
    report = Report([good, imprecise, incomplete, peer], ["dedupe: it does not install"])
    console = Console(file=StringIO(), record=True, width=200)

    report.show(machine(), console)
    report.store(machine(), tmp_path / "figures.json")

    assert [result.is_reached for result in report.results] == [True, False, False, None]
    assert good.records_per_cpu_s == 500
    assert "left out: dedupe: it does not install" in console.export_text()
    stored = json.loads((tmp_path / "figures.json").read_text())
    assert [result["reached"] for result in stored["results"]] == [True, False, False, None]


@pytest.mark.slow
def test_the_quick_bench_prints_a_table_and_stores_it(tmp_path: Path) -> None:
    """Touchstone on a published and an invented set; the exit code says whether what was promised was reached."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'agents'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "bench.matching", "--quick", "--tools", "Touchstone", "--store", str(tmp_path / "figures.json")]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250, check=False)

    stored = json.loads((tmp_path / "figures.json").read_text())
    assert [result["set"] for result in stored["results"]] == ["senzing", "people, quick"], done.stderr
    assert all(0.5 < result["pairs"]["f1"] <= 1 for result in stored["results"])
    assert stored["left_out"] == []
    assert all(result["set"] in done.stdout for result in stored["results"])
    assert done.returncode == int(not all(result["reached"] for result in stored["results"]))


def test_what_was_filled_in_is_met_by_what_is_measured(tmp_path: Path) -> None:
    """The same rows: who comes again in other records is found among the known, whatever the size of a batch."""
    rows = [row for _, row in Invention("stage", "records", 120, ("de",)).rows()]
    again = [row | {RECORD_ID: str(1_000 + number)} for number, row in enumerate(rows[:40])]

    with Stages(tmp_path) as stages:
        stages.fill(iter(rows), until=120)
        assert stages.counts.of(LIKENESSES, "accepted") == 0
        cost = measure(stages, iter(again), records=40, batch=15)

    assert (cost.known, cost.records, stages.known) == (120, 40, 160)
    assert cost.counted["alike"] >= 1, "each of them resembles at least herself"
    assert cost.counted["pairs"] >= cost.counted["alike"]
    assert cost.counted["compared"] > 1
    assert 0 < cost.p50_ms <= cost.p99_ms
