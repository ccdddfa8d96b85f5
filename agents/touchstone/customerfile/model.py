"""A mapping file as its author writes it: which column of a customer file says what.

The reference page and the JSON Schema are generated from this file.
"""

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from touchstone.contracts.times import milliseconds

DEFAULT_CHANNEL = "back_office"
DEFAULT_TYPE = "profile"
DEFAULT_EMPTY = ("", "-", "null", "none", "n/a", "nan", "0000-00-00")
YES = ("yes", "y", "true", "t", "1", "x", "on", "granted", "ja", "j", "oui", "si", "sí", "sim")
NO = ("no", "n", "false", "f", "0", "off", "denied", "nein", "non", "não")

Column = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""The name of a column as the header has it; of JSON Lines a field, inner ones with a dot: `address.city`."""

Word = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]{0,126}[^\s\x00-\x1f])?$")]
"""One line of text of at most 128 characters, without blanks at its ends."""


def fault(message: str) -> PydanticCustomError:
    """A fault in the words of the file's author; braces in it are no placeholders."""
    return PydanticCustomError("touchstone", "{text}", {"text": message})


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _field(value: Any) -> Any:
    """`city: Ort` is `city: {column: Ort}`."""
    return {"column": value} if isinstance(value, str) else value


def _fields(value: Any) -> Any:
    """One column, or several: `email: [mail_1, mail_2]`."""
    return value if isinstance(value, list) else [value]


def _word(value: Any) -> Any:
    """`channel: web` is `channel: {constant: web}`."""
    return {"constant": value} if isinstance(value, str) else value


def _time(value: Any) -> Any:
    """A time may stand for itself: `occurred_at: 2026-11-01T00:00:00Z`."""
    return {"constant": value} if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    raise fault("expected text, a number, true or false")


def _constant_time(value: str | None) -> str | None:
    if value is not None:
        try:
            milliseconds(value)
        except ValueError as wrong:
            raise fault(str(wrong)) from None
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):
        raise fault(f"expected a time zone such as UTC or Europe/Berlin, found `{value:.60}`") from None
    return value


def _format(value: str) -> str:
    if re.search(r"%[YyGdmjs]", value) is None:
        raise fault(f"expected the form of a time, such as `%d.%m.%Y`, found `{value:.60}`")
    return value


Words = Annotated[list[Word], BeforeValidator(_listed, json_schema_input_type=Word | list[Word]), Field(min_length=1)]
Columns = Annotated[list[Column], BeforeValidator(_listed, json_schema_input_type=Column | list[Column]), Field(min_length=1)]
TimeFormat = Annotated[str, AfterValidator(_format)]
Formats = Annotated[list[TimeFormat], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1)]
Zone = Annotated[str, AfterValidator(_zone)]
Plain = Annotated[Any, BeforeValidator(_plain), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Part = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    StringConstraints(pattern=r"^(first|last|rest|[1-9])$"),
    WithJsonSchema({"enum": ["first", "last", "rest", *range(1, 10)]}),
]

_OF_FORMAT = "Form of the cell's time in Python's `strptime` letters, or several that are tried in turn; ISO 8601 where none is named."
_OF_ZONE = "The zone of times that name none."


class WrittenPart(BaseModel):
    """What all parts of a mapping share: nothing unknown, nothing converted silently, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, populate_by_name=False)


class WrittenFile(WrittenPart):
    """How the file is to be read; what is not said is found out from its beginning."""

    encoding: str | None = Field(None, description="Such as utf-8, cp1252 or utf-16; `--encoding` counts more.")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="What stands between two cells of a CSV file.")
    quote: str = Field('"', min_length=1, max_length=1, description="What cells are put in that hold a delimiter.")
    columns: Columns | None = Field(None, description="The names of the columns, where the file does not begin with them.")


class WrittenIdentifier(WrittenPart):
    """Where an identifier's values come from."""

    column: Column = Field(description="The column.")
    split: str | None = Field(None, min_length=1, max_length=8, description="What stands between several values in one cell.")


class WrittenConstantOrColumn(WrittenPart):
    """A word that is the same for all rows, or that a column says."""

    constant: Word | None = Field(None, description="The word.")
    column: Column | None = Field(None, description="The column that says it.")

    @model_validator(mode="after")
    def _one(self) -> "WrittenConstantOrColumn":
        if (self.constant is None) == (self.column is None):
            raise fault("expected a word, or one of {constant: ...} and {column: ...}")
        return self


class WrittenTime(WrittenPart):
    """When the rows were true."""

    column: Column | None = Field(None, description="The column that says it: when the row was last changed.")
    constant: Annotated[str | None, AfterValidator(_constant_time)] = Field(
        None, description="For all rows, or for those whose column is empty: when the file was exported. `--occurred-at` counts more."
    )
    format: Formats | None = Field(None, description=_OF_FORMAT)
    zone: Zone = Field("UTC", description=_OF_ZONE)

    @model_validator(mode="after")
    def _any(self) -> "WrittenTime":
        if self.column is None and self.constant is None:
            raise fault("expected a time such as 2026-11-01T00:00:00Z, or {column: ...}")
        if self.column is None and self.format is not None:
            raise fault("expected `format` beside `column` only: a constant is ISO 8601")
        return self


