"""Faults of matching: kinds that nobody defined, blocks that nothing can fill, thresholds in the wrong order, a model that is none."""

from pathlib import Path

from touchstone.errors import UsageError
from touchstone.topology.explain import Location
from touchstone.topology.findings import Findings
from touchstone.topology.model import WrittenTopology
from touchstone.topology.model_file import read_model
from touchstone.topology.model_matching import WrittenMatching
from touchstone.topology.roles import can_fill


def check_matching(topology: WrittenTopology, found: Findings) -> None:
    """Write down every fault of `matching` but those of the model's file."""
    matching = topology.matching
    if matching is None:
        return
    kinds = found.names("identifiers", topology.identifiers)
    for kind in matching.identifiers:
        if kind not in kinds:
            found.unknown_key(("matching", "identifiers", kind), "kind of identifier", kind, kinds)
    for name in matching.attributes:
        entry = topology.attributes.get(name)
        if entry is not None and entry.derive is not None:
            found.at_key(("matching", "attributes", name), f"`{name}` is derived: nobody states it; compare what it follows from")
    _check_blocks(matching, found)
    if matching.accept is not None and matching.review is not None and matching.review >= matching.accept:
        found.at(
            ("matching", "review"),
            f"expected less than `accept` ({matching.accept:g}), found {matching.review:g}: nobody would ever be asked",
        )


def model_in(topology: WrittenTopology, file: str, found: Findings) -> bytes | None:
    """What stands in the model's file, a path relative to the topology's; None where there is none, or where it is a fault."""
    if topology.matching is None or topology.matching.model is None:
        return None
    try:
        return read_model(Path(file).parent / topology.matching.model)
    except UsageError as error:
        found.at(("matching", "model"), str(error))
        return None


def _check_blocks(matching: WrittenMatching, found: Findings) -> None:
    roles = {*matching.attributes.values(), *matching.identifiers.values()}
    all_known = not (found.lost(("matching", "attributes")) or found.lost(("matching", "identifiers")))
    seen: dict[frozenset[str], str] = {}
    for n, block in enumerate(matching.blocks or ()):
        here: Location = ("matching", "blocks", n)
        for k, part in enumerate(block):
            if part in block[:k]:
                found.at((*here, k), f"`{part}` stands in this block already")
            elif all_known and not can_fill(part, roles):
                found.at(
                    (*here, k),
                    f"no attribute can fill `{part}`, so this block brings nobody together: give one such a role, or take it out",
                )
        if not found.lost(here) and frozenset(block) in seen:
            found.at(here, f"the same block stands in {seen[frozenset(block)]} already")
        seen.setdefault(frozenset(block), f"line {found.line_of(here)}")
