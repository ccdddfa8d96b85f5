"""What the engine gets: aliases resolved, milliseconds, and a fingerprint of what decides results."""

import pytest

from touchstone.topology.compile import Rule, Topology
from touchstone.topology.load import load_text
from touchstone.topology.match import Comparison

SHOP = """\
version: 1
name: shop
lateness: 24h
channels:
  web: {aliases: [website], media: owned}
  app: {}
identifiers:
  user_id: {unique: true}
  email: {persons: 2, per_person: 5, blocked: [Test@Test.com, /@example\\.org$/]}
  cookie: {aliases: [ecid]}
types:
  cart_add: {aliases: [add_to_cart]}
journeys:
  buy:
    phases: [looking, buying]
    rules:
      - {name: looked, when: {type: [page, add_to_cart], channel: website, where: {rating: {at_least: 4, below: 6}}}, to: looking}
      - {name: bought, when: {type: order, after: add_to_cart, within: 1h}, to: buying}
      - {name: left, from: buying, without: {}, for: 2d, to: looking}
"""


@pytest.fixture
def shop() -> Topology:
    """A small topology."""
    return load_text(SHOP, "shop.yaml")


def rule(topology: Topology, name: str) -> Rule:
    """The rule of that name."""
    return next(rule for journey in topology.journeys for rule in journey.rules if rule.name == name)


def test_aliases_in_rules_become_names(shop: Topology) -> None:
    """Types and channels are renamed on the way in, so a rule that says an alias means the name."""
    assert rule(shop, "looked").match.types == frozenset({"page", "cart_add"})
    assert rule(shop, "looked").match.channels == frozenset({"web"})
    assert rule(shop, "bought").after == frozenset({"cart_add"})


def test_several_comparisons_of_one_attribute_all_count(shop: Topology) -> None:
    """Each operator is a comparison of its own; a bare attribute is one of properties."""
    path = ("properties", "rating")

    assert rule(shop, "looked").match.where == (Comparison(path, "at_least", 4), Comparison(path, "below", 6))


@pytest.mark.parametrize(
    ("written", "path", "operator", "value"),
    [
        ("rating: 5", ("properties", "rating"), "is", 5),
        ("rating: five", ("properties", "rating"), "is", "five"),
        ("rating: true", ("properties", "rating"), "is", True),
        ("rating: {is: 0}", ("properties", "rating"), "is", 0),
        ("rating: {is: false}", ("properties", "rating"), "is", False),
        ("rating: {is_not: ''}", ("properties", "rating"), "is_not", ""),
        ("rating: {exists: false}", ("properties", "rating"), "exists", False),
        ("rating: {in: [4, five]}", ("properties", "rating"), "in", (4, "five")),
        ("order.total: {above: 0}", ("properties", "order", "total"), "above", 0),
        ("properties.rating: 5", ("properties", "rating"), "is", 5),
        ("context.campaign: spring", ("context", "campaign"), "is", "spring"),
        ("profile.address.city: Berlin", ("profile", "address", "city"), "is", "Berlin"),
        ("context: here", ("properties", "context"), "is", "here"),
    ],
)
def test_a_condition_has_a_path_an_operator_and_a_value(written: str, path: tuple[str, ...], operator: str, value: object) -> None:
    """Every way to write a condition ends as one comparison; values of nothing (0, false, an empty text) are values."""
    topology = load_text(SHOP.replace("rating: {at_least: 4, below: 6}", written), "shop.yaml")

    (comparison,) = rule(topology, "looked").match.where
    assert (comparison.path, comparison.operator, comparison.value) == (path, operator, value)
    assert type(comparison.value) is type(value)


def test_an_absence_keeps_its_time_and_its_phases(shop: Topology) -> None:
    """An absence without conditions waits for any touchpoint."""
    left = rule(shop, "left")

    assert (left.absence_ms, left.from_phases) == (172_800_000, frozenset({"buying"}))
    assert (left.match.types, left.match.channels, left.match.where) == (None, None, ())


def test_rank_follows_the_order_of_the_file(shop: Topology) -> None:
    """The first kind is the strongest; a unique one has one value per person and a wider guard against weaker ones."""
    assert [(kind.name, kind.rank, kind.per_person, kind.guard_weaker) for kind in shop.kinds.values()] == [
        ("user_id", 0, 1, 10_000),
        ("email", 1, 5, 1_000),
        ("cookie", 2, None, 1_000),
    ]


def test_blocked_values_ignore_case_and_cover_every_kind(shop: Topology) -> None:
    """A kind's own blocked values come on top of those of all kinds; patterns are searched without regard to case."""
    email = shop.kinds["email"]

    assert {"test@test.com", "null"} <= email.blocked
    assert "test@test.com" not in shop.kinds["cookie"].blocked
    assert any(pattern.search("ada@EXAMPLE.org") for pattern in email.blocked_patterns)


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("version: 1", "version: 2"),
        ("lateness: 24h", "lateness: 25h"),
        ("persons: 2", "persons: 3"),
        ("aliases: [ecid]", "aliases: [aaid]"),
        ("aliases: [add_to_cart]", "aliases: [add_to_cart, basket_add]"),
        ("Test@Test.com, ", ""),
        ("within: 1h", "within: 2h"),
        ("name: left", "name: gone"),
        ("below: 6", "at_most: 6"),
        ("lateness: 24h", "lateness: 24h\nlimits: {merges_per_person: 9}"),
        ("lateness: 24h", "lateness: 24h\nretention: 400d"),
        ("lateness: 24h", "lateness: 24h\nskew: 6m"),
        ("lateness: 24h", "lateness: 24h\nblocked: []"),
        ("  user_id: {unique: true}\n", ""),
    ],
)
def test_what_decides_results_changes_the_fingerprint(shop: Topology, written: str, changed: str) -> None:
    """A state folded under another fingerprint may say other things, so each of these makes another one."""
    assert written in SHOP

    assert load_text(SHOP.replace(written, changed), "shop.yaml").fingerprint != shop.fingerprint


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("name: shop", "name: store"),
        ("  app: {}\n", ""),
        ("lateness: 24h", "lateness: 24h\nclock: event"),
        ("media: owned", "media: paid"),
        ("lateness: 24h", "lateness: 24h # a comment"),
        ("lateness: 24h", "lateness: 1d"),
        ("lateness: 24h", "lateness: 24h\npartitions: 3"),
        ("lateness: 24h", "lateness: 24h\nmoments_retention: 10d"),
        ("lateness: 24h", "lateness: 24h\ntopics: {moments: other.v1}"),
        ("lateness: 24h", "lateness: 24h\noutputs: {o: {topic: other.v1, kinds: regression}}"),
        ("  app: {}", "  app: {topic: elsewhere.v1, format: avro}"),
        ("type: order,", "type: [order],"),
    ],
)
def test_what_decides_nothing_keeps_the_fingerprint(shop: Topology, written: str, changed: str) -> None:
    """Channels, names of topics, partitions, encodings, the clock, comments and other spellings may change while a state lives on."""
    assert written in SHOP

    assert load_text(SHOP.replace(written, changed), "shop.yaml").fingerprint == shop.fingerprint


def test_the_fingerprint_is_the_same_in_every_process(shop: Topology) -> None:
    """It is stored with the state and must not depend on Python's hash seed or the order of sets."""
    assert shop.fingerprint == "6b946fe9342f09235906e9f8aa31927a"
