"""The golden record in topology.yaml: which value of an attribute survives, and what is derived from attributes."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from touchstone.topology.words import Attribute, Condition, Number, Word, Words, Written, WrittenSilence, fault

EVERY = "*"
"""In place of a name: all attributes that have no entry of their own."""

Criterion = Literal["most_recent", "most_frequent", "longest"]


def _criteria(value: Any) -> Any:
    if isinstance(value, str | dict):
        value = [value]
    if not isinstance(value, list):
        raise fault(f"expected rules such as [{{source: [crm, web]}}, most_recent], found {value!r:.60}")
    return [{"rule": one} if isinstance(one, str) else one for one in value]


class WrittenCriterion(Written):
    """One rule of survivorship: a word (`most_recent`), or an order of sources or channels."""

    rule: Criterion | None = Field(
        None,
        description="`most_recent`: what was said last, in event time. `most_frequent`: what most touchpoints say. `longest`: the longest text. "
        "A word that stands alone is short for this key.",
    )
    source: Words | None = Field(None, max_length=100, description="What the first of these sources says; others come behind all of them.")
    channel: Words | None = Field(
        None, max_length=100, description="What was said on the first of these channels; others come behind all of them."
    )


Criteria = Annotated[
    list[WrittenCriterion],
    BeforeValidator(_criteria, json_schema_input_type=Criterion | WrittenCriterion | list[Criterion | WrittenCriterion]),
    Field(min_length=1, max_length=10),
]


class WrittenDerivation(Written):
    """An attribute that nobody states: it follows from others, or from touchpoints. Exactly one of `age_of`, `number_of`, `cases`, `collect`."""

    age_of: Word | None = Field(
        None,
        description="The attribute that holds a date (`1990-05-31`): the whole years since then choose the band, and change with time.",
    )
    number_of: Word | None = Field(None, description="The attribute that holds a number, which chooses the band.")
    bands: Annotated[dict[Word, Number], Field(max_length=100)] | None = Field(
        None,
        description="Bands in rising order, each with where it begins: `{minor: 0, young: 18, adult: 30}`. What lies below the first has none.",
    )
    cases: Annotated[dict[Word, dict[Word, Condition]], Field(max_length=100)] | None = Field(
        None,
        description="Values with conditions on attributes, such as `{premium: {income_band: high}}`; the first whose conditions all hold is it. "
        "Of an attribute with several values one is enough.",
    )
    collect: Attribute | None = Field(
        None, description="What to collect: `product` means properties.product of the touchpoints of `add`. The value is a list."
    )
    add: WrittenSilence | None = Field(None, description="The touchpoints that put what they name into the collection.")
    remove: WrittenSilence | None = Field(None, description="The touchpoints that take what they name out of it. Default: none.")


class WrittenAttribute(Written):
    """An attribute of the golden record: which of the values that were said survives. What loses is kept and shown beside it.

    Attributes without an entry follow `"*"`; without that, what was said last counts, and nothing else is kept.
    """

    by: Criteria = Field(
        "most_recent",  # type: ignore[arg-type]  # as its author would write it; the validator makes a list of it
        description="The rules, in their order: where one leaves a tie, the next decides. In the end it is what was said last.",
    )
    multi: bool = Field(
        False,
        description="Several values may hold at once, each from when until when: a source's next statement replaces what that source said "
        "before, and a value ends when no source holds it any more. A list states several; an empty one, none.",
    )
    derive: WrittenDerivation | None = Field(None, description="Not stated, but derived.")


Entries = Annotated[dict[Word, WrittenAttribute], Field(max_length=500)]
"""`attributes:` by name."""
