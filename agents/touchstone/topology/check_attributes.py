"""Faults of the golden record: rules that are never asked, derivations that lack something, attributes that nobody defined."""

from collections.abc import Iterator, Mapping

from touchstone.topology.check_journey import check_match, known_channels
from touchstone.topology.explain import Location
from touchstone.topology.findings import Findings
from touchstone.topology.model import WrittenTopology
from touchstone.topology.model_attributes import EVERY, WrittenAttribute, WrittenCriterion, WrittenDerivation

_WAYS = ("age_of", "number_of", "cases", "collect")


def check_attributes(topology: WrittenTopology, found: Findings) -> None:
    """Write down every fault of `attributes`."""
    channels = known_channels(topology, found)
    above: set[str] = set()
    for name, attribute in topology.attributes.items():
        here: Location = ("attributes", name)
        if name == EVERY and (attribute.multi or attribute.derive is not None):
            key = "multi" if attribute.multi else "derive"
            found.at_key(
                (*here, key), f"`{EVERY}` stands for attributes that nobody has named: give the ones you mean an entry of their own"
            )
            continue
        _check_criteria((*here, "by"), attribute, channels, found)
        if attribute.derive is not None and not found.lost(here):
            _check_derivation((*here, "derive"), name, attribute, topology.attributes, above, found)
            for part, match in (("add", attribute.derive.add), ("remove", attribute.derive.remove)):
                if match is not None:
                    check_match((*here, "derive", part), match, channels, found)
        above.add(name)


def _check_criteria(here: Location, attribute: WrittenAttribute, channels: set[str] | None, found: Findings) -> None:
    if attribute.derive is not None and "by" in attribute.model_fields_set:
        found.at_key(here, "a derived attribute has one value, which nobody states: take `by` out")
        return
    asked: list[str] = []
    for n, criterion in enumerate(attribute.by):
        place: Location = (*here, n)
        if found.lost(place):
            continue
        words = list(_words(criterion))
        if len(words) != 1:
            found.at(place, "expected one rule: most_recent, most_frequent, longest, {source: [...]} or {channel: [...]}")
            continue
        if "most_recent" in asked:
            found.at(place, f"`{words[0]}` is never asked: two touchpoints are never equally recent; put `most_recent` last")
        elif words[0] in asked:
            found.at(place, f"`{words[0]}` is never asked: it stands there before")
        asked += words
        for kind, ranks in (("source", criterion.source), ("channel", criterion.channel)):
            for k, word in enumerate(ranks or ()):
                if word in (ranks or ())[:k]:
                    found.at((*place, kind, k), f"duplicate {kind} `{word}`")
                elif kind == "channel" and channels is not None and word not in channels:
                    found.unknown((*place, kind, k), "channel", word, channels)


def _words(criterion: WrittenCriterion) -> Iterator[str]:
    if criterion.rule is not None:
        yield criterion.rule
    for kind in ("source", "channel"):
        if getattr(criterion, kind) is not None:
            yield kind


def _check_derivation(
    here: Location, name: str, attribute: WrittenAttribute, entries: Mapping[str, WrittenAttribute], above: set[str], found: Findings
) -> None:
    derive = attribute.derive
    assert derive is not None
    if attribute.multi:
        found.at_key((*here[:-1], "multi"), "a derived attribute has one value (a collection is a list): take `multi` out")
    ways = [way for way in _WAYS if getattr(derive, way) is not None]
    if len(ways) != 1:
        said = ", ".join(ways) or "none"
        found.at_key(here, f"`{name}` is derived in one way: expected one of age_of, number_of, cases and collect, found {said}")
        return
    _check_parts(here, ways[0], derive, found)
    _check_bands((*here, "bands"), derive, found)
    for place, word in _references(here, derive):
        if word == name:
            found.at_key(place, f"`{name}` cannot follow from itself")
        elif word not in entries or word == EVERY:
            if not found.lost(("attributes", word)):
                found.unknown_key(place, "attribute", word, entries.keys() - {EVERY, name})
        elif entries[word].derive is not None and word not in above:
            found.at_key(place, f"`{name}` follows from `{word}`, which is derived itself: put `{word}` above it")


def _check_parts(here: Location, way: str, derive: WrittenDerivation, found: Findings) -> None:
    wants_bands, wants_add = way in {"age_of", "number_of"}, way == "collect"
    if wants_bands and not derive.bands:
        found.at_key((*here, way), f"`{way}` needs its bands: add `bands`, such as `bands: {{minor: 0, adult: 18}}`")
    if derive.bands is not None and not wants_bands:
        found.at_key((*here, "bands"), "`bands` belong to `age_of` or `number_of`")
    if wants_add and derive.add is None:
        found.at_key((*here, way), "a collection needs touchpoints that fill it: add `add`, such as `add: {type: order_paid}`")
    for part in ("add", "remove"):
        if getattr(derive, part) is not None and not wants_add:
            found.at_key((*here, part), f"`{part}` belongs to `collect`")
    for value, asked in (derive.cases or {}).items():
        for attribute, condition in asked.items():
            if not condition.asked:
                found.at(
                    (*here, "cases", value, attribute), f"nothing is asked of `{attribute}`: expected a value, or is, at_least, in, ..."
                )


def _check_bands(here: Location, derive: WrittenDerivation, found: Findings) -> None:
    before = None
    for label, begin in (derive.bands or {}).items():
        if derive.age_of is not None and not (isinstance(begin, int) and 0 <= begin <= 200):
            found.at((*here, label), f"expected whole years, 0 to 200, found {begin}")
        elif before is not None and begin <= before:
            found.at((*here, label), f"expected bands in rising order: more than {before}, found {begin}")
        before = begin


def _references(here: Location, derive: WrittenDerivation) -> Iterator[tuple[Location, str]]:
    """Where another attribute is named: in a value, or as the key of a condition."""
    if derive.age_of is not None:
        yield (*here, "age_of"), derive.age_of
    if derive.number_of is not None:
        yield (*here, "number_of"), derive.number_of
    for value, asked in (derive.cases or {}).items():
        for attribute in asked:
            yield (*here, "cases", value, attribute), attribute
