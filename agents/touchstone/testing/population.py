"""The invented people behind generated touchpoints, with every identifier that is truly theirs."""

from dataclasses import dataclass
from random import Random

Pair = tuple[str, str]
"""Kind and value of an identifier."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented. `anonymous` are the devices and cookies that only this person uses; `shared` devices have other users too."""

    number: int
    known: tuple[Pair, ...]
    anonymous: tuple[Pair, ...]
    shared: tuple[Pair, ...]

    @property
    def identifiers(self) -> frozenset[str]:
        """What truly belongs to this person and to nobody else, as `kind:value`."""
        return frozenset(f"{kind}:{value}" for kind, value in self.known + self.anonymous)


def invent(count: int, random: Random, *, sharing: float) -> list[Person]:
    """Invent people: all with a user id, most with an e-mail, some with a card or phone, one to five devices and cookies each.

    Args:
        count: how many.
        random: decides everything, so that the same seed gives the same people.
        sharing: which part of them also uses a device of a group (a kiosk, a family tablet).
    """
    people = []
    for number in range(count):
        known: list[Pair] = [("user_id", f"u{number}")]
        if random.random() < 0.8:
            known.append(("email", f"person{number}@example.org"))
        if random.random() < 0.4:
            known.append(("loyalty_id", f"card-{number:08d}"))
        if random.random() < 0.3:
            known.append(("phone", f"+4930{2_000_000 + number}"))
        anonymous: list[Pair] = [("cookie", f"ck-{number}-{n}") for n in range(random.randint(1, 3))]
        anonymous += [("device_id", f"dev-{number}-{n}") for n in range(random.randint(0, 2))]
        shared: tuple[Pair, ...] = (("device_id", f"kiosk-{random.randrange(max(1, count // 20))}"),) if random.random() < sharing else ()
        people.append(Person(number, tuple(known), tuple(anonymous), shared))
    return people
