"""What differs between two definitions, in words."""

from dataclasses import replace

from touchstone.topology.compile import deciding
from touchstone.topology.fingerprint import canonical, differences
from touchstone.topology.load import default_topology_path, load_text, load_topology

TOPOLOGY = load_topology(default_topology_path())


def test_a_rule_that_changed_is_named_with_its_journey_and_both_values() -> None:
    """The path is that of the topology, by names and not by numbers."""
    other = load_text(default_topology_path().read_text().replace("for: 48h", "for: 47h"), "other")

    found = differences(canonical(deciding(TOPOLOGY)), canonical(deciding(other)))

    assert "journeys.purchase.rules.abandoned.absence_ms: was 172800000, is 169200000" in found


def test_what_is_new_and_what_is_gone_is_named() -> None:
    """Without repeating all of it."""
    kinds = dict(TOPOLOGY.kinds)
    del kinds["phone"]
    other = replace(TOPOLOGY, kinds=kinds)
    here, there = canonical(deciding(TOPOLOGY)), canonical(deciding(other))

    assert differences(here, there) == ["kinds.phone: is gone"]
    assert differences(there, here) == ["kinds.phone: is new"]


def test_equal_definitions_differ_in_nothing() -> None:
    """Also when one was read back from JSON."""
    assert differences(canonical(deciding(TOPOLOGY)), canonical(deciding(load_topology(default_topology_path())))) == []
