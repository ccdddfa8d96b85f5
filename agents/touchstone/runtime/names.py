"""The names of the topics that belong to the application itself.

An application's own topics come in generations: the first is called after the application, later ones after it and their number. A new
one is made offline, when the number of partitions changes or the state is built anew (`touchstone topics repartition`, `rebuild`); the old
one stays as it was until somebody deletes it. `base` below is the name of a generation.
"""

import re
from collections.abc import Iterable


def generation_base(app: str, generation: int) -> str:
    """What the names of a generation's topics begin with."""
    return app if generation == 1 else f"{app}.g{generation}"


def internal_topic(base: str, stage: str) -> str:
    """The topic that carries messages to a stage across workers."""
    return f"{base}.{stage}"


def changelog_topic(base: str, stage: str) -> str:
    """The compacted topic a stage's state can be rebuilt from."""
    return f"{base}.{stage}.changelog"


def clock_topic(base: str) -> str:
    """The compacted topic on which workers say how far their sources are."""
    return f"{base}.clock"


def internal_topics(base: str, stages: Iterable[str]) -> list[str]:
    """The topics a worker subscribes to besides the channels."""
    return [internal_topic(base, stage) for stage in stages]


def first_name(topic: str, app: str, base: str) -> str:
    """What a topic was called in the first generation: metrics are compared over generations."""
    return app + topic.removeprefix(base) if topic.startswith(base + ".") else topic


def agreement_topic(app: str) -> str:
    """The compacted topic on which stands what all workers of an application agree on; the same one for all generations."""
    return f"{app}.agreement"


def store_directory(generation: int, stage: str, partition: int) -> str:
    """The folder of a store below a worker's data directory."""
    return f"{'' if generation == 1 else f'g{generation}-'}{stage}-{partition}"


def is_store_directory(name: str, stages: Iterable[str]) -> bool:
    """Whether a folder below a worker's data directory holds a store, of whatever generation."""
    return re.fullmatch(rf"(?:g\d+-)?(?:{'|'.join(map(re.escape, stages))})-\d+", name) is not None
