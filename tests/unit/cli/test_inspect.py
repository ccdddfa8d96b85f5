"""What `inspect` puts together from the public topics, and how it shows it."""

import re
from typing import Any

import msgspec
import pytest

from tests.samples import moment_with
from touchstone.cli.dossier import Dossier, Wanted, as_json, assemble, find, former_ids, parse
from touchstone.cli.inspect import _nobody, _show
from touchstone.cli.output import Output
from touchstone.errors import UsageError
from touchstone.model.output import Customer, IdentityChange, Moment

DAY = 86_400_000


def customer(customer_id: str, *pairs: tuple[str, str], **changed: Any) -> Customer:
    """Somebody with these identifiers."""
    identifiers = tuple({"kind": kind, "value": value, "first_seen": 0, "last_seen": DAY} for kind, value in pairs)
    made = Customer(customer_id, 1, "default", "active", None, identifiers=identifiers)
    return msgspec.structs.replace(made, **changed)


def moment(moment_id: str, customer_id: str, revision: int = 1, action: str = "assert", **changed: Any) -> Moment:
    """A step to decision."""
    made = moment_with(
        moment_id=moment_id,
        revision=revision,
        action=action,
        customer_id=customer_id,
        from_phase="interest",
        to_phase="decision",
        rule="carted",
        occurred_at=DAY,
        detected_at=DAY,
        media=None,
    )
    return msgspec.structs.replace(made, **changed)


KINDS = {"email": "email", "mail": "email", "cookie": "cookie", "user_id": "user_id"}


def asked(text: str) -> Wanted:
    """What somebody asks for who knows these kinds."""
    return parse(text, KINDS)


ADA = customer("ada0ada0", ("email", "Ada@x.org"), ("cookie", "c1"))
BOB = customer("b0bb0bb0", status="merged", merged_into="ada0ada0")
OLD = customer("c01dc01d", status="merged", merged_into="b0bb0bb0")
EVERYBODY = {each.customer_id: each for each in (ADA, BOB, OLD, customer("e0ee0ee0", ("cookie", "c1"), tenant="other"))}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("email:ada@x.org", (None, "email", "ada@x.org")),
        ("acme/email:ada@x.org", ("acme", "email", "ada@x.org")),
        ("cookie:a/b:c", (None, "cookie", "a/b:c")),
        ("3F2a9c0d", (None, None, "3f2a9c0d")),
        ("mail:ada@x.org", (None, "email", "ada@x.org")),
    ],
)
def test_what_was_asked_is_read_as_identifier_or_customer_id(text: str, expected: tuple[str | None, ...]) -> None:
    """The tenant may be left out; only the first colon parts kind and value."""
    wanted = asked(text)

    assert (wanted.tenant, wanted.kind, wanted.value) == expected


def test_an_identifier_leads_to_its_customer_in_any_case_and_tenant() -> None:
    """As written first, then without regard to case; a named tenant excludes the others."""
    assert find(asked("email:Ada@x.org"), EVERYBODY) == [ADA]
    assert find(asked("email:ada@X.org"), EVERYBODY) == [ADA]
    assert [each.customer_id for each in find(asked("cookie:c1"), EVERYBODY)] == ["ada0ada0", "e0ee0ee0"]
    assert [each.customer_id for each in find(asked("other/cookie:c1"), EVERYBODY)] == ["e0ee0ee0"]
    assert find(asked("cookie:c2"), EVERYBODY) == []


def test_a_former_id_leads_to_the_one_that_stayed() -> None:
    """A chain of merges is followed to its end; an unknown id leads nowhere."""
    assert find(asked("c01dc01d"), EVERYBODY) == [ADA]
    assert find(asked("00000000"), EVERYBODY) == []
    assert [each.customer_id for each in former_ids(ADA, EVERYBODY)] == ["b0bb0bb0", "c01dc01d"]


