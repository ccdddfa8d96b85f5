"""Reviews at the command line, on files; on a live system: tests/kafka/test_review.py."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from touchstone.cli.explain import explain
from touchstone.cli.identity import identity
from touchstone.cli.output import Output
from touchstone.cli.review import review
from touchstone.cli.simulate import simulate
from touchstone.errors import UsageError

RULED = ["--who", "ann", "--why", "same handwriting"]
TOPOLOGY = """\
version: 1
name: shop
channels: {web: {}, store: {}}
identifiers: {user_id: {unique: true}, email: {normalise: email}, loyalty_id: {}}
matching:
  attributes: {first: given_name, last: family_name, born: birth_date, street: street, town: city}
  accept: 0.95
  review: 0.1
"""
ADA = {"first": "Ada", "last": "Lovelace", "born": "1985-12-10", "street": "12 St James Square", "town": "London"}


def line(number: int, profile: dict[str, str], **identifiers: str) -> str:
    """One touchpoint."""
    stated = {"event_id": f"e{number}", "channel": "store", "type": "profile", "occurred_at": f"2026-03-02T0{number}:00:00Z"}
    return json.dumps(stated | {"identifiers": identifiers, "profile": profile})


@pytest.fixture
def source(tmp_path: Path) -> list[str]:
    """Ada twice, who is one; Adah at number 14, who may be she; and Bob."""
    adah = {"first": "Adah", "last": "Lovelace", "street": "14 St James Square", "town": "London"}
    told = [
        line(1, ADA, email="ada@x.org"),
        line(2, ADA, loyalty_id="L7"),
        line(3, adah, loyalty_id="L8"),
        line(4, {"first": "Bob", "last": "Miller", "town": "Leeds"}, loyalty_id="L9"),
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(told) + "\n")
    (tmp_path / "t.yaml").write_text(TOPOLOGY)
    return ["--file", str(tmp_path / "events.jsonl"), "--topology", str(tmp_path / "t.yaml")]


def run(command: click.Command, *words: object) -> Result:
    """Run a command in this process as `main` would."""
    result = CliRunner().invoke(command, [str(word) for word in words], obj=Output(), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def rows(command: click.Command, *words: object) -> list[dict[str, Any]]:
    """What it says to programs."""
    return [json.loads(text) for text in run(command, *words, "--output", "json").stdout.splitlines()]


def pairs(found: list[dict[str, Any]]) -> list[list[str]]:
    """Of whom they ask."""
    return [sorted(each["value"] for each in one["identifiers"]) for one in found]


def test_open_reviews_are_listed_the_likeliest_first(source: list[str]) -> None:
    """By whom they ask, and how likely; a limit and a probability cut the list, and the text says so."""
    found = rows(review, "list", *source)
    text = run(review, "list", *source).stdout

    assert sorted(pairs(found)) == [["L7", "L8"], ["L8", "ada@x.org"]]
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
    assert {one["status"] for one in found} == {"open"}
    assert len(rows(review, "list", "--limit", "1", *source)) == 1
    assert rows(review, "list", "--min-score", "0.99", *source) == []
    assert "loyalty_id:L8" in text
    assert "street +" in text
    assert "no open reviews from 0.99 on" in run(review, "list", "--min-score", "0.99", *source).stdout
    assert "1 more review; --limit shows them" in run(review, "list", "--limit", "1", *source).stderr


def test_a_review_is_shown_side_by_side_with_bars(source: list[str]) -> None:
    """The values of both, whose they are, the weight of each attribute, and the sum that is the score."""
    asked = next(one for one in rows(review, "list", *source) if pairs([one]) == [["L7", "L8"]])

    (told,) = rows(review, "show", asked["review_id"][:6], *source)
    text = run(review, "show", asked["review_id"], *source).stdout

    sides = {side["identifier"]: side for side in told["sides"]}
    assert sides["loyalty_id:L8"]["values"]["given"] == "adah"
    assert sides["loyalty_id:L7"]["identifiers"] == ["email:ada@x.org", "loyalty_id:L7"]
    weights = {each["feature"]: each["bits"] for each in told["comparison"]["evidence"]}
    total = sum(weights.values()) + told["comparison"]["prior"] - told["comparison"]["household"]
    assert total == pytest.approx(told["comparison"]["score"], abs=0.01)
    assert told["comparison"]["probability"] == pytest.approx(asked["score"], abs=1e-6)
    assert "undecided because of score: they are alike, but less than matching.accept asks for" in text
    (street,) = (one for one in text.splitlines() if one.startswith("street"))
    assert "│██" in street
    (before,) = (one for one in text.splitlines() if "before anything was compared" in one)
    assert "▒│" in before


def test_accepting_makes_one_person_and_rejecting_keeps_two(source: list[str]) -> None:
    """By the review's id, or by its two identifiers; `touchstone review` and `touchstone identity` have the same commands."""
    asked = next(one for one in rows(review, "list", *source) if pairs([one]) == [["L7", "L8"]])

    (accepted,) = rows(review, "accept", asked["review_id"][:8], *RULED, *source)
    (rejected,) = rows(identity, "reject", "email:ada@x.org", "loyalty_id:L7", *RULED, *source)

    assert (len(accepted["before"]), len(accepted["after"])) == (2, 1)
    changes = [(each["kind"], each["rule"]) for each in accepted["records"] if each["record"] == "identity"]
    assert changes == [("merged", "accept")]
    answers = {each["review_id"]: (each["status"], each["command"]) for each in accepted["records"] if each["record"] == "review"}
    assert answers[asked["review_id"]] == ("accepted", accepted["command"]["command_id"])
    assert (len(rejected["before"]), len(rejected["after"])) == (1, 2)
    assert [(each["kind"], each["rule"]) for each in rejected["records"] if each["record"] == "identity"] == [("split", "reject")]


