"""The five data sets that ship with the package all read; nothing in them was made for Touchstone."""

import gzip
from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

import touchstone.devkit
from tests.unit.intake.shop import NOON, SHOP, intake
from touchstone.contracts.codec import bundled_codec
from touchstone.intake.lines import prepare_line
from touchstone.intake.touchpoint import Accepted
from touchstone.model.output import DeadLetter
from touchstone.runtime.program import Record

DATA = Path(touchstone.devkit.__file__).parent / "data"
SETS = {"adobe-luma": 23_055, "snowplow-web": 160, "snowplow-ecommerce": 833, "snowplow-mobile": 130, "cfpb-complaints": 60}


@pytest.mark.parametrize("name", SETS)
def test_every_line_of_the_data_set_is_accepted(name: str) -> None:
    """All of them, and each for a channel and identifiers that the shop knows."""
    agent = intake()
    results: Counter[str] = Counter()
    for offset, line in enumerate(gzip.decompress((DATA / name / f"{name}.touchpoints.jsonl.gz").read_bytes()).splitlines()):
        prepared = prepare_line(line, SHOP)
        result = agent.take(Record(prepared.topic, 0, offset, NOON, prepared.key, prepared.value), [])
        results[result.reason if isinstance(result, DeadLetter) else "accepted"] += 1

    assert results == {"accepted": SETS[name]}


@pytest.mark.parametrize("name", ["snowplow-web", "snowplow-ecommerce", "snowplow-mobile", "cfpb-complaints"])
def test_every_line_says_the_same_in_avro(name: str) -> None:
    """The same touchpoints through the Avro channel, content hash included."""
    in_json = intake(channels={name: replace(channel, format="json") for name, channel in SHOP.channels.items()})
    in_avro = intake(channels={name: replace(channel, format="avro") for name, channel in SHOP.channels.items()})
    for line in gzip.decompress((DATA / name / f"{name}.touchpoints.jsonl.gz").read_bytes()).splitlines():
        topic = prepare_line(line, SHOP).topic
        value = bundled_codec().encode_touchpoint(msgspec.json.decode(line))

        result = in_avro.take(Record(topic, 0, 0, NOON, None, value), [])

        assert isinstance(result, Accepted)
        assert result == in_json.take(Record(topic, 0, 0, NOON, None, line), [])
