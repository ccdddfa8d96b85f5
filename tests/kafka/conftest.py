"""One broker for the whole session, topics for each test."""

import uuid
from collections.abc import Iterator

import pytest

from touchstone.devkit.broker import kafka_or_given


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap address of the session's broker: an embedded one, or the one that TOUCHSTONE_BOOTSTRAP names."""
    with kafka_or_given() as bootstrap:
        yield bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """What the topics (and groups) of this test begin with; no other test, also of another session, has the same."""
    return f"t{uuid.uuid4().hex[:12]}."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under tests/kafka needs a broker, so nobody has to remember the marker."""
    for item in items:
        if "kafka" in item.path.relative_to(item.config.rootpath).parts[:2]:
            item.add_marker(pytest.mark.kafka)