class WrittenAttribute(WrittenPart):
    """Where an attribute comes from, and what becomes of the cell."""

    column: Column | None = Field(None, description="The column.")
    columns: Columns | None = Field(None, description="Several columns, joined to one text; empty ones are left out.")
    constant: Plain | None = Field(None, description="The same value for all rows.")
    join: str = Field(" ", max_length=8, description="What is put between the texts of `columns`.")
    split: str | None = Field(None, min_length=1, max_length=8, description="Where the text is cut into parts, of which `part` is taken.")
    part: Part | None = Field(
        None,
        description="Which part: `first`, `last`, `rest` (all but the first), or its number from 1. Without it all parts, as a list.",
    )
    as_: Literal["text", "date", "time", "integer", "number", "boolean"] | None = Field(
        None, alias="as", description="What the text is read as. A date becomes `1990-05-01`. Without it the cell stays as it is."
    )
    format: Formats | None = Field(None, description=_OF_FORMAT)
    zone: Zone = Field("UTC", description=_OF_ZONE)
    decimal: Literal[".", ","] = Field(".", description="The decimal sign of numbers; the other one and blanks group the digits.")
    yes: Words = Field(list(YES), description="Words for true, in any case.")
    no: Words = Field(list(NO), description="Words for false, in any case.")
    unreadable: Literal["refuse", "leave_out"] = Field(
        "refuse", description="What becomes of a cell that cannot be read: the row is refused, or the attribute left out and counted."
    )

    @model_validator(mode="after")
    def _agree(self) -> "WrittenAttribute":
        if sum(one is not None for one in (self.column, self.columns, self.constant)) != 1:
            raise fault("expected one of `column`, `columns` and `constant`")
        if self.part is not None and self.split is None:
            raise fault("expected `split` beside `part`: at what is the text to be cut?")
        if self.format is not None and self.as_ not in {"date", "time"}:
            raise fault("expected `as: date` or `as: time` beside `format`")
        if self.as_ is not None and self.split is not None and self.part is None:
            raise fault("expected `part` beside `split` and `as`: a list is not read as one value")
        return self


class WrittenConsent(WrittenPart):
    """Where a consent comes from. An empty cell says nothing; any other word is refused, for a consent is not to be guessed."""

    column: Column = Field(description="The column.")
    granted: Words = Field(list(YES), description="Words that grant, in any case.")
    denied: Words = Field(list(NO), description="Words that deny, in any case.")


Identifiers = Annotated[
    list[Annotated[WrittenIdentifier, BeforeValidator(_field, json_schema_input_type=Column | WrittenIdentifier)]],
    BeforeValidator(_fields, json_schema_input_type=Column | WrittenIdentifier | list[Column | WrittenIdentifier]),
    Field(min_length=1),
]
ConstantOrColumn = Annotated[WrittenConstantOrColumn, BeforeValidator(_word, json_schema_input_type=Word | WrittenConstantOrColumn)]
Attribute = Annotated[WrittenAttribute, BeforeValidator(_field, json_schema_input_type=Column | WrittenAttribute)]
Consent = Annotated[WrittenConsent, BeforeValidator(_field, json_schema_input_type=Column | WrittenConsent)]
Time = Annotated[WrittenTime, BeforeValidator(_time, json_schema_input_type=str | WrittenTime)]


class WrittenMapping(WrittenPart):
    """Which column of a customer file says what. A column that is not named here says nothing."""

    source: ConstantOrColumn = Field(description="The system that says so: `crm`. It stands in the provenance of every attribute.")
    channel: ConstantOrColumn = Field(
        WrittenConstantOrColumn(constant=DEFAULT_CHANNEL),
        description=f"A channel of the topology or an alias of one; `{DEFAULT_CHANNEL}` where nothing is said.",
    )
    type: ConstantOrColumn = Field(
        WrittenConstantOrColumn(constant=DEFAULT_TYPE), description=f"The type of the touchpoints; `{DEFAULT_TYPE}` where nothing is said."
    )
    tenant: Word | None = Field(None, description="Whose customers these are; `default` where nothing is said.")
    occurred_at: Time = Field(description="When the rows were true. A row with a later time has the last word (by the rule `most_recent`).")
    row_key: Columns | None = Field(
        None, description="The columns that tell two rows apart which otherwise say the same; a row in which one is empty is refused."
    )
    identifiers: dict[Word, Identifiers] = Field(
        min_length=1, description="Kinds of identifiers of the topology (or aliases): their column, or several."
    )
    profile: dict[Word, Attribute] = Field({}, description="Attributes of the golden record: their column, or how they are made.")
    consents: dict[Word, Consent] = Field({}, description="Purposes: the column that grants or denies.")
    empty: list[str] = Field(list(DEFAULT_EMPTY), description="Cells that say nothing, in any case and without blanks around them.")
    file: WrittenFile = Field(WrittenFile(), description="How the file is to be read.")
