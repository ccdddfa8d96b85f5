"""The partitioner chooses as Kafka's Java producer does."""

import pytest

from touchstone.contracts.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_kafka(data: bytes, signed: int) -> None:
    """The golden vectors are those of Kafka's own test, `UtilsTest.testMurmur2` (apache/kafka, clients, Apache-2.0)."""
    assert murmur2(data) == signed & 0xFFFFFFFF


def test_the_partition_comes_from_the_hash_without_its_sign() -> None:
    """`toPositive(murmur2(key)) % partitions`, as in Kafka's BuiltInPartitioner."""
    assert partition_of(b"foobar", 12) == (-790332482 & 0x7FFFFFFF) % 12


def test_an_empty_key_has_a_partition_too() -> None:
    """No length is special; 275646681 is also what the murmur2 of kafka-python and aiokafka gives for no bytes."""
    assert murmur2(b"") == 275646681
