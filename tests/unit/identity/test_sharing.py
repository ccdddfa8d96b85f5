"""The raw guard that keeps components small."""

from tests.unit.journey.desk import kind
from touchstone.identity.sharing import is_generic


def test_an_identifier_is_generic_past_so_many_stronger_neighbours_of_one_kind() -> None:
    """Exactly as many are allowed."""
    phone = kind("phone", guard_stronger=3)

    assert not is_generic(phone, {"email": 3}, 0)
    assert is_generic(phone, {"email": 4}, 0)


def test_stronger_neighbours_of_several_kinds_do_not_add_up() -> None:
    """A person's own cookie meets her e-mail, her loyalty card and her user id."""
    assert not is_generic(kind("cookie", guard_stronger=1), {"email": 1, "loyalty_id": 1, "user_id": 1}, 0)


def test_an_identifier_is_generic_past_so_many_weaker_neighbours() -> None:
    """A hot line has thousands of callers."""
    phone = kind("phone", guard_weaker=1000)

    assert not is_generic(phone, {}, 1000)
    assert is_generic(phone, {}, 1001)


def test_a_kind_without_a_guard_may_have_any_number_of_weaker_neighbours() -> None:
    """A user id meets every cookie of its user."""
    assert not is_generic(kind("user_id"), {}, 10**6)
