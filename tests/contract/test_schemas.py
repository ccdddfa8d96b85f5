"""The public schemas: complete, documented, with a true example, and compatible with what was released."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
from fastavro.utils import generate_many

from touchstone.bundle import SCHEMAS
from touchstone.cli.schemas import released
from touchstone.contracts import reference
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.compatibility import LEVELS, breaks
from touchstone.contracts.json_form import TIMES, to_json_dict
from touchstone.contracts.registry import bundled_schemas
from touchstone.contracts.times import milliseconds
from touchstone.errors import InvariantBroken
from touchstone.model.command import Command
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment, Review

DOCUMENTS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMAS.glob("*.avsc"))}
RELEASED = sorted((SCHEMAS / "released").glob("*.avsc"))
STRUCTS: dict[str, Any] = {
    "moment": Moment,
    "customer": Customer,
    "identity_change": IdentityChange,
    "review": Review,
    "dead_letter": DeadLetter,
}


def nodes(node: Any) -> list[dict[str, Any]]:
    """Every object inside a schema document."""
    if isinstance(node, dict):
        return [node, *(inner for value in node.values() for inner in nodes(value))]
    return [inner for item in node for inner in nodes(item)] if isinstance(node, list) else []


def example(name: str) -> Any:
    """The example of a record type, as the command line shows it."""
    return json.loads((SCHEMAS / "examples" / f"{name}.json").read_text(encoding="utf-8"))


def in_milliseconds(node: Any) -> Any:
    """The example with times as the structs hold them."""
    if isinstance(node, dict):
        return {
            name: milliseconds(value) if name in TIMES and value is not None else in_milliseconds(value) for name, value in node.items()
        }
    return [in_milliseconds(item) for item in node] if isinstance(node, list) else node


def record_of(name: str) -> Any:
    """The example as a struct of model/output.py."""
    fields = in_milliseconds(example(name))
    if name == "dead_letter":
        fields |= {"key": fields["key"].encode(), "value": fields["value"].encode()}
        fields["headers"] = [(header["name"], header["value"].encode()) for header in fields["headers"]]
    return msgspec.convert(fields, STRUCTS[name])


def test_no_schema_and_no_example_is_an_orphan() -> None:
    """Every schema has an example, an id and a released version; nothing else lies in the folders."""
    ids = json.loads((SCHEMAS / "ids.json").read_text(encoding="utf-8"))

    assert {path.stem for path in (SCHEMAS / "examples").iterdir()} == set(DOCUMENTS)
    assert {Path(file).stem for file in ids.values() if "/" not in file} == set(DOCUMENTS)
    assert {path.stem.rsplit("-", 1)[0] for path in RELEASED} == set(DOCUMENTS)
    assert {path.name for path in SCHEMAS.iterdir()} <= {
        *(f"{name}.avsc" for name in DOCUMENTS),
        "ids.json",
        "examples",
        "released",
        "mapping.schema.json",
        "topology.schema.json",
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_and_type_says_what_it_is(name: str) -> None:
    """Each record, enum and field carries a doc that is a sentence."""
    undocumented = [
        node.get("name")
        for node in nodes(DOCUMENTS[name])
        if ("name" in node and "type" in node) and not str(node.get("doc", "")).endswith((".", ")"))
    ]

    assert undocumented == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_closed_list_can_grow(name: str) -> None:
    """Enums begin with UNKNOWN and default to it, so that an old reader survives a new word."""
    enums = [node for node in nodes(DOCUMENTS[name]) if node.get("type") == "enum"]

    assert all(enum["symbols"][0] == enum["default"] == "UNKNOWN" for enum in enums)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_time_is_marked_as_one(name: str) -> None:
    """The fields that the command line shows as times are timestamp-millis in the schema, and no others."""
    fields = [field for node in nodes(DOCUMENTS[name]) if "fields" in node for field in node["fields"]]
    times = {field["name"] for field in fields if any("logicalType" in node for node in nodes(field["type"]) if "fields" not in node)}
    nested = {field["name"] for field in fields if isinstance(field["type"], dict) and field["type"]["type"] == "array"}

    assert times - nested == {field["name"] for field in fields} & (TIMES | {"sent_at", "received_at", "at"})


@pytest.mark.parametrize("name", STRUCTS)
def test_structs_and_schemas_name_the_same_fields_in_the_same_order(name: str) -> None:
    """model/output.py and schemas/ are one contract."""
    assert [field["name"] for field in DOCUMENTS[name]["fields"]] == list(STRUCTS[name].__struct_fields__)


@pytest.mark.parametrize("name", STRUCTS)
def test_the_example_survives_the_way_over_the_wire(name: str) -> None:
    """Encoded, decoded and shown, the example is what it was."""
    record = record_of(name)

    value = getattr(bundled_codec(), f"encode_{name}")(record)

    assert bundled_codec().decode_record(value) == record
    assert to_json_dict(record) == example(name)


def test_the_example_touchpoint_survives_the_way_over_the_wire() -> None:
    """A touchpoint in its JSON form, as Avro and back, says the same with its times in milliseconds."""
    stated = example("touchpoint")

    name, fields = bundled_codec().decode(bundled_codec().encode_touchpoint(stated))

    times = {field: milliseconds(stated[field]) for field in ("occurred_at", "sent_at", "received_at")}
    assert (name, fields) == ("Touchpoint", stated | times)


def test_the_example_command_survives_the_way_over_the_wire() -> None:
    """Its struct has the fields of the schema in their order; encoded and decoded it says the same."""
    stated = example("command") | {"at": milliseconds(example("command")["at"])}

    name, fields = bundled_codec().decode(bundled_codec().encode_command(msgspec.convert(stated, Command)))

    assert [field["name"] for field in DOCUMENTS["command"]["fields"]] == list(Command.__struct_fields__)
    assert (name, fields) == ("Command", stated)


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_what_was_released_can_still_be_read(path: Path) -> None:
    """Records written with a released schema read with the present one; outputs the other way round too."""
    name = path.stem.rsplit("-", 1)[0]
    released = fastavro.parse_schema(json.loads(path.read_text(encoding="utf-8")))
    present = fastavro.parse_schema(DOCUMENTS[name])
    ways = [(released, present)] if name in ("touchpoint", "command") else [(released, present), (present, released)]

    for writer, reader in ways:
        for record in generate_many(writer, 20):
            buffer = BytesIO()
            fastavro.schemaless_writer(buffer, writer, record)
            buffer.seek(0)
            assert fastavro.schemaless_reader(buffer, writer, reader) is not None


@pytest.mark.parametrize("record", LEVELS)
def test_the_gate_no_schema_breaks_what_was_released(record: str) -> None:
    """A version that breaks a released one fails here with the field's name; `touchstone schemas check` says the same."""
    older = released(record)

    assert older
    assert breaks(record, bundled_schemas().current(record).document, older) == []


def test_an_unknown_record_type_is_our_own_bug() -> None:
    """The bundle says which record types there are when asked for another."""
    with pytest.raises(InvariantBroken, match="Command, Customer, DeadLetter, IdentityChange, Moment, Review, Touchpoint"):
        bundled_schemas().current("Invoice")


def test_the_reference_page_is_fresh() -> None:
    """docs/reference/contracts.md is what the generator prints."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "contracts.md"

    assert page.read_text(encoding="utf-8") == reference.reference(), (
        "run: python -m touchstone.contracts.reference > docs/reference/contracts.md"
    )
