"""Which record type a topic holds, and so which schema belongs under its subject in a registry."""

from dataclasses import dataclass

from touchstone.topology.compile import Topology


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject of a registry: the values of one topic (TopicNameStrategy)."""

    topic: str
    record: str

    @property
    def name(self) -> str:
        """What the registry calls it."""
        return f"{self.topic}-value"


def subjects(topology: Topology) -> list[Subject]:
    """Of every topic with Avro in it: outputs and commands always, reviews with `matching`, channels where the topology says so. JSON has no subject."""
    names = topology.topics
    channels = dict.fromkeys(channel.topic for channel in topology.channels.values() if channel.format == "avro")
    return [
        *(Subject(topic, "Touchpoint") for topic in channels),
        Subject(names.moments, "Moment"),
        *(Subject(output.topic, "Moment") for output in topology.outputs),
        Subject(names.customers, "Customer"),
        Subject(names.identities, "IdentityChange"),
        *([Subject(names.reviews, "Review")] if topology.matching is not None else []),
        Subject(names.deadletters, "DeadLetter"),
        Subject(names.commands, "Command"),
    ]


def subject_of(topology: Topology) -> dict[str, str]:
    """Record type -> the subject that says its id. One schema has one id, whatever the subject."""
    found: dict[str, str] = {}
    for subject in subjects(topology):
        found.setdefault(subject.record, subject.name)
    return found