def test_the_beginning_of_an_id_is_enough_where_it_is_nobody_elses() -> None:
    """Other commands show twelve characters; two ids that lead to one customer are no riddle."""
    long = {each: customer(each) for each in ("0123456789abcdef", "0123456789abffff", "fedcba9876543210")}
    merged = long | {"0123456789abffff": customer("0123456789abffff", status="merged", merged_into="0123456789abcdef")}

    assert find(asked("fedcba98"), long) == [long["fedcba9876543210"]]
    assert find(asked("0123456789ab"), merged) == [long["0123456789abcdef"]]
    with pytest.raises(UsageError, match="2 customer ids begin with 0123456789ab: 0123456789abcdef, 0123456789abffff; give more"):
        find(asked("0123456789ab"), long)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("emial:ada@x.org", "expected a kind of identifier of the topology, found `emial`; did you mean `email`?"),
        (":ada@x.org", "expected a kind of identifier of the topology"),
        ("email:", "expected a value behind email:, such as email:A1, found nothing"),
        ("", "expected kind:value, such as email:ada@x.org, or a customer id"),
        ("ada", "expected kind:value, such as email:ada@x.org, or a customer id"),
        ("0123456", "of which 8 of the characters 0-9 and a-f are enough"),
    ],
)
def test_what_can_be_nobodys_is_refused_with_a_sentence(text: str, said: str) -> None:
    """Before anything is read."""
    with pytest.raises(UsageError, match=re.escape(said)):
        asked(text)


def test_redirects_in_a_circle_end() -> None:
    """Whatever the topic holds, the search stops."""
    a, b = "a" * 32, "b" * 32
    circle = {a: customer(a, status="merged", merged_into=b), b: customer(b, status="merged", merged_into=a)}

    assert find(asked(a), circle) == [circle[b]]


def dossier() -> Dossier:
    """Ada, once also known as bob, who had carted; that was taken back by the merge."""
    said = [
        moment("m2", "ada0ada0", occurred_at=2 * DAY, from_phase="decision", to_phase="purchase", rule="paid"),
        moment("m1", "b0bb0bb0", 7, "retract", corrects="merge", detected_at=5 * DAY),
        moment("m1", "b0bb0bb0", 3),
        moment("m9", "e0ee0ee0"),
    ]
    changes = [
        IdentityChange(
            "c1", "merged", "default", "ada0ada0", ("b0bb0bb0",), ({"kind": "user_id", "value": "u1"},), "web/e9", "user_id", 3 * DAY
        ),
        IdentityChange("c2", "linked", "default", "e0ee0ee0", (), (), None, "cookie", 3 * DAY),
    ]
    return assemble(ADA, "b0bb0bb0", former_ids(ADA, EVERYBODY), said, changes)


def test_the_journey_holds_what_was_said_under_former_ids_and_what_was_taken_back() -> None:
    """Moments in the order in which they happened; the highest revision says whether one stands."""
    put_together = dossier()

    assert [(each.last.moment_id, each.stands, len(each.revisions)) for each in put_together.statements] == [
        ("m1", False, 2),
        ("m2", True, 1),
    ]
    assert [change.change_id for change in put_together.changes] == ["c1"]
    assert put_together.asked == "b0bb0bb0"


def test_json_has_the_field_names_of_the_contracts() -> None:
    """Programs get the customer, the former ids, the moments with `stands`, and the identity changes."""
    record = as_json(dossier())

    assert record["customer"]["customer_id"] == "ada0ada0"
    assert record["former_ids"] == ["b0bb0bb0", "c01dc01d"]
    assert [(each["moment_id"], each["stands"], each["corrects"]) for each in record["moments"]] == [
        ("m1", False, "merge"),
        ("m2", True, None),
    ]
    assert record["identity_changes"][0]["trigger"] == "web/e9"


def test_people_see_who_where_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    """The text names the identifiers, the steps with their causes, and marks with words what was taken back."""
    _show(dossier(), Output())

    text = capsys.readouterr().out
    assert "b0bb0bb0 was merged into it" in text
    assert "Ada@x.org" in text
    assert "interest → decision" in text
    assert "TAKEN BACK (merge) at 1970-01-06 00:00:00" in text
    assert "purchase: paid on web" in text


