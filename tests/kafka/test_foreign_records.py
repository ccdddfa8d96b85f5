"""Records as the clients of others write them: whatever Kafka takes from a producer, a worker reads."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.kafka.runtime_rig import Rig, rig
from touchstone.runtime.admin import TopicSpec, apply


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


class Bytes(str):
    """The name of a header that is no text: some clients send any bytes."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """What goes over the wire."""
        return b"caf\xe9"


def test_every_compression_that_kafka_knows_is_read(toy: Rig) -> None:
    """Whether a producer compresses or a broker does, of the touchpoints or of our own topics: nobody asks us."""
    app = toy.app
    codecs = {f"{app}-source": "lz4", f"{app}-other": "snappy", f"{app}.second": "gzip", f"{app}.second.changelog": "zstd"}
    counts = {f"{app}-other": 2}
    asyncio.run(
        apply(toy.bootstrap, [TopicSpec(topic, counts.get(topic, 4), {"compression.type": codec}) for topic, codec in codecs.items()])
    )
    toy.produce(300)
    worker = toy.start("w", local_delivery=False)
    toy.wait_until_done()
    worker.kill()

    toy.start("another")
    toy.produce(300)
    toy.wait_until_done()

    assert toy.outcome().is_exact, toy.outcome()


def test_a_header_whose_name_is_no_text_stops_nobody(toy: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka keeps such a record and hands it out; aiokafka reads no partition past it."""
    for module in (message_accumulator, producer):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)

    async def produce() -> None:
        async with AIOKafkaProducer(bootstrap_servers=toy.bootstrap) as client:
            for number in range(9):
                headers = [(Bytes("x"), b"1")] if number in (3, 4) else [("name", b"1")]
                await client.send(f"{toy.app}-source", b"%d" % number, b"k%04d" % number, partition=0, headers=headers)

    asyncio.run(produce())
    toy.produced = 9
    toy.start("w")
    toy.wait_until_done()

    assert toy.outcome().is_exact, toy.outcome()
