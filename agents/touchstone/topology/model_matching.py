"""Matching in topology.yaml: whose records are compared, on what, and how alike is alike enough."""

from typing import Annotated

from pydantic import Field

from touchstone.topology.roles import DEFAULT_BLOCK_LIMIT, Part, Role
from touchstone.topology.words import FileName, Name, Word, Written, unit

Block = Annotated[list[Part], Field(min_length=1, max_length=8)]


class WrittenMatching(Written):
    """Who is the same person in other words: touchpoints whose `profile` describes alike people bring these together, or before a steward.

    Without this key people are known by equal identifiers only.
    """

    attributes: dict[Word, Role] = Field(
        min_length=1,
        max_length=100,
        description="Attribute of a touchpoint's `profile` -> the role that it plays in a comparison. Of several in one role the first counts "
        "that says something.",
    )
    identifiers: dict[Name, Role] = Field(
        {},
        max_length=100,
        description="Kinds of identifiers whose value is compared as well -> its role. It counts where no attribute of that role says anything.",
    )
    blocks: Annotated[list[Block], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="Which records are compared at all: those that agree in all parts of one of these. `name` is the sound of any one name, "
        "`names` that of given and family name. Default: what fits most data.",
    )
    block_limit: int = Field(
        DEFAULT_BLOCK_LIMIT,
        ge=2,
        le=10_000,
        description="What more records than this share is no reason to compare them: the block is closed.",
        json_schema_extra=unit("records"),
    )
    accept: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="From this probability on two are one person, where no limit forbids it. Default: the model's.",
        json_schema_extra=unit("probability"),
    )
    review: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="From this probability up to `accept` a steward is asked. Default: the model's.",
        json_schema_extra=unit("probability"),
    )
    neighbours: int = Field(
        50,
        ge=1,
        le=1_000,
        description="With so many others a record is brought together at most, the likeliest first: a likeness to everybody says nothing.",
        json_schema_extra=unit("records"),
    )
    model: FileName | None = Field(
        None,
        description="What was learnt: a file of `touchstone match train`, beside this one or by a path from here. Default: what is believed of "
        "names and addresses before anything was learnt.",
    )