def test_who_fell_asleep_is_shown_as_dormant(capsys: pytest.CaptureFixture[str]) -> None:
    """Dormancy leads to no phase; the kind of its moment, a timeout, says nothing to whoever reads the table."""
    asleep = moment("m3", "ada0ada0", kind="timeout", from_phase="purchase", to_phase=None, rule="dormant")

    _show(assemble(ADA, None, (), [asleep], ()), Output())

    text = capsys.readouterr().out
    assert "purchase → dormant" in text
    assert "→ timeout" not in text


def test_not_found_says_what_to_try() -> None:
    """The message names the identifier and the places to look."""
    assert "touchstone tail deadletters" in _nobody(asked("email:ada@x.org"))
    assert "customer id" in _nobody(asked("abcdef01"))


PHONE = ("phone", "+49301")
ALICE = customer(
    "a11ce000",
    ("user_id", "alice"),
    shared_identifiers=({"kind": "phone", "value": "+49301", "valid_from": 0, "valid_to": 5 * DAY, "last_seen": DAY},),
)
CARL = customer(
    "ca710000",
    ("user_id", "carl"),
    shared_identifiers=({"kind": "phone", "value": "+49301", "valid_from": 5 * DAY, "valid_to": None, "last_seen": 5 * DAY},),
)
NOBODY = customer("f0000000", PHONE)
GONE = customer("900e0000", PHONE, status="merged", merged_into="a11ce000")


@pytest.mark.parametrize(("day", "expected"), [(-1, []), (0, ["a11ce000"]), (4.9, ["a11ce000"]), (5, ["ca710000"]), (100, ["ca710000"])])
def test_who_held_an_identifier_that_passed_on_is_found_by_time(day: float, expected: list[str]) -> None:
    """From the first use of one to the first use of the next; the record of the number itself, which is nobody's, is no answer."""
    people = {each.customer_id: each for each in (ALICE, CARL, NOBODY, GONE)}
    wanted = parse("phone:+49301", {"phone": "phone"})

    assert [each.customer_id for each in find(wanted, people, int(day * DAY))] == expected


def test_an_identifier_of_one_person_is_found_from_when_it_was_first_seen() -> None:
    """Also one of which no touchpoint of theirs speaks; another tenant's is another one."""
    silent = customer("51e00000", ("email", "Ada@x.org"), tenant="other")
    unseen = msgspec.structs.replace(silent, identifiers=({"kind": "email", "value": "Ada@x.org", "first_seen": None, "last_seen": None},))
    people = {each.customer_id: each for each in (ADA, unseen)}

    assert find(asked("email:Ada@x.org"), people, -1) == [unseen]
    assert find(asked("email:Ada@x.org"), people, 0) == [unseen, ADA]
    assert find(asked("default/email:Ada@x.org"), people, 0) == [ADA]


def test_people_see_what_survived_instead_of_what_and_since_when(capsys: pytest.CaptureFixture[str]) -> None:
    """A golden record with what lost and why, periods, and identifiers that were used by others too."""
    said = {"source": "crm", "occurred_at": DAY, "touchpoint": "crm/1", "channel": "store"}
    city = {
        **said,
        "name": "city",
        "value": '"Kiel"',
        "rule": "source",
        "alternatives": [{**said, "value": '"Bonn"', "source": "web", "count": 3, "lost_by": "source"}],
        "periods": [{"value": '"Kiel"', "valid_from": DAY, "valid_to": None, "sources": ["crm"]}],
    }
    alice = msgspec.structs.replace(ALICE, attributes=(city,))

    _show(assemble(alice, None, (), (), ()), Output())

    words = re.sub(r"[\s│|]+", " ", capsys.readouterr().out)
    assert '"Kiel" crm store 1970-01-02 00:00:00 source "Bonn" (web 1970-01-02 00:00:00, 3 times; source)' in words
    assert 'city "Kiel" 1970-01-02 00:00:00 crm' in words
    assert "phone +49301 1970-01-01 00:00:00 1970-01-06 00:00:00 1970-01-02 00:00:00" in words
