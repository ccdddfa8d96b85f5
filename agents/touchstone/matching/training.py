"""How a model is learnt: u from pairs drawn at random, m by expectation and maximisation over the pairs that share a block, or from labels.

Expectation and maximisation alone, on blocked pairs, converges on whatever class is plain to see, such as "same household". Here it cannot:
u is measured, the two kinds of non-matches have classes of their own, every pair that shares no block counts as a stranger, and what
is expected beforehand weighs like some tens of pairs.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from touchstone.matching.blocking import DEFAULT_BLOCKS, Block, candidates
from touchstone.matching.cluster import TELLING, Between, Edge, cluster
from touchstone.matching.compare import Codes, Levels, compare
from touchstone.matching.features import FEATURES, MISSING, Feature, holder_value
from touchstone.matching.judge import bits
from touchstone.matching.model import FeatureModel, Model, default_model, digest, sealed
from touchstone.matching.records import Record
from touchstone.matching.score import Bits, Scorer

RANDOM_PAIRS = 300_000
BELIEF_M = 50.0
BELIEF_TELLING = 65.0
BELIEF_U = 20.0
MOST_OTHER = 4.0
"""That one person has two given names that both exist does not become likelier than so many times what was expected: twins look like that."""
BELIEF_FREQUENCY = 100.0
"""What is expected beforehand weighs like so many pairs. For what tells people apart it weighs more: in few records a model without labels
would take two people for one, then find that one person's dates of birth differ, and then find still more such people."""
LEAST = 0.05
"""A chance does not fall below this share of what was expected: what no sample has shown may happen all the same."""
ROUNDS = 25
_SETTLED = 1e-4

Progress = Callable[[str], None]


def train(
    records: Sequence[Record],
    *,
    blocks: Sequence[Block] = DEFAULT_BLOCKS,
    seed: int = 1,
    trained_on: str = "records",
    progress: Progress = lambda _: None,
) -> Model:
    """A model of these records, without labels. The same records give the same model.

    Two passes: the first finds most of the duplicates, so that the second neither takes them for strangers nor counts one person's
    three records as three people of that name.
    """
    progress("blocking")
    found = candidates(records, blocks)
    progress(f"comparing {len(found):,} pairs")
    levels = compare(records, found.left, found.right)
    progress("comparing pairs drawn at random")
    some = _random_pairs(len(records), seed)
    random_levels = compare(records, *some)
    model = msgspec.structs.replace(default_model(len(records)), trained_on=trained_on)
    model = _with_u(model, random_levels, np.ones(len(random_levels)))
    for number in (1, 2):
        progress(f"learning, pass {number} of 2")
        model = _expectation_maximisation(model, records, found.left, levels)
        strangers = _responsibilities(Scorer(model), records, some[0], random_levels)[2]
        model = _with_u(model, random_levels, strangers)
        model = _with_frequencies(model, records, people(model, records, found.left, found.right, levels))
    model = _expectation_maximisation(model, records, found.left, levels)
    return sealed(model)


def people(model: Model, records: Sequence[Record], left: Codes, right: Codes, levels: Levels) -> list[frozenset[str]]:
    """The people that a model sees in records whose pairs are compared already."""
    scorer = Scorer(model)
    scores = scorer.weigh(records, left, levels)
    return cluster(records, edges(records, left, right, scores), bits(model.accept), between=between(scorer, records))[0]


def between(scorer: Scorer, records: Sequence[Record]) -> Between:
    """What any two records say of each other, also those that share no block."""
    by_id = {record.id: record for record in records}
    return lambda one, other: scorer.score_pair(by_id[one], by_id[other])


def edges(records: Sequence[Record], left: Codes, right: Codes, scores: Bits) -> list[Edge]:
    """Scored pairs of positions as edges between the records' ids."""
    ids = [record.id for record in records]
    return [
        Edge(score, min(ids[one], ids[other]), max(ids[one], ids[other]))
        for one, other, score in zip(left.tolist(), right.tolist(), scores.tolist(), strict=True)
    ]


def _random_pairs(records: int, seed: int) -> tuple[Codes, Codes]:
    """All pairs of few records, or so many drawn at random of many."""
    if records * (records - 1) // 2 <= RANDOM_PAIRS:
        left, right = np.triu_indices(records, 1)
        return left, right
    generator = np.random.default_rng(seed)
    left = generator.integers(0, records, RANDOM_PAIRS)
    right = (left + generator.integers(1, records, RANDOM_PAIRS)) % records
    return left, right


def _with_u(model: Model, levels: Levels, weights: NDArray[np.float64]) -> Model:
    """The model with the chances of strangers as they are in pairs drawn at random, each weighed by its chance to be one of strangers."""
    beforehand = default_model(model.records)
    return _with_features(
        model,
        {
            feature.name: msgspec.structs.replace(
                model.features[feature.name], u=_shares(levels[:, n], weights, beforehand.features[feature.name].u, BELIEF_U)
            )
            for n, feature in enumerate(FEATURES)
        },
    )


def _with_m(model: Model, levels: Levels, weights: NDArray[np.float64]) -> Model:
    beforehand = default_model(model.records)
    return _with_features(
        model,
        {
            feature.name: msgspec.structs.replace(
                model.features[feature.name], m=_m(feature, levels[:, n], weights, beforehand.features[feature.name].m)
            )
            for n, feature in enumerate(FEATURES)
        },
    )


