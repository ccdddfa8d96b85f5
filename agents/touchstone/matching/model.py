"""The frozen model: everything that a score depends on but the two records; saved as JSON with its hash."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from touchstone.errors import UsageError
from touchstone.matching.features import FEATURES

FORMAT = 1
"""Raise it when the same file begins to mean something else."""

ACCEPT = 0.85
REVIEW = 0.1
"""Probabilities: at least the first is one person, between the two a human should look."""

MATCHES_PER_RECORD = 0.2
"""Before training: how many other records of the same person a record has, on average."""


class FeatureModel(msgspec.Struct, frozen=True):
    """One feature as it was learnt: chances of each level among matches (m) and strangers (u); `shared` as in features.py.

    `frequencies` has for a value (by its digest, so that the file does not spell out names) how likely a stranger has it; `rare` is that for
    every other value. `rare` None: the value does not matter.
    """

    levels: tuple[str, ...]
    m: tuple[float, ...]
    u: tuple[float, ...]
    shared: float
    group: str = ""
    rare: float | None = None
    frequencies: dict[str, float] = {}


class Model(msgspec.Struct, frozen=True):
    """A model. `match` and `household` are the chances that a pair of records drawn at random is of one person, or of two who live together.

    `together` and `lowest` belong to the groups of correlated features: beside the strongest evidence for a match, what else a group says
    counts by this share; and a group can count against a match by no more bits than this (somebody has moved).
    """

    format: int
    trained_on: str
    records: int
    match: float
    household: float
    accept: float
    review: float
    together: float
    lowest: float
    features: dict[str, FeatureModel]
    version: str = ""

    @property
    def hash(self) -> str:
        """32 hexadecimal digits over the content: two models with the same hash give the same scores."""
        return _hash(self)


def default_model(records: int = 10_000) -> Model:
    """The model before anything was learnt, for so many records: cautious, and the same for everybody."""
    pairs = max(records - 1, 1) / 2
    features = {
        feature.name: FeatureModel(feature.levels, _sum_to_one(feature.m), _sum_to_one(feature.u), feature.shared, feature.group)
        for feature in FEATURES
    }
    chance = min(MATCHES_PER_RECORD / pairs, 0.1)
    return sealed(Model(FORMAT, "nothing", records, chance, chance, ACCEPT, REVIEW, 0.7, -6.0, features))


def digest(value: str) -> str:
    """What stands for a value in a model: short, the same everywhere."""
    return hashlib.blake2b(value.encode(), digest_size=6).hexdigest()


def sealed(model: Model) -> Model:
    """The model with its version, which follows from its content."""
    return msgspec.structs.replace(model, version=_hash(model)[:12])


def to_json(model: Model) -> bytes:
    """The file of a model, for humans too."""
    return msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(model), "hash": model.hash}), indent=1) + b"\n"


def from_json(content: bytes, file: str) -> Model:
    """The model in a file.

    Raises:
        UsageError: it is no model, of another format, or was changed by hand.
    """
    remedy = "take another file, or make one: touchstone match train RECORDS.csv --model FILE"
    try:
        stated = msgspec.json.decode(content)
        model = msgspec.convert(stated, Model)
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise UsageError(f"expected a model of `touchstone match train` in {file}, found something else ({wrong}); {remedy}") from None
    known: Mapping[str, tuple[str, ...]] = {feature.name: feature.levels for feature in FEATURES}
    found = {name: feature.levels for name, feature in model.features.items()}
    if model.format != FORMAT or found != known:
        raise UsageError(f"{file} was made by another version of touchstone: its features are not those of this one; train it anew")
    if isinstance(stated, dict) and stated.get("hash") != model.hash:
        raise UsageError(
            f"expected in {file} a model with the hash {stated.get('hash')}, found {model.hash}: it was changed after it was made; {remedy}"
        )
    return model


def load_model(file: Path) -> Model:
    """The model in a file.

    Raises:
        UsageError: it cannot be read, or is no model.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"expected a model in {file}, but it cannot be read: {error.strerror}") from None
    return from_json(content, str(file))


def _hash(model: Model) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(model, version=""), order="deterministic")).hexdigest()[:32]


def _sum_to_one(chances: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(chances)
    return tuple(chance / total for chance in chances)
