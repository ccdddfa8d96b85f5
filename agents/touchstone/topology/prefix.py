"""A topology on topics of its own."""

from dataclasses import replace

from touchstone.topology.compile import Topology


def prefixed(topology: Topology, prefix: str) -> Topology:
    """The same topology on topics of its own: several installations, or a trial beside the real one, on one Kafka."""
    if not prefix:
        return topology
    names = topology.topics
    return replace(
        topology,
        channels={name: replace(channel, topic=prefix + channel.topic) for name, channel in topology.channels.items()},
        outputs=tuple(replace(output, topic=prefix + output.topic) for output in topology.outputs),
        topics=replace(
            names,
            moments=prefix + names.moments,
            customers=prefix + names.customers,
            identities=prefix + names.identities,
            deadletters=prefix + names.deadletters,
            commands=prefix + names.commands,
            reviews=prefix + names.reviews,
            privacy=prefix + names.privacy,
        ),
    )
