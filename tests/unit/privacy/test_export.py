"""Told on the twin: complete for one person, and nothing of anybody else, whoever shares what with her."""

import json
import re
from dataclasses import replace

import msgspec
import pytest

from tests.unit.privacy.world import ALICE, TOPOLOGY, World, line
from touchstone.model.output import Moment
from touchstone.privacy.document import Export
from touchstone.privacy.page import page_of
from touchstone.simulate import LINES_AT_ONCE
from touchstone.stewardship.access import lines_of, said_on
from touchstone.stewardship.holdings import holdings
from touchstone.testing.generator import Mix, generate
from touchstone.topology.compile import Consent, Output

BOB = {"user_id": "bob-23", "email": "bob@secret.example"}
DEVICE = {"device_id": "dev-9"}
FAMILY = [
    line("a1", "11:00", "search", ALICE | DEVICE, profile={"city": "Bonn"}, consents={"marketing": True}),
    line("d1", "11:03", "cart_add", DEVICE, properties={"product": "a ring"}),
    line("b1", "11:05", "ad_view", BOB | DEVICE, profile={"given_name": "Robertissimo"}),
    line("a2", "11:10", "cart_add", ALICE | {"cookie": "ck-a"}, profile={"city": "Kiel"}, properties={"friend": "Bob@Secret.example"}),
    line("b2", "11:12", "order_paid", BOB, properties={"order": "bobs-order"}),
]
OF_BOB = ("bob", "robertissimo", "secret.example", "a ring", "d1", "b1", "b2")


def test_on_a_shared_device_she_sees_what_she_did_and_nothing_of_the_other() -> None:
    """D6. The device is named as one that several use; what was done with it alone may be his, and what was concluded from that, too."""
    world = World(FAMILY)

    export = world.export(world.of("user_id", "alice-17"))

    assert [(each.kind, each.value, each.is_shared) for each in export.identifiers] == [
        ("cookie", "ck-a", False),
        ("user_id", "alice-17", False),
        ("device_id", "dev-9", True),
    ]
    assert [touchpoint.event_id for touchpoint in export.touchpoints] == ["a1", "a2"]
    assert export.touchpoints[1].properties == {"friend": "[withheld]"}
    assert [(each["name"], each["value"]) for each in export.attributes] == [("city", '"Kiel"')]
    assert [each["granted"] for each in export.consents[0]["statements"]] == [True]
    assert [(moment.to_phase, moment.touchpoints, moment.stands) for moment in export.moments] == [
        ("interest", ("web/a1",), True),
        ("decision", ("web/a2",), True),
    ]
    text = (msgspec.json.encode(export).decode() + page_of(export)).lower()
    assert [word for word in OF_BOB if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)] == []


def test_a_conclusion_that_was_hers_until_the_device_was_shared_is_not_handed_out() -> None:
    """It was said of her id, and taken back because the touchpoint that had caused it may be somebody else's."""
    world = World(FAMILY)
    alice = world.of("user_id", "alice-17")

    taken_back = [record for record in said_on(lines_of(TOPOLOGY)[0], world.records) if record.action == "retract"]

    assert {record.touchpoints for record in taken_back if record.customer_id == alice.customer_id} == {("web/d1",)}
    assert not any("web/d1" in moment.touchpoints for moment in world.export(alice).moments)


def test_whose_a_touchpoint_was_that_is_gone_nobody_can_say() -> None:
    """Past the retention it is not known any more that it was another's: what was taken back for it as people were split stays hidden."""
    world = World(FAMILY)
    alice = world.of("user_id", "alice-17")
    held = holdings(world.twin, alice.customer_id)
    assert held is not None
    assert held.foreign_keys == {"web/d1", "web/b1", "web/b2"}

    export = world.export(alice, msgspec.structs.replace(held, foreign_keys=frozenset()))

    assert not any("web/d1" in moment.touchpoints for moment in export.moments)
    assert len(export.moments) == 2


def test_what_anothers_touchpoint_had_caused_is_hidden_whatever_it_was_taken_back_for() -> None:
    """The cause is no sign of whose it was: what is held says that."""
    world = World(FAMILY)
    alice = world.of("user_id", "alice-17")
    world.records = [
        msgspec.structs.replace(record, corrects="late") if isinstance(record, Moment) and record.corrects == "split" else record
        for record in world.records
    ]

    export = world.export(alice)

    assert not any("web/d1" in moment.touchpoints for moment in export.moments)
    assert len(export.moments) == 2


