"""Loading: the shipped topology, the form of DESIGN.md, files that are none, and whatever else may stand in a file."""

import string
import time
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import TopologyError, UsageError
from touchstone.topology.compile import Consent, Topology
from touchstone.topology.load import default_topology_path, load_text, load_topology
from touchstone.topology.match import Comparison

HOUR, DAY = 3_600_000, 86_400_000
MINIMAL = "version: 1\nname: shop\nchannels: {web: {}}\nidentifiers: {user_id: {}}\n"

# DESIGN.md 4, as it stands there.
DESIGN = """\
version: 1
name: retail
lateness: 24h            # later ones still correct, are counted and flagged
retention: 3650d         # within it the promise of convergence holds
clock: wall              # wall | event (history, tests)
limits: {identifiers_per_person: 1000, merges_per_person: 10, record: 64KiB}
channels:
  web:         {topic: touchpoints.web.v1, media: owned, aliases: [website]}
  call_center: {topic: touchpoints.call_center.v1, media: owned, aliases: [call_centre, phone]}
  social:      {topic: touchpoints.social.v1, media: earned}
identifiers:             # strongest first
  user_id:   {unique: true}
  email:     {persons: 2, per_person: 5, normalise: email, blocked: [test@test.com]}
  phone:     {persons: 2, normalise: phone, guard: {stronger: 20, weaker: 1000}}
  device_id: {persons: 1}
  cookie:    {persons: 1, aliases: [ecid, aaid, domain_userid, network_userid, anonymous_id]}
types:
  cart_add:  {aliases: [add_to_cart]}
journeys:
  purchase:
    phases: [awareness, interest, decision, purchase, use, loyalty, advocacy]
    rules:
      - {name: searched, when: {type: search}, to: interest}
      - {name: looked_twice, when: {type: product_view, count: 2, within: 7d}, to: interest}
      - {name: abandoned, from: decision, without: {type: [cart_add, quote]}, for: 48h, to: interest}
    dormant: {after: 30d}
outputs:
  marketing: {topic: marketing-moments.v1, journeys: [purchase], purpose: marketing}
"""


@pytest.fixture(scope="module")
def shipped() -> Topology:
    """The topology that ships with touchstone."""
    return load_topology(default_topology_path())


def test_the_form_of_the_design_is_understood() -> None:
    """Of DESIGN.md's example nothing is refused but what it leaves out: rules to six phases."""
    with pytest.raises(TopologyError) as caught:
        load_text(DESIGN, "design.yaml")

    assert [(fault.line, fault.message.split(":")[0]) for fault in caught.value.faults] == [
        (21, f"unreachable phase `{phase}`") for phase in ("awareness", "decision", "purchase", "use", "loyalty", "advocacy")
    ]


def test_the_example_of_the_design_loads_once_it_is_complete() -> None:
    """With rules to its other phases DESIGN.md's example is a topology; a purpose needs no entry of its own to be asked for."""
    rules = "\n".join(
        f"      - {{name: to_{phase}, when: {{type: {phase}}}, to: {phase}}}"
        for phase in ("awareness", "decision", "purchase", "use", "loyalty", "advocacy")
    )
    text = DESIGN.replace("    dormant:", f"{rules}\n    dormant:")

    topology = load_text(text, "design.yaml")

    assert topology.lateness_ms == 24 * HOUR
    assert topology.record_bytes == 65_536
    assert (topology.asking[0].purpose, topology.consents) == ("marketing", {"marketing": Consent(denial_wins=True, assumed=False)})
    assert list(topology.kinds) == ["user_id", "email", "phone", "device_id", "cookie"]
    assert topology.journeys[0].dormant_ms == 30 * DAY
    assert topology.outputs[0].journeys == frozenset({"purchase"})


