"""What block keys are made of: what of a record two people may have in common though the rest is spoilt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from touchstone.matching.dates import turned
from touchstone.matching.names import sound
from touchstone.matching.records import IDENTIFIERS, Record

MOST_WORDS = 6
"""So many words of a name bring it into blocks, the first ones: a block of several parts has the product of their words as keys."""

_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a block key: the columns that it reads, and what it makes of their values, empty where the record lacks one.

    A record that lacks all of these columns lacks the part.
    """

    reads: tuple[str, ...]
    made: Callable[..., Sequence[str]]

    def __call__(self, record: Record) -> Sequence[str]:
        """The part of a record: nothing, one text, or several."""
        return self.made(*[record.values.get(column, "") for column in self.reads])


def _words(name: str) -> list[str]:
    return [word for word in name.split()[:MOST_WORDS] if len(word) > 1]


@lru_cache(maxsize=_REMEMBERED)
def _heard(name: str) -> tuple[str, ...]:
    return tuple(sound(word) for word in _words(name))


@lru_cache(maxsize=_REMEMBERED)
def _begun(name: str) -> tuple[str, ...]:
    return tuple(word[:3] for word in _words(name))


@lru_cache(maxsize=_REMEMBERED)
def _ended(name: str) -> tuple[str, ...]:
    return tuple(word[-3:] for word in _words(name))


def _sounds(given: str, family: str) -> list[str]:
    return list(dict.fromkeys(_heard(given) + _heard(family)))


def _starts(given: str, family: str) -> list[str]:
    return list(dict.fromkeys(_begun(given) + _begun(family)))


def _ends(given: str, family: str) -> list[str]:
    return list(dict.fromkeys(_ended(given) + _ended(family)))


def _whole_name(given: str, family: str) -> list[str]:
    return ["+".join(sorted((sound(given), sound(family))))] if given and family else []


def _sounding(words: str) -> list[str]:
    return [sound(words)] if words else []


def _born(date: str) -> list[str]:
    return [min(date, turned(date))] if date else []


def _year(date: str) -> list[str]:
    return [date[:4]] if date else []


def _day(date: str) -> list[str]:
    return ["".join(sorted((date[4:6], date[6:])))] if date else []


def _first_word(words: str) -> list[str]:
    first = words.split(maxsplit=1)[:1]
    return [sound(first[0])] if first else []


def _local(email: str) -> list[str]:
    return [local] if len(local := email.partition("@")[0]) > 4 else []


def _line(phone: str) -> list[str]:
    """The last seven digits: the subscriber's own, however country and area are written."""
    return [phone[-7:]] if phone else []


def _company(organisation: str) -> list[str]:
    return [sound(word) for word in organisation.split()[:MOST_WORDS]]


def _itself(value: str) -> list[str]:
    return [value] if value else []


_NAME = ("given", "family")

PARTS: Mapping[str, Part] = {
    "name": Part(_NAME, _sounds),
    "name_start": Part(_NAME, _starts),
    "name_end": Part(_NAME, _ends),
    "district": Part(("district",), _sounding),
    "names": Part(_NAME, _whole_name),
    "birth_date": Part(("birth_date",), _born),
    "birth_year": Part(("birth_date",), _year),
    "birth_day": Part(("birth_date",), _day),
    "street": Part(("street",), _first_word),
    "house_number": Part(("number",), _itself),
    "city": Part(("city",), _sounding),
    "postcode": Part(("postcode",), _itself),
    "email": Part(("email",), _itself),
    "email_name": Part(("email",), _local),
    "phone": Part(("phone",), _line),
    "organisation": Part(("organisation",), _company),
    "employer": Part(("employer",), _first_word),
    **{role: Part((role,), _itself) for role in IDENTIFIERS},
}
"""What a block key may be made of. `name` is the sound of any one name, so given and family name may be exchanged; `names` is the sound of
both in alphabetical order; `birth_date` is the same for day and month in either order."""
