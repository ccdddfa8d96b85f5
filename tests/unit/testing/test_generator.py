"""The generator's own truth: same seed, same bytes; every trouble it promises is in there."""

import itertools
import json
from collections import Counter
from typing import Any

from touchstone.testing.generator import DAY, Generated, Mix, customers, generate


def parsed(generated: Generated) -> list[dict[str, Any]]:
    """The lines that are whole touchpoints."""
    rows = []
    for line in generated.lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and str(row.get("event_id", "")).startswith("e"):
            rows.append(row)
    return rows


def pairs(row: dict[str, Any]) -> set[str]:
    """Identifiers of a line as `kind:value` in normal form."""
    written = row["identifiers"]
    listed = written.items() if isinstance(written, dict) else [(each["kind"], each["value"]) for each in written]
    return {f"{'cookie' if kind == 'ecid' else kind}:{value.lower() if kind == 'email' else value}" for kind, value in listed}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    """Runs can be repeated exactly."""
    assert generate(500, 7) == generate(500, 7)
    assert generate(500, 7).lines != generate(500, 8).lines


def test_there_are_exactly_as_many_lines_as_asked_for() -> None:
    """Duplicates, conflicts and garbage are part of the number, and no line holds a line break."""
    for count in (0, 1, 10, 1_000):
        lines = generate(count, 3).lines
        assert len(lines) == count
        assert all(line and b"\n" not in line for line in lines)


def test_every_trouble_is_in_there() -> None:
    """Duplicates of both sorts, garbage, disorder, late and skewed touchpoints, blocked values, shared devices, several channels."""
    generated = generate(5_000, 1)
    rows = parsed(generated)
    by_id = Counter(row["event_id"] for row in rows)
    occurred = [row["occurred_at"] for row in rows]

    assert generated.garbage == 25
    assert len(rows) == 5_000 - 25
    assert any(count > 1 for count in by_id.values())
    assert any("/changed" in str(row) for row in rows)
    assert occurred != sorted(occurred)
    assert any("sent_at" in row for row in rows)
    assert any("test@test.com" in str(row) for row in rows)
    assert any("kiosk-" in str(row) for row in rows)
    assert len({row["channel"] for row in rows}) >= 6
    assert {type(row["identifiers"]) for row in rows} == {dict, list}


def test_lines_come_in_the_order_of_their_arrival() -> None:
    """`received_at` never goes back among whole lines, although `occurred_at` does."""
    received = [row["received_at"] for row in parsed(generate(2_000, 5))]

    assert received == sorted(received)


def test_the_known_people_own_every_identifier_but_the_shared_and_blocked_ones() -> None:
    """Each private identifier belongs to exactly one person: that is the truth to measure against."""
    generated = generate(3_000, 2)
    owners = Counter(identifier for person in generated.people for identifier in person.identifiers)
    seen = set().union(*(pairs(row) for row in parsed(generated)))

    unowned = {identifier for identifier in seen if identifier not in owners}

    assert set(owners.values()) == {1}
    assert all(
        "kiosk-" in identifier or identifier.split(":")[1] in {"", "test@test.com", "0000000000", "null", "anonymous"}
        for identifier in unowned
    )


def test_a_mix_without_trouble_has_none() -> None:
    """With every share at zero all lines are whole, unique and promptly received."""
    calm = Mix(duplicate=0, conflict=0, garbage=0, disordered=0, late=0, blocked=0, skewed=0, sharing=0)
    rows = parsed(generate(1_000, 4, mix=calm, span_ms=DAY))

    assert len({row["event_id"] for row in rows}) == 1_000
    assert not any("kiosk-" in str(row) or "sent_at" in row for row in rows)


def test_customers_are_introduced_once_and_then_known() -> None:
    """The stream for measuring: each customer first, in full, then touchpoints with identifiers that were seen before."""
    lines = [json.loads(line) for line in customers(50, 200, 1)]
    introduced = set(itertools.chain.from_iterable(map(pairs, lines[:50])))

    assert len(lines) == 250
    assert len(introduced) == 150
    assert all(pairs(line) <= introduced for line in lines[50:])
    assert lines == [json.loads(line) for line in customers(50, 200, 1)]
