"""Which topics an installation has."""

from dataclasses import replace

from touchstone.app import output_topics, topic_specs
from touchstone.topology.compile import Matching
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.subjects import subjects

SHOP = replace(load_topology(default_topology_path()), matching=None)
COMPARING = replace(SHOP, matching=Matching({"name": "full_name"}, {}, None, 100, None, None, 50, None))


def test_where_nothing_is_compared_there_are_no_reviews() -> None:
    """No topic, no subject, nothing that others could read."""
    assert "reviews.v1" not in {spec.name for spec in topic_specs(SHOP, "touchstone")}
    assert "reviews.v1" not in output_topics(SHOP)
    assert "Review" not in {subject.record for subject in subjects(SHOP)}


def test_reviews_have_a_topic_from_which_an_erasure_can_take_them_out() -> None:
    """Compacted, so that a tombstone takes one out; and deleted after 400 days as the other logs are."""
    (spec,) = (spec for spec in topic_specs(COMPARING, "touchstone") if spec.name == "reviews.v1")

    assert spec.config["cleanup.policy"] == "compact,delete"
    assert spec.config["retention.ms"] == str(400 * 86_400_000)
    assert "reviews.v1" in output_topics(COMPARING)
    assert ("reviews.v1-value", "Review") in {(subject.name, subject.record) for subject in subjects(COMPARING)}