def test_a_touchpoint_with_a_number_that_is_nobodys_is_hers_by_her_cookie() -> None:
    """Three people have the telephone number, so it unites none of them; the cookie that she used with it is hers alone."""
    number = {"phone": "+493012345678"}
    users = [line(f"u{n}", f"10:0{n}", "login", {"user_id": f"user-{n}"} | number) for n in range(3)]
    mine = [
        line("c1", "11:00", "login", {"user_id": "user-0", "cookie": "ck-0"}),
        line("c2", "11:01", "search", {"cookie": "ck-0"} | number),
    ]
    world = World([*users, *mine])

    export = world.export(world.of("user_id", "user-0"))

    assert [touchpoint.event_id for touchpoint in export.touchpoints] == ["u0", "c1", "c2"]


def test_nobody_can_spoil_anothers_document_by_calling_himself_as_its_fields_are_called() -> None:
    """Whoever shares a device with her may have any id; the document keeps its form, and the page its sections."""
    words = ("name", "value", "source", "topic", "purpose", "granted", "event_id", "touchpoint", "statements", "None", "profile")
    others = [line(f"o{n}", "11:06", "search", {"user_id": word} | DEVICE) for n, word in enumerate(words)]
    plain, spoilt = World(FAMILY), World([*FAMILY, *others])

    exports = [world.export(world.of("user_id", "alice-17")) for world in (plain, spoilt)]

    assert [each.event_id for each in exports[1].touchpoints] == ["a1", "a2"]
    assert [each["value"] for each in exports[1].attributes] == ['"Kiel"']
    assert msgspec.convert(msgspec.to_builtins(exports[1]), Export) == exports[1]
    assert page_of(exports[1]).count("<h2") == page_of(exports[0]).count("<h2") == 10


def test_ids_that_producers_and_stewards_make_up_may_hold_a_name_too() -> None:
    """Another's identifier in an event id, a type or a command's id is withheld as everywhere."""
    split = {"command_id": "split-bob-23", "action": "split", "at": "2024-05-01T12:00:00Z", "who": "ann", "why": "two"}
    pair = {"identifiers": {"cookie": "ck-a"}, "others": {"user_id": "alice-17"}}
    call = line("call-bob-23-1", "11:30", "complaint_about bob-23", ALICE | {"cookie": "ck-a"})
    world = World([*FAMILY, call, json.dumps(split | pair).encode()])

    export = world.export(world.of("user_id", "alice-17"))

    assert [(each.event_id, each.type) for each in export.touchpoints][-1] == ("call-[withheld]-1", "complaint_about [withheld]")
    assert "split-[withheld]" in {change.command for change in export.identity_changes}
    assert "bob" not in msgspec.json.encode(export).decode()


def test_what_was_taken_back_of_her_own_is_there_with_its_cause() -> None:
    """She was said to have given up after two days; then an order turned up that she had paid before."""
    late = line("a3", "11:20", "order_paid", ALICE, received_at="2024-05-04T00:00:00Z")
    later = line("x", "11:00", "page_view", {"cookie": "else"}, received_at="2024-05-03T23:00:00Z")
    world = World([*FAMILY, later, late])

    export = world.export(world.of("user_id", "alice-17"))

    (gone,) = [moment for moment in export.moments if not moment.stands]
    assert (gone.rule, gone.to_phase, gone.why) == ("abandoned", "interest", "late")
    assert gone.taken_back_at is not None
    assert [(each.topic, each.purpose, each.asserted, each.taken_back) for each in export.recipients] == [
        ("customers.v1", None, None, None),
        ("moments.v1", None, 3, 1),
        ("identities.v1", None, None, None),
    ]
    assert [moment.to_phase for moment in export.moments if moment.stands] == ["interest", "decision", "purchase"]


