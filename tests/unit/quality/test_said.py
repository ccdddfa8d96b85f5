"""Which source said what of which customer."""

import json
from typing import Any

import pytest

from touchstone.intake.lines import prepare_line
from touchstone.model.output import Customer
from touchstone.quality.said import Said, SaidReader, crosswalk
from touchstone.runtime.program import Record
from touchstone.topology.load import default_topology_path, load_topology

TOPOLOGY = load_topology(default_topology_path())


def customer(customer_id: str, *pairs: tuple[str, str], status: str = "active", tenant: str = "default") -> Customer:
    """Somebody with these identifiers."""
    identifiers = tuple({"kind": kind, "value": value, "first_seen": None, "last_seen": None} for kind, value in pairs)
    return Customer(customer_id, 1, tenant, status, None, identifiers=identifiers)


OWNERS = crosswalk(
    TOPOLOGY,
    [
        customer("ada", ("user_id", "u1"), ("email", "ada@x.org")),
        customer("kiosk", ("cookie", "c1")),
        customer("gone", ("user_id", "u9"), status="retired"),
        customer("other", ("user_id", "u1"), tenant="acme"),
    ],
)


def read(**changed: Any) -> Said | None:
    """What a touchpoint says of whom."""
    stated = {
        "event_id": "e1",
        "channel": "web",
        "type": "search",
        "occurred_at": 5,
        "identifiers": {"user_id": "u1"},
        "profile": {"city": "Ulm"},
    }
    prepared = prepare_line(json.dumps(stated | changed).encode(), TOPOLOGY)
    return SaidReader(TOPOLOGY, OWNERS).read(Record(prepared.topic, 0, 0, 0, prepared.key, prepared.value, prepared.headers))


@pytest.mark.parametrize(
    ("changed", "owner"),
    [
        ({}, "ada"),
        ({"identifiers": {"cookie": "c1", "email": " ADA@x.org "}}, "ada"),
        ({"identifiers": {"cookie": "c1", "loyalty_id": "nobody knows it"}}, "kiosk"),
        ({"tenant": "acme"}, "other"),
        ({"identifiers": {"user_id": "u9"}}, None),
        ({"identifiers": {"shoe_size": "44"}}, None),
        ({"channel": "wbe"}, None),
    ],
    ids=["by its identifier", "by the strongest", "by the strongest known", "of its tenant", "retired", "nobody", "refused"],
)
def test_a_touchpoint_counts_for_whom_its_strongest_known_identifier_leads_to(changed: dict[str, Any], owner: str | None) -> None:
    """In its normal form; what intake refuses says nothing."""
    said = read(**changed)

    assert (None if said is None else said.customer_id) == owner


def test_it_says_what_its_source_said_and_when() -> None:
    """The source is the channel where none is named."""
    assert read() == Said("ada", "web", (5, "web", "e1"), {"city": "Ulm"})
    assert read(source="crm") == Said("ada", "crm", (5, "crm", "e1"), {"city": "Ulm"})
