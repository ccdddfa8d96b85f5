"""How long what is kept is said as the topics are set."""

from dataclasses import replace

from tests.unit.privacy.world import TOPOLOGY
from touchstone.app import topic_specs
from touchstone.stewardship.access import kept
from touchstone.topology.prefix import prefixed


def test_every_topic_is_named_with_how_long_it_keeps_what() -> None:
    """None is forgotten; a topic of touchpoints is its owner's, the profile is replaced, commands stay."""
    topology = prefixed(replace(TOPOLOGY, moments_retention_ms=30 * 86_400_000, retention_ms=7_200_000), "t.")

    rows = kept(topology, "app")

    told = {row.where: row.how_long for row in rows}
    assert told.keys() == {"workers", *(spec.name for spec in topic_specs(topology, "app"))}
    assert told["t.moments.v1"] == "30d"
    assert told["t.customers.v1"] == "the last version, as long as you are known"
    assert told["t.identities.v1"] == "400d"
    assert told["t.commands.v1"] == "for ever"
    assert told["t.touchpoints.web.v1"] == "as its owner has set it"
    assert [row.how_long for row in rows if row.where == "workers"] == [
        "2h; of older ones the last of each type",
        "what happened in the last 2h",
    ]
