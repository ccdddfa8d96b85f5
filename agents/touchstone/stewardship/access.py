"""What was said of one person on each topic, and how long each topic keeps it: from records of a file, or as they were read from the topics."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from touchstone.app import channel_topics, topic_specs
from touchstone.model.output import Carried, IdentityChange, Moment
from touchstone.pipeline import OutputRecord
from touchstone.privacy.held import Carrier, Kept, Rights
from touchstone.topology.compile import Output, Topology
from touchstone.topology.quantity import duration_text

_FOR_EVER = "-1"


class Line(NamedTuple):
    """A topic of moments; that of all of them has no output."""

    topic: str
    output: Output | None


def lines_of(topology: Topology) -> list[Line]:
    """The topics that carry moments: that of all of them, and those of the outputs."""
    return [Line(topology.topics.moments, None), *(Line(output.topic, output) for output in topology.outputs)]


def said_on(line: Line, records: Iterable[OutputRecord]) -> list[Moment]:
    """What of a twin's records is said on this topic."""
    output = line.output
    if output is None or output.purpose is None:
        return [record for record in records if isinstance(record, Moment) and (output is None or output.wants(record))]
    return [record.moment for record in records if isinstance(record, Carried) and record.output == output.name]


def carriers(topology: Topology, moments: Mapping[str, Sequence[Moment]]) -> tuple[Carrier, ...]:
    """The topics with what was found on them."""
    return tuple(
        Carrier(topic, None if output is None else output.name, None if output is None else output.purpose, moments.get(topic, ()))
        for topic, output in lines_of(topology)
    )


def kept(topology: Topology, app: str) -> tuple[Kept, ...]:
    """Where data of a person lie, and for how long: the state of the workers, and every topic that may hold some."""
    told = duration_text(topology.retention_ms)
    names, channels = topology.topics, set(channel_topics(topology))
    what = {
        names.moments: "conclusions",
        names.customers: "your profile",
        names.identities: "changes of who is who",
        names.deadletters: "what could not be read, as it came in",
        names.commands: "rulings of our staff about who is who",
        names.reviews: "whom your details resemble, for our staff to look at",
        **{output.topic: f"conclusions for the output {output.name}" for output in topology.outputs},
    }
    rows = [
        Kept("workers", "what you did, in full", f"{told}; of older ones the last of each type"),
        Kept("workers", "what was concluded and said", f"what happened in the last {told}"),
    ]
    for spec in topic_specs(topology, app):
        if spec.name in channels:
            rows.append(Kept(spec.name, "what you did, as it came in", "as its owner has set it"))
        else:
            rows.append(Kept(spec.name, what.get(spec.name, "a copy of the state, or messages on their way"), _how_long(spec.config)))
    return tuple(rows)


def _how_long(config: Mapping[str, str]) -> str:
    policies, retention = config.get("cleanup.policy", "delete").split(","), config.get("retention.ms", _FOR_EVER)
    if "delete" not in policies:
        return "the last version, as long as you are known"
    how_long = "for ever" if retention == _FOR_EVER else duration_text(int(retention))
    return f"the last version, {how_long}" if "compact" in policies else how_long


def rights(contact: str | None) -> Rights:
    """What she may ask for."""
    return Rights(
        contact,
        "If something is wrong, say what is right: it enters as a new statement with its source and time, wins by the rules above, and what "
        "followed from the wrong one is taken back. If you were taken for somebody else, the two are kept apart from then on, by a "
        "ruling that outweighs all evidence.",
        "You may ask for all of it to be erased. Then what is named above is deleted or made unreadable, every conclusion that stands is "
        "taken back on every topic that carried it, and you get a receipt that names what each topic may still hold, and until when.",
    )


def about(ids: Iterable[str], changes: Iterable[IdentityChange]) -> list[IdentityChange]:
    """The changes that name one of these customer ids."""
    wanted = set(ids)
    return [change for change in changes if change.customer_id in wanted or wanted & set(change.customers)]
