"""Which records are compared at all: those that share a block key, made from parts of the record as the topology says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from touchstone.matching.parts import PARTS
from touchstone.matching.records import IDENTIFIERS, Record
from touchstone.topology.roles import DEFAULT_BLOCK_LIMIT

Positions = NDArray[np.int64]

Block = tuple[str, ...]
"""The parts that make the keys of one kind of block: records that agree in all of them meet."""

Made = tuple[tuple[str, ...], Callable[..., Sequence[str]]]
"""The columns that a part is made of, and how."""

BLOCK_LIMIT = 100
"""A block with more records than this is closed: what so many share says nothing, and its pairs would be too many."""


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
    values = record.values
    needed, fillable = _within_reach(tuple(blocks), tuple(values))
    parts = [made(*[values.get(column, "") for column in columns]) for columns, made in needed]
    keys: list[str] = []
    for begin, first, others in fillable:
        begun = [begin + value for value in parts[first]]
        for other in others:
            begun = [f"{start}|{value}" for start in begun for value in parts[other]]
        keys += begun
    return list(dict.fromkeys(keys))


@lru_cache(maxsize=4_096)
def _within_reach(blocks: tuple[Block, ...], columns: tuple[str, ...]) -> tuple[list[Made], list[tuple[str, int, list[int]]]]:
    """What a record with these columns can be asked for. Most records have the same columns, and lack most of those there are.

    First the parts that it may have, then per block that these can fill how its keys begin, and the places of the parts that it needs.
    """
    some = [part for part, made in PARTS.items() if not set(made.reads).isdisjoint(columns)]
    needed = list(dict.fromkeys(part for block in blocks if set(block) <= set(some) for part in block))
    place = {part: number for number, part in enumerate(needed)}
    fillable = [
        ("|".join((*block, "")), place[block[0]], [place[part] for part in block[1:]]) for block in blocks if place.keys() >= set(block)
    ]
    return [(PARTS[part].reads, PARTS[part].made) for part in needed], fillable


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
