"""A row -> a touchpoint, or why not."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.customerfile.convert import Converter, RowRefused
from touchstone.customerfile.load import load_mapping_text
from touchstone.customerfile.source import Row
from touchstone.topology.load import default_topology_path, load_topology

TOPOLOGY = load_topology(default_topology_path())
BASE = "source: crm\noccurred_at: 2026-11-01T00:00:00Z\nidentifiers: {user_id: number}\n"


def converter(more: str = "", base: str = BASE, **given_: Any) -> Converter:
    """By a mapping that says more than the base."""
    return Converter(load_mapping_text(base + more, "m.yaml", TOPOLOGY).written, **given_)


def said(how: Converter, **cells: Any) -> dict[str, Any]:
    """The touchpoint of a row with a number."""
    touchpoint: dict[str, Any] = msgspec.json.decode(how.line(Row(2, {"number": "K1"} | cells, "")))
    return touchpoint


def refused(how: Converter, **cells: Any) -> tuple[str, str]:
    """By which column, and why."""
    with pytest.raises(RowRefused) as why:
        how.line(Row(2, {"number": "K1"} | cells, ""))
    assert not any(isinstance(value, str) and len(value) > 3 and value in str(why.value) for value in cells.values()), "a value is told"
    return why.value.column, why.value.reason


def test_a_row_becomes_a_touchpoint_of_type_profile() -> None:
    """With source, channel, time, identifiers, attributes and consents; empty cells say nothing."""
    how = converter("profile: {first_name: given, city: Ort}\nconsents: {marketing: optin}\n")

    touchpoint = said(how, given=" Ada ", Ort="NULL", optin="Ja")

    assert len(touchpoint.pop("event_id")) == 32
    assert touchpoint == {
        "source": "crm",
        "channel": "back_office",
        "type": "profile",
        "occurred_at": "2026-11-01T00:00:00.000Z",
        "identifiers": [{"kind": "user_id", "value": "K1"}],
        "profile": {"first_name": "Ada"},
        "consents": {"marketing": True},
    }


@pytest.mark.parametrize(
    ("how", "cells", "value"),
    [
        ("{columns: [a, b, c]}", {"a": "Ada", "b": "", "c": "Lovelace"}, "Ada Lovelace"),
        ("{columns: [a, b], join: ', '}", {"a": "Ulm", "b": "DE"}, "Ulm, DE"),
        ("{column: a, split: ' ', part: first}", {"a": "Ada King Lovelace"}, "Ada"),
        ("{column: a, split: ' ', part: last}", {"a": "Ada King Lovelace"}, "Lovelace"),
        ("{column: a, split: ' ', part: rest}", {"a": "Ada King Lovelace"}, "King Lovelace"),
        ("{column: a, split: ' ', part: 2}", {"a": "Ada King Lovelace"}, "King"),
        ("{column: a, split: ','}", {"a": "tennis, chess,"}, ["tennis", "chess"]),
        ("{column: a, split: ' ', part: 5}", {"a": "Ada"}, None),
        ("{constant: DE}", {}, "DE"),
        ("{column: a, as: date, format: '%d.%m.%Y'}", {"a": "10.12.1985"}, "1985-12-10"),
        ("{column: a, as: date, format: ['%d.%m.%Y', '%Y-%m-%d']}", {"a": "1985-12-10"}, "1985-12-10"),
        ("{column: a, as: date}", {"a": "1985-12-10"}, "1985-12-10"),
        ("{column: a, as: time, format: '%d.%m.%Y %H:%M', zone: Europe/Berlin}", {"a": "01.07.2026 12:00"}, "2026-07-01T10:00:00.000Z"),
        ("{column: a, as: number, decimal: ','}", {"a": "1.234,5"}, 1234.5),
        ("{column: a, as: integer}", {"a": "1,234"}, 1234),
        ("{column: a, as: boolean, yes: [wahr], no: [falsch]}", {"a": "FALSCH"}, False),
        ("a", {"a": ["x", 1]}, ["x", 1]),
        ("a", {"a": 0}, 0),
        ("a", {"a": False}, False),
        ("{column: a, as: date, unreadable: leave_out}", {"a": "31.02.1985"}, None),
    ],
)
def test_an_attribute_is_made_as_the_mapping_says(how: str, cells: dict[str, Any], value: Any) -> None:
    """Names put together and taken apart, dates and numbers of any form, lists."""
    assert said(converter(f"profile: {{x: {how}}}\n"), **cells)["profile"].get("x") == value


@pytest.mark.parametrize(
    ("more", "cells", "why"),
    [
        ("", {"number": " "}, ("number", "no_identifier")),
        ("profile: {b: {column: born, as: date, format: '%d.%m.%Y'}}\n", {"born": "31.02.1985"}, ("born", "invalid_time")),
        ("profile: {b: {column: born, as: date, format: '%d.%m.%Y'}}\n", {"born": "Lovelace"}, ("born", "invalid_time")),
        ("profile: {b: {column: paid, as: number}}\n", {"paid": "much"}, ("paid", "invalid_number")),
        ("profile: {b: {column: paid, as: integer}}\n", {"paid": "1234.5"}, ("paid", "invalid_number")),
        ("consents: {marketing: optin}\n", {"optin": "perhaps"}, ("optin", "unknown_word")),
        ("profile: {city: Ort}\n", {"Ort": "M\udcfcnchen"}, ("Ort", "wrong_encoding")),
        ("row_key: line\n", {"line": ""}, ("line", "missing")),
        ("profile: {b: {columns: [x, y]}}\n", {"x": "Ada", "y": ["list"]}, ("x, y", "not_text")),
    ],
    ids=["nobody", "no such day", "no date", "no number", "no whole number", "consent", "encoding", "key", "list"],
)
def test_what_cannot_be_read_is_refused_by_column_and_reason(more: str, cells: dict[str, Any], why: tuple[str, str]) -> None:
    """A consent is never guessed, a date never mended; the value is told to nobody."""
    assert refused(converter(more), **cells) == why


def test_an_attribute_that_is_left_out_is_counted() -> None:
    """Where the mapping allows it, and not where the encoding is wrong, which concerns the whole file."""
    left: list[tuple[str, str]] = []
    how = converter("profile: {b: {column: born, as: date, unreadable: leave_out}}\n", left_out=lambda *what: left.append(what))

    assert said(how, born="yesterday")["profile"] == {}
    assert left == [("born", "invalid_time")]
    assert refused(how, born="\udcff") == ("born", "wrong_encoding")


def test_the_time_is_the_columns_else_the_constant_and_the_command_lines_before_that() -> None:
    """A nightly export says its time on the command line."""
    base = "source: crm\noccurred_at: {column: at, constant: 2026-11-01T00:00:00Z}\nidentifiers: {user_id: number}\n"

    assert said(converter(base=base), at="2026-10-01T10:00:00+02:00")["occurred_at"] == "2026-10-01T08:00:00.000Z"
    assert said(converter(base=base), at="")["occurred_at"] == "2026-11-01T00:00:00.000Z"
    assert said(converter(base=base, occurred_at=0), at="")["occurred_at"] == "1970-01-01T00:00:00.000Z"
    assert said(converter(base=base), at=1000)["occurred_at"] == "1970-01-01T00:00:01.000Z"
    assert refused(converter(base=base.replace(", constant: 2026-11-01T00:00:00Z", "")), at="") == ("at", "missing")
    assert refused(converter(base=base), at="1066-10-14T00:00:00Z") == ("at", "invalid_time")


@given(
    st.dictionaries(st.sampled_from(["city", "note", "line"]), st.text(min_size=1)), st.sampled_from(["city", "note", "line"]), st.text()
)
def test_the_same_row_is_the_same_touchpoint_and_another_row_another(cells: dict[str, str], column: str, text: str) -> None:
    """Law: the event id is a function of the row's key and of what is said, and of nothing else; columns that are not mapped do not count."""
    how = converter("row_key: number\nprofile: {city: city, line: line}\n")

    def name(row: dict[str, str]) -> dict[str, Any] | None:
        try:
            return said(how, **row)
        except RowRefused:
            return None

    one, other = name(cells), name(cells | {column: text})
    assert one == name(dict(reversed(cells.items())))
    if one is not None and other is not None:
        rest = [{key: value for key, value in each.items() if key != "event_id"} for each in (one, other)]
        assert (one["event_id"] == other["event_id"]) == (rest[0] == rest[1])


def test_a_row_key_tells_rows_apart_that_say_the_same() -> None:
    """Without it two equal rows are one touchpoint; with it, two."""
    plain, keyed = converter(), converter("row_key: [line]\n")

    assert said(plain, line="1")["event_id"] == said(plain, line="2")["event_id"]
    assert said(keyed, line="1")["event_id"] != said(keyed, line="2")["event_id"]
