"""Rules that keep people apart, in words."""

from touchstone.identity.resolve import APART, GENERIC, MERGE_LIMIT, PERSONS, REFUSED_APART
from touchstone.model.command import JOIN

_RULES = {
    PERSONS: "it meets more people than its kind may unite, so it is shared and belongs to none of them",
    GENERIC: "it has met too many others and unites nobody any more",
    MERGE_LIMIT: "limits.merges_per_person was met; a steward may join them",
    APART: "it meets people whom a steward keeps apart",
    REFUSED_APART: "a steward keeps it from them",
    JOIN: "a steward gave it to somebody else",
    "score": "they are alike, but less than matching.accept asks for; a steward may accept them",
    "neighbours": "one of the two resembles more people than matching.neighbours, likelier ones first",
    "closed": "so many share what brought these two together that it says nothing any more",
    "support": "too little of what else the two people have agrees",
    "ambiguous": "one of the two resembles a third person as well, and lacks what would tell the two apart",
}


def in_words(rule: str) -> str:
    """What a rule says; those of a kind of identifier (unique:user_id) speak for themselves."""
    return _RULES.get(rule, "a limit of a person")
