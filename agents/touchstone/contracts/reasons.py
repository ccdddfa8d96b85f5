"""Why a record becomes a dead letter, or an identifier is ignored: closed lists of codes, each with a sentence.

Codes are public and never change their meaning.
"""

from types import MappingProxyType
from typing import Final

NO_VALUE: Final = "no_value"
TOO_LARGE: Final = "too_large"
INVALID_JSON: Final = "invalid_json"
INVALID_AVRO: Final = "invalid_avro"
UNKNOWN_SCHEMA: Final = "unknown_schema"
NOT_AN_OBJECT: Final = "not_an_object"
NESTING_TOO_DEEP: Final = "nesting_too_deep"
TOO_MANY_VALUES: Final = "too_many_values"
TEXT_TOO_LONG: Final = "text_too_long"
MISSING_FIELD: Final = "missing_field"
INVALID_FIELD: Final = "invalid_field"
INVALID_TIME: Final = "invalid_time"
UNKNOWN_CHANNEL: Final = "unknown_channel"
TOO_MANY_IDENTIFIERS: Final = "too_many_identifiers"
TWO_UNIQUE_VALUES: Final = "two_unique_values"
NO_USABLE_IDENTIFIER: Final = "no_usable_identifier"
TOO_OLD: Final = "too_old"
UNKNOWN_ACTION: Final = "unknown_action"
IGNORED_IDENTIFIER: Final = "ignored_identifier"

REASONS: Final = MappingProxyType(
    {
        NO_VALUE: "The record has no value (a tombstone); a touchpoint is never deleted that way.",
        TOO_LARGE: "The record is larger than limits.record of the topology; its first 64 KiB are kept.",
        INVALID_JSON: "The value is not JSON, or its text is not UTF-8.",
        INVALID_AVRO: "The value is not Confluent wire format, or its Avro does not read as its schema says.",
        UNKNOWN_SCHEMA: "The value names a schema id that is not known here, or one of another record type.",
        NOT_AN_OBJECT: "The value is JSON, but not an object.",
        NESTING_TOO_DEEP: "Objects and lists are nested deeper than is read.",
        TOO_MANY_VALUES: "Profile, consents, context and properties hold more than 2,000 values together.",
        TEXT_TOO_LONG: "A text has more than 32,768 characters, or the name of an attribute or purpose more than 256.",
        MISSING_FIELD: "A required field (event_id, type, occurred_at, identifiers; of a command command_id, action, at, who, why) is missing or null.",
        INVALID_FIELD: "A field has another type or range than the contract says.",
        INVALID_TIME: "A time is not ISO 8601 with a zone, nor milliseconds since the epoch, or lies outside the years 1900 to 2999; or that of a command lies in the future.",
        UNKNOWN_CHANNEL: "The channel is neither a channel of the topology nor an alias of one.",
        TOO_MANY_IDENTIFIERS: "More than 32 usable identifiers, or more than 256 with those that are ignored; of a command more than 256 pairs.",
        TWO_UNIQUE_VALUES: "Two different values of a kind of identifier that a person has once; nobody can say whom it concerns.",
        NO_USABLE_IDENTIFIER: "No identifier is left after unknown kinds, blocked values and unusable values were set aside.",
        TOO_OLD: "It happened longer before it was received than the topology's retention reaches back.",
        UNKNOWN_ACTION: "A steward's command asks for something that this version cannot do.",
        IGNORED_IDENTIFIER: "A steward's command names an identifier that touchpoints cannot have; half of a command is not carried out.",
    }
)
"""Reason code -> what it means."""

UNKNOWN_KIND: Final = "unknown_kind"
BLOCKED: Final = "blocked"
UNUSABLE: Final = "unusable"

IGNORED: Final = MappingProxyType(
    {
        UNKNOWN_KIND: "The kind is neither a kind of the topology nor an alias of one.",
        BLOCKED: "The value is a placeholder that the topology blocks.",
        UNUSABLE: "The value is empty in its normal form, too long, holds control characters, or is no text or number.",
    }
)
"""Why a single identifier is left out of a touchpoint that is otherwise used; counted, never a dead letter by itself."""