def _with_features(model: Model, features: Mapping[str, FeatureModel]) -> Model:
    return msgspec.structs.replace(model, features=dict(features))


def _shares(levels: NDArray[np.int8], weights: NDArray[np.float64], beforehand: tuple[float, ...], belief: float) -> tuple[float, ...]:
    known = levels != MISSING
    counts = np.bincount(levels[known], weights=weights[known], minlength=len(beforehand)) + belief * np.array(beforehand)
    shares = np.maximum(counts / counts.sum(), LEAST * np.array(beforehand))
    return tuple((shares / shares.sum()).tolist())


def _m(feature: Feature, levels: NDArray[np.int8], weights: NDArray[np.float64], beforehand: tuple[float, ...]) -> tuple[float, ...]:
    shares = np.array(_shares(levels, weights, beforehand, BELIEF_TELLING if feature.name in TELLING else BELIEF_M))
    most = MOST_OTHER * beforehand[0]
    if feature.name == "given" and shares[0] > most:
        shares[1:] *= (1 - most) / shares[1:].sum()
        shares[0] = most
    return tuple(shares.tolist())


def _expectation_maximisation(model: Model, records: Sequence[Record], left: Codes, levels: Levels) -> Model:
    pairs = len(records) * (len(records) - 1) / 2
    for _ in range(ROUNDS):
        match, household, _ = _responsibilities(Scorer(model), records, left, levels)
        before = model.match
        model = msgspec.structs.replace(
            _with_m(model, levels, match),
            match=min(float(match.sum() + 1) / (pairs + 10), 0.3),
            household=min(float(household.sum() + 0.1) / (pairs + 10), 0.3),
        )
        if abs(model.match / before - 1) < _SETTLED:
            break
    return model


def _responsibilities(
    scorer: Scorer, records: Sequence[Record], left: Codes, levels: Levels
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """For each pair the chances that it is one person, two of a household, two strangers."""
    for_match, for_household = scorer.against_strangers(records, left, levels)
    match = scorer.model.match * np.exp2(np.minimum(for_match, 500))
    household = scorer.model.household * np.exp2(np.minimum(for_household, 500))
    total = match + household + (1 - scorer.model.match - scorer.model.household)
    return match / total, household / total, 1 - (match + household) / total


def _with_frequencies(model: Model, records: Sequence[Record], found: Sequence[frozenset[str]]) -> Model:
    """The model with how many people, not records, have each value."""
    by_id = {record.id: record for record in records}
    features, beforehand = dict(model.features), default_model(model.records).features
    for feature in FEATURES:
        holders: Counter[str] = Counter()
        with_any = 0
        for person in found:
            values = {holder_value(feature.name, value) for member in person if (value := by_id[member].values.get(feature.name))}
            with_any += bool(values)
            holders.update(values)
        if with_any:
            rare, frequencies = _frequencies(holders, with_any, min(beforehand[feature.name].u[-1], features[feature.name].u[-1]))
            features[feature.name] = msgspec.structs.replace(features[feature.name], rare=rare, frequencies=frequencies)
    return _with_features(model, features)


def _frequencies(holders: Mapping[str, int], people: int, expected: float) -> tuple[float, dict[str, float]]:
    """How likely a stranger has a value: `expected` where few people are known, then more and more what they show.

    By Good and Turing: that two hold a value says little where nearly all values have one holder.
    """
    of_size = Counter(holders.values())
    adjusted = {count: (count + 1) * of_size[count + 1] / of_size[count] for count in (1, 2, 3) if of_size[count]}

    def chance(count: int) -> float:
        return (min(adjusted.get(count, count), count) + BELIEF_FREQUENCY * expected) / (people + BELIEF_FREQUENCY)

    rare = chance(1)
    return rare, {digest(value): found for value, count in sorted(holders.items()) if count > 1 and (found := chance(count)) > rare}


def train_supervised(
    records: Sequence[Record],
    truth: Mapping[str, str],
    *,
    blocks: Sequence[Block] = DEFAULT_BLOCKS,
    seed: int = 1,
    trained_on: str = "records",
    progress: Progress = lambda _: None,
) -> Model:
    """A model of records whose people are known: `truth` says for each record's id whose it is."""
    progress("blocking")
    found = candidates(records, blocks)
    progress(f"comparing {len(found):,} pairs")
    levels = compare(records, found.left, found.right)
    some = _random_pairs(len(records), seed)
    random_levels = compare(records, *some)
    progress("learning")
    owner = np.array([truth[record.id] for record in records])
    same = owner[found.left] == owner[found.right]
    pairs = len(records) * (len(records) - 1) / 2
    model = msgspec.structs.replace(default_model(len(records)), trained_on=trained_on)
    model = _with_u(model, random_levels, (owner[some[0]] != owner[some[1]]).astype(float))
    model = _with_m(model, levels, same.astype(float))
    whole: dict[str, set[str]] = {}
    for record in records:
        whole.setdefault(truth[record.id], set()).add(record.id)
    model = _with_frequencies(model, records, [frozenset(members) for members in whole.values()])
    _, household, _ = _responsibilities(Scorer(model), records, found.left, levels)
    return sealed(
        msgspec.structs.replace(
            model,
            match=min(float(same.sum() + 1) / (pairs + 10), 0.3),
            household=min(float((household * ~same).sum() + 0.1) / (pairs + 10), 0.3),
        )
    )