def test_each_recipient_is_named_with_its_purpose_and_what_stands_there() -> None:
    """She consented, was told to the marketing output, and withdrew: there it was taken back, the moment itself stands; the plain output has it."""
    marketing = Output("marketing", "marketing-moments.v1", None, None, None, "marketing")
    plain = Output("steps", "steps.v1", None, frozenset({"transition"}), None)
    topology = replace(TOPOLOGY, outputs=(marketing, plain), consents={"marketing": Consent()})
    yes = line("a1", "11:00", "search", ALICE, consents={"marketing": True})
    no = line("a2", "11:30", "page_view", ALICE, consents={"marketing": False})
    world = World([yes, no], topology=topology)

    export = world.export(world.of("user_id", "alice-17"))

    assert [(each.topic, each.purpose, each.asserted, each.taken_back) for each in export.recipients] == [
        ("customers.v1", None, None, None),
        ("moments.v1", None, 1, 0),
        ("marketing-moments.v1", "marketing", 0, 1),
        ("steps.v1", None, 1, 0),
    ]
    assert [(each.granted, each.counts, each.touchpoint) for each in export.statements] == [
        (True, False, "web/a1"),
        (False, True, "web/a2"),
    ]
    (moment,) = export.moments
    assert [(by.topic, by.stands, by.why) for by in moment.carried_by] == [
        ("moments.v1", True, None),
        ("marketing-moments.v1", False, "consent_withdrawn"),
        ("steps.v1", True, None),
    ]


def test_her_former_ids_are_hers_and_a_change_of_who_is_who_names_no_other() -> None:
    """Two who became one see both ids; that a device became shared is said without whom it was shared with."""
    before = [line("c1", "09:00", "search", {"cookie": "ck-a"}), line("c2", "08:00", "search", {"loyalty_id": "L-7"})]
    union = line("c3", "12:00", "login", ALICE | {"loyalty_id": "L-7"})
    world = World([*before, *FAMILY, union])

    export = world.export(world.of("user_id", "alice-17"))

    assert len(export.former_ids) >= 1
    by_kind = {change.kind: change for change in export.identity_changes}
    assert by_kind["shared"].identifiers == ({"kind": "device_id", "value": "dev-9"},)
    assert by_kind["shared"].trigger is None
    assert set(by_kind["merged"].former_ids) <= set(export.former_ids)
    assert {"alice-17", "L-7", "ck-a"} == {each.value for each in export.identifiers if not each.is_shared}


def test_who_shares_nothing_gets_everything_that_she_said() -> None:
    """Profile, context and properties as they came in, values that are no text as well."""
    said = {"profile": {"n": 1, "tags": ["a", None]}, "context": {"ip": "192.0.2.1"}, "properties": {"order": {"id": "o1", "sum": 3.5}}}
    world = World([line("a1", "11:00", "order_paid", ALICE, sentiment=-0.5, **said)])

    (touchpoint,) = world.export(world.of("user_id", "alice-17")).touchpoints

    assert {"profile": touchpoint.profile, "context": touchpoint.context, "properties": touchpoint.properties} == said
    assert touchpoint.sentiment == pytest.approx(-0.5)


def test_of_five_hundred_touchpoints_everyone_gets_her_own_and_nobody_anothers_identifiers() -> None:
    """Kiosks, placeholders, duplicates and stewards' splits: all that is handed out names one person; together it is all that is held."""
    generated = generate(600, 21, mix=Mix(login=0.4, sharing=0.6, per_person=8, commands=0.05))
    world = World(list(generated.lines), at_once=LINES_AT_ONCE)
    pattern = re.compile(
        r"(?<![\w@-])(?:ck-\d+-\d+|dev-\d+-\d+|card-\d{8}|u\d+|person\d+@example\.org|\+4930\d{7})(?![\w-])", re.IGNORECASE
    )
    handed_out = 0
    for customer in world.active():
        held = holdings(world.twin, customer.customer_id)
        assert held is not None
        handed_out += len(held.sightings)
        assert len(held.sightings) == world.person(customer.customer_id).owned[0]
        own = {row["value"].lower() for row in customer.identifiers}
        export = world.export(customer)
        shared = {each.value.lower() for each in export.identifiers if each.is_shared}

        named = {value.lower() for value in pattern.findall(msgspec.json.encode(export).decode() + page_of(export))}

        assert named <= own | shared
        assert {touchpoint.event_id for touchpoint in export.touchpoints} == {s.touchpoint.event_id for s in held.sightings}
    rows = [row for stores in world.twin.stores for root in stores["journey"].groups() for _, row in stores["journey"].scan(root, "t")]
    assert handed_out == sum(row.variant is not None for row in rows) > 400
