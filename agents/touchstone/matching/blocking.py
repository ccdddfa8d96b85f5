"""Which records are compared at all: those that share a block key, made from parts of the record as the topology says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from touchstone.matching.dates import turned
from touchstone.matching.names import sound
from touchstone.matching.records import IDENTIFIERS, Record
from touchstone.topology.roles import DEFAULT_BLOCK_LIMIT

Positions = NDArray[np.int64]

Block = tuple[str, ...]
"""The parts that make the keys of one kind of block: records that agree in all of them meet."""

BLOCK_LIMIT = 100
"""A block with more records than this is closed: what so many share says nothing, and its pairs would be too many."""

MOST_WORDS = 6
"""So many words of a name bring it into blocks, the first ones: a block of several parts has the product of their words as keys."""


def _names(record: Record) -> list[str]:
    words = [word for column in ("given", "family") for word in record.values.get(column, "").split()[:MOST_WORDS]]
    return [word for word in words if len(word) > 1]


def _sounds(record: Record) -> list[str]:
    return list(dict.fromkeys(sound(word) for word in _names(record)))


def _starts(record: Record) -> list[str]:
    return list(dict.fromkeys(word[:3] for word in _names(record)))


def _ends(record: Record) -> list[str]:
    return list(dict.fromkeys(word[-3:] for word in _names(record)))


def _district(record: Record) -> list[str]:
    return [sound(words)] if (words := record.values.get("district", "")) else []


def _whole_name(record: Record) -> list[str]:
    given, family = (record.values.get(column, "") for column in ("given", "family"))
    return ["+".join(sorted((sound(given), sound(family))))] if given and family else []


def _born(record: Record) -> list[str]:
    date = record.values.get("birth_date", "")
    return [min(date, turned(date))] if date else []


def _year(record: Record) -> list[str]:
    date = record.values.get("birth_date", "")
    return [date[:4]] if date else []


def _day(record: Record) -> list[str]:
    date = record.values.get("birth_date", "")
    return ["".join(sorted((date[4:6], date[6:])))] if date else []


def _street(record: Record) -> list[str]:
    words = record.values.get("street", "").split()
    return [sound(words[0])] if words else []


def _city(record: Record) -> list[str]:
    city = record.values.get("city", "")
    return [sound(city)] if city else []


def _local(record: Record) -> list[str]:
    return [local] if len(local := record.values.get("email", "").partition("@")[0]) > 4 else []


def _line(record: Record) -> list[str]:
    """The last seven digits: the subscriber's own, however country and area are written."""
    return [phone[-7:]] if (phone := record.values.get("phone", "")) else []


def _company(record: Record) -> list[str]:
    return [sound(word) for word in record.values.get("organisation", "").split()[:MOST_WORDS]]


def _works(record: Record) -> list[str]:
    return [sound(words[0])] if (words := record.values.get("employer", "").split()) else []


def _valued(column: str) -> Callable[[Record], list[str]]:
    return lambda record: [value] if (value := record.values.get(column, "")) else []


PARTS: Mapping[str, Callable[[Record], Sequence[str]]] = {
    "name": _sounds,
    "name_start": _starts,
    "name_end": _ends,
    "district": _district,
    "names": _whole_name,
    "birth_date": _born,
    "birth_year": _year,
    "birth_day": _day,
    "street": _street,
    "house_number": _valued("number"),
    "city": _city,
    "postcode": _valued("postcode"),
    "email": _valued("email"),
    "email_name": _local,
    "phone": _line,
    "organisation": _company,
    "employer": _works,
    **{role: _valued(role) for role in IDENTIFIERS},
}
"""What a block key may be made of. `name` is the sound of any one name, so given and family name may be exchanged; `names` is the sound of
both in alphabetical order; `birth_date` is the same for day and month in either order."""

