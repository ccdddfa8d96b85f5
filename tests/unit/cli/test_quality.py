"""`touchstone quality` of files: through the offline twin."""

import json
from pathlib import Path
from typing import Any

import pytest

from touchstone.cli.main import main

TOPOLOGY = """\
version: 1
name: small
channels: {web: {}, back_office: {}}
identifiers: {user_id: {unique: true}, cookie: {persons: 1}}
attributes: {shoe_size: {by: longest}}
journeys:
  purchase:
    phases: [interest]
    rules: [{name: local, when: {type: search, where: {profile.city: Ulm}}, to: interest}]
"""
EVENTS = [
    ("e1", "web", "2026-03-01T10:00:00Z", {"cookie": "c1"}, {"city": "Ulm"}),
    ("e2", "web", "2026-03-02T10:00:00Z", {"cookie": "c1", "user_id": "u1"}, {}),
    ("e3", "back_office", "2026-03-11T10:00:00Z", {"user_id": "u1"}, {"city": "Bonn", "birth_date": "2030-01-01"}),
    ("e4", "back_office", "2026-03-11T10:00:00Z", {"user_id": "u2"}, {"city": "Ulm", "shoe_size": 38}),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A topology and touchpoints of two people, one of whom is known by a cookie at first; the command runs beside them."""
    lines = [
        {"event_id": event_id, "channel": channel, "type": "search", "occurred_at": at, "identifiers": who, "profile": profile}
        for event_id, channel, at, who, profile in EVENTS
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    (tmp_path / "topology.yaml").write_text(TOPOLOGY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(("quality", *arguments, "--topology", "topology.yaml"))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def rows(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str | None], dict[str, Any]]:
    """What a program is told, by attribute and source."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {(row["attribute"], row["source"]): row for row in found}


def test_what_a_stranger_said_counts_for_the_customer_he_turned_out_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cookie's city is the shop's statement about u1, and the back office contradicts it."""
    assert run("events.jsonl", "--output", "json") == 0

    found = rows(capsys)
    assert {key: found["city", None][key] for key in ("customers", "stated", "compared", "agreed", "age_days_median", "as_of")} == {
        "customers": 2,
        "stated": 2,
        "compared": 1,
        "agreed": 0,
        "age_days_median": 0,
        "as_of": "2026-03-11T10:00:00.000Z",
    }
    assert (found["city", "web"]["customers"], found["city", "web"]["age_days_median"], found["city", "web"]["golden"]) == (1, 10, 0)
    assert (found["city", "back_office"]["stated"], found["city", "back_office"]["golden"]) == (2, 2)
    assert (found["birth_date", None]["completeness"], found["birth_date", None]["validity"]) == (0.5, 0.0), "a birth that is to come"


def test_the_table_shows_each_attribute_with_its_sources(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people; only the attributes that were asked for."""
    assert run("events.jsonl", "--attribute", "city", "--as-of", "2026-03-21T10:00:00Z") == 0

    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["city", "2", "100.0", "%", "100.0", "%", "0.0", "%", "1", "10", "10"],
        ["back_office", "2", "100.0", "%", "100.0", "%", "0.0", "%", "1", "2", "10", "10"],
        ["web", "1", "100.0", "%", "100.0", "%", "0.0", "%", "1", "0", "20", "20"],
    ]


def test_a_customer_file_is_judged_before_it_is_sent(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its mapping; rows that would be refused are no customers."""
    (folder / "customers.csv").write_text("number,city\nK1,Ulm\nK2,unknown\nK3,\n,Bonn\n")
    (folder / "mapping.yaml").write_text(
        "source: crm\noccurred_at: 2026-03-01T00:00:00Z\nidentifiers: {user_id: number}\nprofile: {city: city}\n"
    )

    assert run("customers.csv", "--mapping", "mapping.yaml", "--output", "json") == 0

    city = rows(capsys)["city", "crm"]
    assert (city["customers"], city["stated"], city["valid"]) == (3, 2, 1)


def test_metrics_name_only_attributes_that_the_topology_names(folder: Path) -> None:
    """`city` stands in a rule, `shoe_size` under `attributes`; `birth_date` is a producer's word, and no producer can grow the number of series."""
    assert run("events.jsonl", "--metrics", "quality.prom") == 0

    series = [line for line in (folder / "quality.prom").read_text().splitlines() if not line.startswith("#")]
    assert series == [
        'touchstone_attribute_completeness_ratio{attribute="city"} 1.0',
        'touchstone_attribute_completeness_ratio{attribute="shoe_size"} 0.5',
        'touchstone_attribute_validity_ratio{attribute="city"} 1.0',
        'touchstone_attribute_validity_ratio{attribute="shoe_size"} 1.0',
        'touchstone_attribute_agreement_ratio{attribute="city"} 0.0',
        'touchstone_attribute_age_days{attribute="city"} 0.0',
        'touchstone_attribute_age_days{attribute="shoe_size"} 0.0',
        "touchstone_quality_customers 2.0",
    ]


def test_a_sample_is_the_same_each_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Customers are chosen by their ids; nobody is in no sample."""
    many = [
        {
            "event_id": f"e{n}",
            "channel": "web",
            "type": "search",
            "occurred_at": 0,
            "identifiers": {"user_id": f"u{n}"},
            "profile": {"city": "Ulm"},
        }
        for n in range(200)
    ]
    (folder / "many.jsonl").write_text("\n".join(json.dumps(line) for line in many))

    counts = []
    for share in ("0.3", "0.3", "0.6"):
        assert run("many.jsonl", "--sample", share, "--output", "json") == 0
        counts.append(rows(capsys)["city", None]["customers"])

    assert 30 < counts[0] == counts[1] < 90
    assert counts[0] < counts[2] < 180


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("events.jsonl", "--form", "city"), "expected ATTRIBUTE=FORM"),
        (("events.jsonl", "--form", "city=citi"), "expected a form"),
        (("--mapping", "mapping.yaml"), "name it as FILE"),
        (("events.jsonl", "--metrics", "none/quality.prom"), "cannot be written"),
    ],
    ids=["form", "no form", "mapping", "metrics"],
)
def test_what_makes_no_sense_is_refused(folder: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with what was expected."""
    assert run(*arguments) == 2

    assert message in capsys.readouterr().err