def test_an_answer_in_the_file_closes_the_review(source: list[str]) -> None:
    """It is listed under its status, and no longer among those that wait; undoing it opens it again."""
    asked = next(one for one in rows(review, "list", *source) if pairs([one]) == [["L7", "L8"]])
    (tried,) = rows(review, "reject", asked["review_id"], "--id", "r1", *RULED, *source)
    file = Path(source[1])
    file.write_text(file.read_text() + json.dumps(tried["command"]) + "\n")

    (answered,) = rows(review, "list", "--status", "rejected", *source)
    (undone,) = rows(identity, "undo", "r1", *RULED, *source)

    assert (answered["review_id"], answered["command"]) == (asked["review_id"], "r1")
    assert asked["review_id"] not in {one["review_id"] for one in rows(review, "list", *source)}
    assert (asked["review_id"], "open") in {(each.get("review_id"), each.get("status")) for each in undone["records"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["loyalty_id:L7"], "expected the id of a review, or two identifiers such as email:ada@x.org, found 1 words"),
        (["abcdef", "loyalty_id:L7"], "expected the id of a review, or two identifiers"),
        (["loyalty_id:L7", "loyalty_id:L8", "loyalty_id:L9"], "expected the id of a review, or two identifiers"),
        (["ffffff"], "expected the id of a review, found none that begins with 'ffffff'"),
        (["fff"], "expected at least 6 characters of a review's id"),
    ],
)
def test_what_is_no_review_cannot_be_answered(source: list[str], words: list[str], said: str) -> None:
    """In a sentence."""
    with pytest.raises(UsageError, match=said):
        run(review, "accept", *words, *RULED, *source)


def test_where_nothing_is_compared_there_is_nothing_to_list(source: list[str]) -> None:
    """The topology is named."""
    Path(source[3]).write_text(TOPOLOGY[: TOPOLOGY.index("matching")])

    for words in (["list"], ["show", "abcdef"]):
        with pytest.raises(UsageError, match="expected `matching` in the topology shop, found none"):
            run(review, *words, *source)


def test_explain_shows_how_alike_two_are(source: list[str]) -> None:
    """As a step of the way, with its probability and the weight of every attribute; in text with bars."""
    (told,) = rows(explain, "identity", "email:ada@x.org", "loyalty_id:L7", *source)
    text = run(explain, "identity", "email:ada@x.org", "loyalty_id:L7", *source).stdout

    (step,) = told["path"]
    assert (told["verdict"], step["by"], step["refused"]) == ("one", "likely", None)
    assert step["probability"] > 0.99
    assert {each["feature"] for each in step["comparison"]["evidence"]} == {"given", "family", "birth_date", "number", "street", "city"}
    assert step["comparison"]["score"] == pytest.approx(step["score"])
    assert "look alike: +" in text
    assert "│█" in text


def test_explain_shows_the_likeness_that_was_not_enough(source: list[str]) -> None:
    """Refused by `score`, in words; of one identifier and of two."""
    (told,) = rows(explain, "identity", "loyalty_id:L8", *source)
    (pair,) = rows(explain, "identity", "loyalty_id:L8", "loyalty_id:L7", *source)
    text = run(explain, "identity", "loyalty_id:L8", *source).stdout

    assert {(step["by"], step["refused"]) for step in told["refused"]} == {("likely", "score")}
    assert len(told["refused"]) == 2
    assert (pair["verdict"], [step["refused"] for step in pair["path"]]) == ("two", ["score"])
    assert "score: they are alike, but less than matching.accept asks for" in text


def test_simulate_counts_reviews_and_names_them_to_programs(source: list[str]) -> None:
    """As part of the final view; whose they were, and when it was found, is no part of it."""
    words = [source[1], "--topology", source[3]]

    told = [one for one in rows(simulate, *words) if one["record"] == "review"]

    assert {(one["status"], "customers" in one) for one in told} == {("open", False)}
    assert len(told) == 2
    assert re.search(r"^reviews: open +2 *$", run(simulate, *words).stdout, re.MULTILINE)