DEFAULT_BLOCKS: tuple[Block, ...] = (
    *((role,) for role in IDENTIFIERS),
    ("email",),
    ("email_name",),
    ("phone",),
    ("birth_date",),
    ("name",),
    ("names",),
    ("name", "postcode"),
    ("name", "street"),
    ("name", "district"),
    ("name", "city"),
    ("name", "birth_day"),
    ("name", "birth_year", "city"),
    ("name_start", "birth_year"),
    ("name_start", "birth_day"),
    ("name_start", "city"),
    ("name_start", "postcode"),
    ("name_end", "birth_year"),
    ("name_end", "birth_day"),
    ("birth_year", "postcode"),
    ("birth_year", "house_number"),
    ("birth_year", "district"),
    ("birth_day", "postcode"),
    ("birth_day", "city"),
    ("birth_day", "street"),
    ("house_number", "street"),
    ("house_number", "postcode"),
    ("district", "city"),
    ("district", "postcode"),
    ("name", "employer"),
    ("organisation", "postcode"),
    ("organisation", "street"),
    ("organisation", "phone"),
)
"""Ways to meet that need no setting: a pair is missed only where an error lies in every one of them."""

STREAM_BLOCKS: tuple[Block, ...] = (
    *((role,) for role in IDENTIFIERS),
    ("email",),
    ("phone",),
    ("birth_date", "name_start"),
    ("birth_date", "city"),
    ("names",),
    ("names", "birth_year"),
    ("names", "birth_day"),
    ("names", "city"),
    ("name", "postcode"),
    ("house_number", "street", "name_start"),
    ("organisation", "postcode"),
    ("organisation", "phone"),
    ("name", "employer"),
)
"""For a stream, where every key is a record on a topic: few ways to meet, each so telling that it stays small among 400,000 records."""

STREAM_BLOCK_LIMIT = DEFAULT_BLOCK_LIMIT
"""The same as BLOCK_LIMIT for a stream: a record is compared with so many of one block at most. Measured among 400,000 records: blocks of ten
show 1.65 records of the same person and 4.4 others, blocks of a hundred 1.66 and 16. Twice ten, so that whom a dozen sources describe still meets
herself where her e-mail address is."""


def block_keys(record: Record, blocks: Sequence[Block] = DEFAULT_BLOCKS) -> list[str]:
    """The keys of the blocks that a record is in. A part that the record lacks makes no key: emptiness brings nobody together."""
    parts: dict[str, Sequence[str]] = {}
    keys: dict[str, None] = {}  # a set that keeps the order
    for block in blocks:
        every: list[Sequence[str]] = []
        for part in block:
            found = parts.get(part)
            if found is None:
                found = parts[part] = PARTS[part](record)
            if not found:
                break
            every.append(found)
        else:
            name = "|".join(block)
            if len(every) == 1:
                keys.update((f"{name}|{value}", None) for value in every[0])
            else:
                keys.update(("|".join((name, *values)), None) for values in product(*every))
    return list(keys)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs to compare, as positions in the list of records, `left` below `right`, each once; and how many blocks were closed."""

    left: Positions
    right: Positions
    closed: int

    def __len__(self) -> int:
        return len(self.left)


def candidates(records: Sequence[Record], blocks: Sequence[Block] = DEFAULT_BLOCKS, limit: int = BLOCK_LIMIT) -> Candidates:
    """All pairs that share an open block; the same for any order of the records, but for the positions."""
    members: dict[str, list[int]] = {}
    for position, record in enumerate(records):
        for key in block_keys(record, blocks):
            members.setdefault(key, []).append(position)
    found: list[Positions] = [np.empty(0, dtype=np.int64)]
    closed = 0
    for block in members.values():
        if len(block) > limit:
            closed += 1
        elif len(block) > 1:
            one, other = _combinations(len(block))
            positions = np.array(block, dtype=np.int64)
            found.append(positions[one] * len(records) + positions[other])
    pairs = np.unique(np.concatenate(found))
    return Candidates(pairs // max(len(records), 1), pairs % max(len(records), 1), closed)


@lru_cache(maxsize=1024)
def _combinations(size: int) -> tuple[Positions, Positions]:
    one, other = np.triu_indices(size, 1)
    return one, other