def test_the_shipped_topology_has_the_identifiers_of_the_stories(shipped: Topology) -> None:
    """SCENARIOS.md names six kinds and their limits; further kinds stand between them without changing their order."""
    kinds = shipped.kinds
    order = ["user_id", "loyalty_id", "email", "phone", "device_id", "cookie"]

    assert [name for name in kinds if name in order] == order
    assert [kinds[name].rank for name in kinds] == list(range(len(kinds)))
    assert [name for name in order if kinds[name].unique] == ["user_id", "loyalty_id"]
    assert [kinds[name].persons for name in order] == [1, 1, 2, 2, 1, 1]
    assert kinds["email"].per_person == 5
    assert (kinds["email"].normalise, kinds["phone"].normalise) == ("email", "phone")
    assert {"complaint_id", "device_user_id"} <= set(kinds)
    assert (shipped.identifiers_per_person, shipped.merges_per_person) == (1_000, 10)
    assert (shipped.lateness_ms, shipped.skew_ms) == (24 * HOUR, HOUR // 12)


def test_the_shipped_topology_has_the_channels_that_customers_use(shipped: Topology) -> None:
    """Twelve channels, each with its topic and medium."""
    names = ["web", "app", "iot", "call_center", "social", "store", "email", "push", "ad", "chat", "partner", "back_office"]

    assert list(shipped.channels) == names
    assert [channel.topic for channel in shipped.channels.values()] == [f"touchpoints.{name}.v1" for name in names]
    assert all(channel.media for channel in shipped.channels.values())
    assert shipped.channel_aliases["call_centre"] == "call_center"


@pytest.mark.parametrize("value", ["", "null", "NULL", "Anonymous", "undefined", "0000000000", "0000-0000", "-"])
def test_the_shipped_topology_blocks_placeholders(shipped: Topology, value: str) -> None:
    """Placeholders identify nobody, whatever their kind and case."""
    assert all(
        value.casefold() in kind.blocked or any(pattern.search(value) for pattern in kind.blocked_patterns)
        for kind in shipped.kinds.values()
    )


def test_the_shipped_topology_knows_the_words_of_the_data_sets(shipped: Topology) -> None:
    """The words of Snowplow and Adobe arrive as ours."""
    assert {shipped.kind_aliases[word] for word in ("ecid", "aaid", "domain_userid", "network_userid", "anonymous_id")} == {"cookie"}
    assert shipped.type_aliases["add_to_cart"] == "cart_add"
    assert shipped.type_aliases["purchase"] == shipped.type_aliases["transaction"] == "order_paid"


def test_the_shipped_journey_is_that_of_the_stories(shipped: Topology) -> None:
    """Seven phases; a second order counts as loyalty before it counts as a purchase; the way back needs a refund or silence."""
    (journey,) = shipped.journeys
    rules = {rule.name: rule for rule in journey.rules}

    assert journey.phases == ("awareness", "interest", "decision", "purchase", "use", "loyalty", "advocacy")
    assert journey.dormant_ms == 30 * DAY
    assert rules["loyal"].index < rules["purchased"].index
    assert (rules["loyal"].count, rules["loyal"].within_ms) == (2, 365 * DAY)
    assert rules["reviewed"].match.where == (Comparison(("properties", "rating"), "at_least", 4),)
    assert (rules["refunded"].after, rules["refunded"].within_ms) == (frozenset({"order_paid"}), 14 * DAY)
    assert rules["refunded"].from_phases == frozenset({"purchase", "use"})
    assert (rules["abandoned"].absence_ms, rules["abandoned"].match.types) == (48 * HOUR, frozenset({"cart_add", "quote"}))


def test_the_smallest_topology_has_the_documented_defaults() -> None:
    """What nobody writes is what the reference page says."""
    topology = load_text(MINIMAL, "t.yaml")
    kind = topology.kinds["user_id"]

    assert (topology.lateness_ms, topology.retention_ms, topology.moments_retention_ms) == (DAY, 3_650 * DAY, 400 * DAY)
    assert (topology.skew_ms, topology.clock, topology.partitions) == (300_000, "wall", 12)
    assert topology.channels["web"].topic == "touchpoints.web.v1"
    assert (topology.channels["web"].media, topology.channels["web"].format) == (None, "json")
    assert (kind.unique, kind.persons, kind.per_person, kind.normalise) == (False, 1, None, "none")
    assert (kind.guard_stronger, kind.guard_weaker) == (20, 1_000)
    assert {"null", "undefined", ""} <= kind.blocked
    assert topology.topics.moments == "moments.v1"


def test_a_file_is_read_as_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    """Editors put a byte order mark in front; it is no part of the content."""
    file = tmp_path / "t.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())

    assert load_topology(file).name == "shop"


def test_a_file_in_another_encoding_is_refused_with_the_place(tmp_path: Path) -> None:
    """The first byte that is no UTF-8 has a line and a column."""
    file = tmp_path / "t.yaml"
    file.write_bytes("version: 1\nname: Müller\n".encode("latin-1"))

    with pytest.raises(TopologyError) as caught:
        load_topology(file)

    assert [(fault.file, fault.line, fault.column) for fault in caught.value.faults] == [(str(file), 2, 8)]
    assert "UTF-8" in caught.value.faults[0].message


def test_a_file_that_does_not_exist_is_the_users_mistake(tmp_path: Path) -> None:
    """A wrong path is said in words, with what to do."""
    with pytest.raises(UsageError, match=r"no topology at .*missing\.yaml: expected a YAML file"):
        load_topology(tmp_path / "missing.yaml")


def test_a_folder_is_the_users_mistake(tmp_path: Path) -> None:
    """A folder cannot be read as a file."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_topology(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """More than 1 MiB is no topology; it is refused before it is parsed."""
    file = tmp_path / "t.yaml"
    file.write_bytes(b"# " + b"x" * 1_048_576)

    with pytest.raises(TopologyError, match="expected a file of at most 1024 KiB, found more"):
        load_topology(file)


def test_a_bomb_of_aliases_is_refused_quickly() -> None:
    """Nine lines of nested aliases mean a billion values; they are refused after a hundred thousand."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    started = time.monotonic()

    with pytest.raises(TopologyError, match=r"t\.yaml:\d+:\d+: .*more than 100000 values: aliases"):
        load_text("\n".join(lines), "t.yaml")

    assert time.monotonic() - started < 20


def test_an_alias_of_itself_is_refused() -> None:
    """An alias inside its own anchor has no end."""
    with pytest.raises(TopologyError, match=r"t\.yaml:1:4: .*nested deeper than 40, or an alias contains itself"):
        load_text("a: &a [*a]", "t.yaml")


def test_a_few_aliases_are_welcome() -> None:
    """Anchors that say one thing once are what they were made for."""
    topology = load_text(MINIMAL.replace("{web: {}}", "{web: &own {media: owned}, app: *own}"), "t.yaml")

    assert [channel.media for channel in topology.channels.values()] == ["owned", "owned"]


@pytest.mark.parametrize("brackets", ["[" * 2_000, "{a: " * 500])
def test_deep_nesting_is_refused(brackets: str) -> None:
    """Thousands of open brackets do not exhaust the stack."""
    with pytest.raises(TopologyError):
        load_text(brackets, "t.yaml")


@given(st.text())
def test_any_text_is_a_topology_or_refused(text: str) -> None:
    """Whatever stands in a file, what comes out is a TopologyError with places."""
    _loads_or_is_refused(text)


_KEYS = st.sampled_from(
    [
        "version",
        "name",
        "channels",
        "identifiers",
        "types",
        "journeys",
        "outputs",
        "limits",
        "blocked",
        "phases",
        "rules",
        "when",
        "without",
        "from",
        "to",
        "for",
        "type",
        "where",
        "count",
        "within",
        "aliases",
        "guard",
        "stronger",
        "topic",
        "persons",
        "unique",
        "a",
        "b",
        "web",
    ]
)
_VALUES = st.recursive(
    st.sampled_from(
        ["a", "b", "web", "1h", "5", "0x1F", "true", "null", "~", "''", "1.5", ".nan", "-1", "!t x", "&x 1", "*x", "<<", "9" * 5_000]
    )
    | st.text(string.printable, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(_KEYS, inner), max_size=5).map(lambda items: f"{{{', '.join(f'{key}: {value}' for key, value in items)}}}")
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(_KEYS, _VALUES), max_size=8))
def test_any_document_of_our_own_words_is_a_topology_or_refused(entries: list[tuple[str, str]]) -> None:
    """The same for documents that come nearer: known keys in wrong places, with values of every kind."""
    _loads_or_is_refused("\n".join(f"{key}: {value}" for key, value in entries))


