"""Matching in a topology: what is compiled, and its faults, each with the place that the author is sent to."""

from dataclasses import replace
from pathlib import Path

import pytest

from touchstone.errors import TopologyError, UsageError
from touchstone.matching import model as matching_model
from touchstone.matching.model import default_model, to_json
from touchstone.topology.compile import Matching, Topology, deciding
from touchstone.topology.fingerprint import canonical, differences
from touchstone.topology.load import load_text, load_topology
from touchstone.topology.model_file import MAX_BYTES, MODEL_FORMAT, read_model
from touchstone.topology.prefix import prefixed

SHOP = """\
version: 1
name: shop
channels: {web: {}}
identifiers: {user_id: {unique: true}, email: {normalise: email}, phone: {}}
"""


def shop(matching: str) -> Topology:
    """A shop with this matching, from line 6 on."""
    return load_text(f"{SHOP}matching:\n{matching}", "t.yaml")


CASES = {
    "no attributes": ("  block_limit: 5", 6, 3, "missing key `attributes`"),
    "not one attribute": ("  attributes: {}", 6, 15, "expected at least 1 entry, found 0"),
    "a misspelt role": ("  attributes: {first: given_nam}", 6, 23, "unknown word `given_nam`: did you mean `given_name`?"),
    "a misspelt key": ("  attributes: {a: city}\n  neighbors: 5", 7, 3, "unknown key `neighbors`: did you mean `neighbours`?"),
    "a kind that is not there": (
        "  attributes: {a: city}\n  identifiers: {emial: email}", 7, 17, "unknown kind of identifier `emial`: did you mean `email`?"),
    "a misspelt role of a kind": ("  attributes: {a: city}\n  identifiers: {email: emial}", 7, 24, "unknown word `emial`: did you mean `email`?"),
    "a part that is not there": (
        "  attributes: {a: city}\n  blocks: [[city, naem]]", 7, 19, "unknown word `naem`: did you mean `name`?"),
    "a block of nothing": ("  attributes: {a: city}\n  blocks: [[]]", 7, 12, "expected at least 1 entry, found 0"),
    "no blocks": ("  attributes: {a: city}\n  blocks: []", 7, 11, "expected at least 1 entry, found 0"),
    "a block that is no list": ("  attributes: {a: city}\n  blocks: [city]", 7, 12, "expected a list, found the text `city`; write `[city]`"),
    "a part that nothing fills": (
        "  attributes: {a: city}\n  blocks: [[city], [city, name]]", 7, 27, "no attribute can fill `name`, so this block brings nobody together"),
    "a part twice": ("  attributes: {a: city}\n  blocks: [[city, city]]", 7, 19, "`city` stands in this block already"),
    "a block twice, in another order": (
        "  attributes: {a: full_name, b: city}\n  blocks:\n  - [name, city]\n  - [city, name]", 9, 5, "the same block stands in line 8 already"),
    "a block that is closed at once": ("  attributes: {a: city}\n  block_limit: 1", 7, 16, "expected at least 2, found 1"),
    "acceptance that is certain": ("  attributes: {a: city}\n  accept: 1", 7, 11, "expected less than 1, found 1"),
    "review of everything": ("  attributes: {a: city}\n  review: 0", 7, 11, "expected more than 0, found 0"),
    "review above acceptance": (
        "  attributes: {a: city}\n  accept: 0.9\n  review: 0.95", 8, 11, "expected less than `accept` (0.9), found 0.95"),
    "review at acceptance": (
        "  attributes: {a: city}\n  review: 0.9\n  accept: 0.9", 7, 11, "expected less than `accept` (0.9), found 0.9"),
    "a model that is not there": ("  attributes: {a: city}\n  model: none.json", 7, 10, "no model at none.json; name a file of `touchstone match"),
    "a model whose name no file can have": ('  attributes: {a: city}\n  model: "a\\0b"', 7, 10, "no model at a"),
    "an attribute that is derived": (
        "  attributes: {a: city}\nattributes:\n  b: {}\n  a: {derive: {number_of: b, bands: {c: 1}}}", 6, 16, "`a` is derived: nobody states it"),
}  # fmt: skip


@pytest.mark.parametrize(("matching", "line", "column", "message"), CASES.values(), ids=CASES)
def test_a_fault_of_matching_is_named_with_its_place(matching: str, line: int, column: int, message: str) -> None:
    """One fault, and no others in its train."""
    with pytest.raises(TopologyError) as caught:
        shop(matching)

    (fault,) = caught.value.faults
    assert message in fault.message
    assert (fault.line, fault.column) == (line, column)


def test_what_is_written_is_what_runs() -> None:
    """Roles and kinds keep the order of the author; nothing else is changed."""
    found = shop(
        "  attributes: {mobile: phone, first: given_name, vorname: given_name}\n  identifiers: {email: email}\n"
        "  blocks: [[email], [name_start, phone]]\n  block_limit: 30\n  accept: 0.95\n  review: 0.25\n  neighbours: 7"
    ).matching

    assert found == Matching(
        roles={"mobile": "phone", "first": "given_name", "vorname": "given_name"},
        kinds={"email": "email"},
        blocks=(("email",), ("name_start", "phone")),
        limit=30,
        accept=0.95,
        review=0.25,
        neighbours=7,
        model=None,
    )
    assert list(found.roles) == ["mobile", "first", "vorname"]


