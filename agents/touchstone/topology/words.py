"""The words of which topology.yaml is made: names, lists, values, units, and the conditions that several parts share."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from touchstone.topology.pattern import as_pattern

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
"""A name of the topology's own: a letter, then letters, digits, `_`, `-`; at most 64. It becomes part of keys and topic names."""

Word = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]{0,126}[^\s\x00-\x1f])?$")]
"""A word of the producers' own: any text of at most 128 characters on one line, without blanks at its ends."""

TopicName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,248}$")]
"""The name of a Kafka topic: letters, digits, `.`, `_`, `-`, no `.` in front; at most 249."""

FileName = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""The path of a file, relative to that of the topology."""

Attribute = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(?:\.[^.\s]+)*$", max_length=256)]
"""An attribute of a touchpoint: `rating` means properties.rating; `context.campaign` and `profile.city` name another part."""


def fault(message: str) -> PydanticCustomError:
    """What is wrong with a value, in words of our own."""
    return PydanticCustomError("touchstone", "{text}", {"text": message})


def listed(value: Any) -> Any:
    """A word that stands alone as a list of one."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) or value is None:
        return value
    raise fault(f"expected a word or a list of words, found {value!r:.60}")


def _plain_value(value: Any) -> Any:
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise fault("expected text, a number, true or false" + ("; for several values write {in: [...]}" if isinstance(value, list) else ""))


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and (isinstance(value, int) or math.isfinite(value)):
        return value
    raise fault(f"expected a number, found {value!r:.60}")


def _condition(value: Any) -> Any:
    return value if isinstance(value, dict) else {"is": _plain_value(value)}


def _blocked(value: str) -> str:
    if value.startswith("/") and value.endswith("/") and len(value) > 1:
        try:
            as_pattern(value[1:-1])
        except ValueError as error:
            raise fault(str(error)) from None
    elif len(value) > 256:
        raise fault(f"expected at most 256 characters, found {len(value)}")
    return value


PlainValue = Annotated[Any, BeforeValidator(_plain_value), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Blocked = Annotated[str, AfterValidator(_blocked)]
Phases = Annotated[list[Name], BeforeValidator(listed, json_schema_input_type=Name | list[Name]), Field(min_length=1)]
Names = Annotated[list[Name], BeforeValidator(listed, json_schema_input_type=Name | list[Name]), Field(min_length=1)]
Words = Annotated[list[Word], BeforeValidator(listed, json_schema_input_type=Word | list[Word]), Field(min_length=1)]
Media = Literal["owned", "paid", "earned", "shared"]
MomentKind = Literal["transition", "regression", "timeout", "reentry", "signal"]
Operator = Literal["is", "is_not", "above", "at_least", "below", "at_most", "in", "exists"]
Normalise = Literal["none", "lower", "digits", "email", "phone"]


def unit(name: str) -> dict[str, Any]:
    """What the reference page says behind the values of a field."""
    return {"x-unit": name}


def quantity(default: str, of: str, description: str) -> Any:
    """A field whose default is written as its author would write it: `24h`, not 86400000."""
    return Field(default, description=description, json_schema_extra=unit(of))


class Written(BaseModel):
    """What all parts share: nothing unknown, nothing converted silently, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, populate_by_name=False)


class WrittenCondition(Written):
    """What is asked of one attribute. Several comparisons must all hold; an attribute that is missing fulfils none but `exists: false`."""

    is_: PlainValue = Field(
        None, alias="is", validate_default=False, description="Equal to this value. `rating: 5` is short for `rating: {is: 5}`."
    )
    is_not: PlainValue = Field(None, validate_default=False, description="There, and not equal to this value.")
    above: Number = Field(None, validate_default=False, description="A number greater than this.")
    at_least: Number = Field(None, validate_default=False, description="A number of at least this.")
    below: Number = Field(None, validate_default=False, description="A number less than this.")
    at_most: Number = Field(None, validate_default=False, description="A number of at most this.")
    in_: list[PlainValue] | None = Field(None, alias="in", min_length=1, description="Equal to one of these values.")
    exists: bool | None = Field(None, description="Whether the attribute must be there (true) or must not (false).")

    @property
    def asked(self) -> dict[Operator, Any]:
        """The comparisons that the author wrote, by operator."""
        pairs: tuple[tuple[Operator, Any], ...] = (
            ("is", self.is_),
            ("is_not", self.is_not),
            ("above", self.above),
            ("at_least", self.at_least),
            ("below", self.below),
            ("at_most", self.at_most),
            ("in", self.in_),
            ("exists", self.exists),
        )
        return {operator: value for operator, value in pairs if value is not None}


Condition = Annotated[WrittenCondition, BeforeValidator(_condition, json_schema_input_type=WrittenCondition | str | float | bool)]


class WrittenSilence(Written):
    """The touchpoints whose absence a rule waits for. Without any key: all touchpoints."""

    type: Words | None = Field(None, description="One of these types. Default: any.")
    channel: Words | None = Field(None, description="On one of these channels. Default: any.")
    where: dict[Attribute, Condition] = Field(
        {}, description="Conditions on attributes: `rating` means `properties.rating`; `context.` and `profile.` name the other parts."
    )


def attribute_path(attribute: str) -> tuple[str, ...]:
    """Where an attribute of a condition lies: `rating` is `("properties", "rating")`."""
    parts = tuple(re.split(r"\.", attribute))
    return parts if len(parts) > 1 and parts[0] in {"properties", "context", "profile"} else ("properties", *parts)
