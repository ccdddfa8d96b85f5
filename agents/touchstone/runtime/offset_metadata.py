"""The text that Kafka keeps beside a committed offset: who committed it, and what the program wants to know there again."""

_BETWEEN = "\t"


def pack(owner: str, note: str) -> str:
    """The transactional id of the owner, so that a successor can abort what it left open, and the program's note."""
    return f"{owner}{_BETWEEN}{note}" if note else owner


def owner_of(metadata: str) -> str:
    """The transactional id of whoever committed; empty where nobody said."""
    return metadata.partition(_BETWEEN)[0]


def note_of(metadata: str) -> str:
    """The program's note; empty where there is none."""
    return metadata.partition(_BETWEEN)[2]