@given(st.data())
def test_any_cut_or_changed_topology_is_a_topology_or_refused(data: st.DataObject) -> None:
    """The same for a sound file in which something was cut out and something put in."""
    start = data.draw(st.integers(0, len(DESIGN)))
    end = data.draw(st.integers(start, min(len(DESIGN), start + 40)))
    inserted = data.draw(st.sampled_from(["", ":", "{", "]", "  ", "\n", "- ", "null", "5", "'", "*a", "&a "]))

    _loads_or_is_refused(DESIGN[:start] + inserted + DESIGN[end:])


def _loads_or_is_refused(text: str) -> None:
    try:
        load_text(text, "t.yaml")
    except TopologyError as error:
        faults = error.faults
    else:
        return
    assert faults
    assert all(fault.line > 0 and fault.column > 0 and fault.message for fault in faults)


def test_the_message_of_the_error_lists_every_fault() -> None:
    """The text of the exception is what the command line prints: one line a fault."""
    with pytest.raises(TopologyError) as caught:
        load_text(
            dedent("""\
            version: 0
            name: shop
            channels: {web: {}}
            identifiers: {user_id: {}}
            clock: sun
            """),
            "shop.yaml",
        )

    assert str(caught.value).splitlines() == [
        "shop.yaml:1:10: version: expected at least 1, found 0",
        "shop.yaml:5:8: clock: unknown word `sun`: expected one of `event`, `wall`",
    ]
