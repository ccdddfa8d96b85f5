"""Two orders of identifiers."""

from dataclasses import replace

from tests.unit.journey.desk import kinds
from touchstone.identity.ordering import Ordering

NAMES = [f"default/{kind}:{n}" for kind in ("user_id", "email", "cookie") for n in range(20)]


def test_strength_follows_the_rank_of_the_kind_first() -> None:
    """Then a hash, so that no value is preferred for how it is spelled."""
    ordered = sorted(NAMES, key=Ordering(kinds()).strength)

    assert [name.split("/")[1].split(":")[0] for name in ordered] == ["user_id"] * 20 + ["email"] * 20 + ["cookie"] * 20
    assert ordered[:20] != NAMES[:20]


def test_hooks_do_not_know_ranks() -> None:
    """A change of ranks in a new topology must not turn a pointer round: a circle would never be left."""
    turned = {name: replace(kind, rank=9 - kind.rank) for name, kind in kinds().items()}

    before, after = Ordering(kinds()), Ordering(turned)

    assert [before.hook(name) for name in NAMES] == [after.hook(name) for name in NAMES]
    assert sorted(NAMES, key=before.hook) != sorted(NAMES, key=before.strength)


def test_a_secret_of_ones_own_changes_where_roots_lie() -> None:
    """Nobody outside can steer it."""
    mine, theirs = Ordering(kinds(), b"mine"), Ordering(kinds(), b"theirs")

    assert sorted(NAMES, key=mine.hook) != sorted(NAMES, key=theirs.hook)
    assert mine.digest("x") != theirs.digest("x")


def test_the_partition_of_an_identifier_never_changes() -> None:
    """State lies there: golden values."""
    ordering = Ordering(kinds())

    assert [ordering.partition(name, 12) for name in NAMES[:6]] == [2, 9, 2, 1, 7, 1]


def test_tenants_are_apart() -> None:
    """The same value of two tenants is two identifiers."""
    ordering = Ordering(kinds())

    assert ordering.hook("one/email:ada@x.org") != ordering.hook("two/email:ada@x.org")
