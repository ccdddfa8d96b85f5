"""A story as its author writes it: every key with its meaning and default. docs/reference/scenarios.md teaches the same."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from touchstone.scenario.moments import moment_pattern
from touchstone.scenario.times import FIRST_DAY_MS, time_ms
from touchstone.topology.quantity import Size, Span

MOST_PERMUTED = 6
"""720 orders; one more would be 5,040."""


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("touchstone", "{text}", {"text": message})


def _time(value: Any) -> Any:
    try:
        time_ms(str(value), FIRST_DAY_MS)
    except ValueError as wrong:
        raise _fault(str(wrong)) from None
    return str(value)


def _moment(value: Any) -> Any:
    if not isinstance(value, str) or moment_pattern().fullmatch(value) is None:
        raise _fault(
            "expected a moment such as `start -> interest 09:00 searched, skipping awareness` "
            f"(from -> to time rule[, kind][, skipping phases][, cycle N][, on channel][, corrects cause][, provisional]), found `{value!s:.80}`"
        )
    return value


def _identifiers(value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        raise _fault("expected identifiers such as {user_id: u1, cookie: [c1, c2]}, found something else")
    return value


def _people(value: Any) -> Any:
    if isinstance(value, list):
        return [_identifiers(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _fault("expected a list of people, each a map of identifiers, or how many they are")


def _raw(value: Any) -> Any:
    if not isinstance(value, str | dict):
        raise _fault("expected the text of a line, or a map to be written as JSON")
    return value


def _counts(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, dict) and all(isinstance(one, int) and not isinstance(one, bool) for one in value.values()):
        return value
    raise _fault("expected a number, or numbers by label such as {web: 3} or {email blocked: 10}")


def _permuted(value: Any) -> Any:
    if value == "all" or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return value
    raise _fault("expected `all`, or a list of event ids such as [t5, t6, t7]")


Time = Annotated[str, BeforeValidator(_time)]
MomentText = Annotated[str, BeforeValidator(_moment)]
Identifiers = Annotated[dict[str, Any], BeforeValidator(_identifiers)]
People = Annotated[Any, BeforeValidator(_people)]
Raw = Annotated[Any, BeforeValidator(_raw)]
CountsByLabel = Annotated[Any, BeforeValidator(_counts)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(_Part):
    """One touchpoint, or `repeat` similar ones, or a steward's `command`. The fields are the contracts'; `at` is `occurred_at`.

    `event_id` is `t<place in the list>` unless given, with `-<n>` where repeated; `{n}` in any text is the number of the repetition.
    `every` is the time between two; `padding` adds a property of that size; `raw` is a line as it is, instead of everything else.
    """

    at: Time | None = None
    type: str | None = None
    identifiers: Identifiers | None = None
    channel: str | None = None
    event_id: str | None = None
    tenant: str | None = None
    source: str | None = None
    sent_at: Time | None = None
    received_at: Time | None = None
    media: str | None = None
    sentiment: float | None = None
    profile: dict[str, Any] | None = None
    consents: dict[str, bool] | None = None
    context: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    command: str | None = None
    others: Identifiers | None = None
    undoes: str | None = None
    repeat: int = Field(1, ge=1, le=100_000)
    every: Span | None = None
    padding: Size | None = None
    raw: Raw | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Given":
        if self.command is not None:
            if self.at is None:
                raise _fault("expected `at`: a command needs the time at which it was given")
            return self
        missing = [name for name in ("at", "type", "identifiers") if getattr(self, name) is None]
        if self.raw is None and missing:
            raise _fault(f"expected `{missing[0]}`: a touchpoint needs at, type and identifiers (or `raw`, to send something broken)")
        return self


class When(_Part):
    """`as_of`: how late it is in the end; without it, the latest receipt. A step counts from the latest time of the story."""

    as_of: Time | None = None


class Survived(_Part):
    """What is expected of one attribute of the golden record: `value`, where it comes from, by which `rule`; `lost` are the other values, the
    best first, each with what decided; `periods` are lines such as `Bonn 09:00 -> 2d 10:00`, `Kiel 2d 10:00 ->`.
    """

    value: Any = None
    source: str | None = None
    channel: str | None = None
    at: Time | None = None
    touchpoint: str | None = None
    rule: str | None = None
    lost: list[dict[str, Any]] | None = None
    periods: list[str] | None = None


class Standing(_Part):
    """What is expected of the customer who has the identifiers `of`. `moments` are all that stand, in their order; `outputs` the same on
    outputs that ask for consent, by their names; `consents` what is decided, per purpose that somebody has spoken about.
    """

    of: Identifiers
    journey: str | None = None
    phase: str | None = None
    cycle: int | None = None
    dormant: bool | None = None
    since: Time | None = None
    deadline: Time | None = None
    interactions: dict[str, int] | None = None
    attributes: dict[str, Any] | None = None
    consents: dict[str, bool] | None = None
    golden: dict[str, Survived] = {}
    moments: list[MomentText] | None = None
    outputs: dict[str, list[MomentText]] = {}


class Held(_Part):
    """Who held an identifier as of a time, each named by an identifier of theirs."""

    identifier: Identifiers
    as_of: Time
    by: list[Identifiers]


class Became(_Part):
    """What became of the customer id that was made of an identifier: its status, and who carries on."""

    id_of: Identifiers
    status: Literal["active", "merged", "retired", "erased"]
    into: Identifiers | None = None


class Reviewed(_Part):
    """What is expected of a pair that looks alike: the identifiers of the two, and whether a steward is asked, or what she has decided.

    `why`: why they are not one, `score` where they do not look alike enough.
    """

    between: list[Identifiers] = Field(min_length=2, max_length=2)
    status: Literal["open", "accepted", "rejected"] = "open"
    why: str | None = None


class OnOutput(_Part):
    """What was said on an output that asks for consent, in the order given."""

    asserted: int | None = None
    retracted: list[MomentText] | None = None


class Log(_Part):
    """What was said on the way, in the order given, one touchpoint a transaction. Another order says other things: only this one is checked.

    `outputs`: the same of outputs that ask for consent, by their names. `identity`: how many identity changes of each kind (`shared`), or
    kind and rule (`refused merge_limit`); there are no others.
    """

    asserted: int | None = None
    retracted: list[MomentText] | None = None
    outputs: dict[str, OnOutput] = {}
    identity: dict[str, int] | None = None
    became: list[Became] = []


class Then(_Part):
    """What is true in the end.

    `people`: all of them, each with all identifiers, or how many; `nobody`: the identifiers that belong to nobody (none, unless given);
    `reviews`: all pairs about which a steward is asked, or was.
    """

    people: People | None = None
    nobody: list[Identifiers] | None = None
    customers: list[Standing] = []
    held: list[Held] = []
    reviews: list[Reviewed] | None = None
    dead_letters: dict[str, int] = {}
    counted: dict[str, CountsByLabel] = {}
    largest_component: int | None = None
    log: Log = Log()


class Orders(_Part):
    """In which orders the same must come out: `permute` all or some touchpoints, so many `random` ones, with `duplicates`, on `partitions`."""

    permute: Annotated[Any, BeforeValidator(_permuted)] = ()
    random: int = Field(5, ge=0, le=10_000)
    duplicates: bool = True
    partitions: Annotated[list[Annotated[int, Field(ge=1, le=1000)]], Field(min_length=1)] = [1, 3, 12]


class Story(_Part):
    """A sentence, and what it means."""

    story: str = Field(min_length=1)
    topology: dict[str, Any] = {}
    given: list[Given] = Field(min_length=1)
    when: When = When()
    then: Then
    orders: Orders = Orders()
