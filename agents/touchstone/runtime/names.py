"""The names of the topics that belong to the application itself."""

from collections.abc import Iterable


def internal_topic(app: str, stage: str) -> str:
    """The topic that carries messages to a stage across workers."""
    return f"{app}.{stage}"


def changelog_topic(app: str, stage: str) -> str:
    """The compacted topic a stage's state can be rebuilt from."""
    return f"{app}.{stage}.changelog"


def clock_topic(app: str) -> str:
    """The compacted topic on which workers say how far their sources are."""
    return f"{app}.clock"


def internal_topics(app: str, stages: Iterable[str]) -> list[str]:
    """The topics a worker subscribes to besides the channels."""
    return [internal_topic(app, stage) for stage in stages]
