"""The words of matching in the topology are those that matching knows."""

from itertools import combinations

from touchstone.matching.parts import PARTS as MADE
from touchstone.matching.records import Record, make_record
from touchstone.topology.roles import PARTS, ROLES, Role, can_fill

_STATED: dict[Role, str] = {
    "given_name": "Ada",
    "family_name": "Lovelace",
    "full_name": "Ada Lovelace",
    "birth_date": "1815-12-10",
    "organisation": "Analytical Engines",
    "employer": "Analytical Engines",
    "email": "lovelace@example.org",
    "phone": "+44 20 7946 0958",
    "address": "12 St James's Square, London, SW1Y 4JH",
    "street": "12 St James's Square, London, SW1Y 4JH",
    "house_number": "12",
    "district": "St James's",
    "city": "London",
    "postcode": "SW1Y 4JH",
}


def test_every_part_can_be_made() -> None:
    """The parts that a topology may name are those of which matching makes keys, no more and no fewer."""
    assert set(PARTS) == set(MADE)


def test_a_part_is_filled_by_the_roles_that_are_said_to_fill_it() -> None:
    """For every one or two roles, `can_fill` says what records say in truth that state one or both of them."""
    for roles in [*combinations(ROLES, 1), *combinations(ROLES, 2)]:
        records = [_record(stated) for stated in [roles, *combinations(roles, 1)]]

        filled = {part for part in PARTS if any(MADE[part](record) for record in records)}

        assert {part for part in PARTS if can_fill(part, roles)} == filled, roles


def _record(roles: tuple[Role, ...]) -> Record:
    return make_record("1", {role: _STATED.get(role, "48213377") for role in roles}, {role: role for role in roles})