def test_an_attribute_is_enough() -> None:
    """All else has a default: that of the page, of the model, or of the package."""
    assert shop("  attributes: {town: city}").matching == Matching({"town": "city"}, {}, None, 20, None, None, 50, None)


def test_without_the_key_nothing_changes() -> None:
    """A state that was made before there was matching still fits."""
    plain = load_text(SHOP, "t.yaml")

    assert plain.matching is None
    assert "matching" not in deciding(plain)
    assert plain.fingerprint == "7b4bdb39dc3dd54c1dcb0a754cf69713", "that of the version before"


@pytest.mark.parametrize(
    "changed",
    [
        "  attributes: {a: city, b: given_name, c: family_name}",
        "  attributes: {a: city, c: given_name, b: given_name}",
        "  attributes: {a: city, b: given_name, c: given_name}\n  identifiers: {email: email}",
        "  attributes: {a: city, b: given_name, c: given_name}\n  blocks: [[city]]",
        "  attributes: {a: city, b: given_name, c: given_name}\n  block_limit: 99",
        "  attributes: {a: city, b: given_name, c: given_name}\n  accept: 0.9",
        "  attributes: {a: city, b: given_name, c: given_name}\n  review: 0.2",
        "  attributes: {a: city, b: given_name, c: given_name}\n  neighbours: 49",
    ],
)
def test_what_decides_who_is_alike_changes_the_fingerprint(changed: str) -> None:
    """A state that was made with another matching is not gone on with; the order of attributes in one role decides too."""
    before = shop("  attributes: {a: city, b: given_name, c: given_name}")

    assert shop(changed).fingerprint not in {before.fingerprint, load_text(SHOP, "t.yaml").fingerprint}


def test_the_order_of_attributes_in_different_roles_decides_nothing() -> None:
    """Only of several in one role the first counts."""
    assert shop("  attributes: {a: city, b: street}").fingerprint == shop("  attributes: {b: street, a: city}").fingerprint


def test_the_model_lies_beside_the_topology_and_belongs_to_the_fingerprint(tmp_path: Path) -> None:
    """Its path is read from the folder of the topology; of its content the terms hold a short hash only."""
    (tmp_path / "models").mkdir()
    model = to_json(default_model())
    (tmp_path / "models" / "m.json").write_bytes(model)
    (tmp_path / "models" / "other.json").write_bytes(to_json(default_model(5)))
    file = tmp_path / "t.yaml"

    loaded = []
    for name in ("m", "other"):
        file.write_text(f"{SHOP}matching:\n  attributes: {{a: city}}\n  model: models/{name}.json\n")
        loaded.append(load_topology(file))

    one, other = loaded
    assert one.matching is not None
    assert one.matching.model == model
    assert one.fingerprint != other.fingerprint
    (difference,) = differences(canonical(deciding(one)), canonical(deciding(other)))
    assert difference.startswith('matching.model: was "sha256:')
    assert len(difference) < 140


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a model in"),
        (b"\xff\xfe", "expected a model in"),
        (b"[]", "expected a model in"),
        (b'{"format": 1}', "expected a model in"),
        (to_json(default_model()).replace(b'"format": 1', b'"format": 9'), "expected a model of format 1, found 9"),
        (b" " * (MAX_BYTES + 1), "expected a model of at most 65536 KiB, found more"),
    ],
    ids=["empty", "other bytes", "a list", "a part of one", "another format", "huge"],
)
def test_a_file_that_is_no_model_is_a_fault_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    """Whatever stands in the file, the author is sent to the line that names it."""
    (tmp_path / "m.json").write_bytes(content)
    file = tmp_path / "t.yaml"
    file.write_text(f"{SHOP}matching:\n  attributes: {{a: city}}\n  model: m.json\n")

    with pytest.raises(TopologyError) as caught:
        load_topology(file)

    (fault,) = caught.value.faults
    assert message in fault.message
    assert (fault.line, fault.column) == (7, 10)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    """What is no file is said to be none; nothing is waited for."""
    with pytest.raises(UsageError, match="no model at"):
        read_model(tmp_path)


def test_the_format_is_that_of_matching() -> None:
    """The topology looks for the format that `touchstone match train` writes."""
    assert MODEL_FORMAT == matching_model.FORMAT


def test_the_topic_of_reviews_exists_only_with_matching() -> None:
    """A channel may have its name where nothing is compared; with matching that is a fault."""
    channel = SHOP.replace("{web: {}}", "{web: {topic: reviews.v1}}")

    assert load_text(channel, "t.yaml").channels["web"].topic == "reviews.v1"
    with pytest.raises(TopologyError, match=r"the topic `reviews\.v1` is already that of topics\.reviews"):
        load_text(f"{channel}matching: {{attributes: {{a: city}}}}", "t.yaml")


def test_a_prefix_stands_before_reviews_as_well() -> None:
    """A trial beside the real thing does not write into its reviews."""
    topology = shop("  attributes: {a: city}\ntopics: {reviews: doubts.v1}")

    assert prefixed(topology, "try-").topics == replace(prefixed(topology, "try-").topics, reviews="try-doubts.v1")
