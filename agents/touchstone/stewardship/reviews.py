"""The questions that wait for a steward: of everything that was said about each, the last word."""

from collections.abc import Iterable, Mapping

from touchstone.contracts.codec import reading_codec
from touchstone.errors import UsageError
from touchstone.identity.ordering import Ordering
from touchstone.model.output import Review
from touchstone.runtime.client import read_topic
from touchstone.topology.compile import Topology

LEAST_OF_ID = 6
"""So many characters of a review's id are enough, where no other begins with them."""
_LISTED = 5

Reviews = Mapping[str, Review]
"""review_id -> its highest revision."""


def last_words(records: Iterable[object]) -> dict[str, Review]:
    """The highest revision of every review among what was said, whatever the order."""
    found: dict[str, Review] = {}
    for record in records:
        if isinstance(record, Review) and (record.review_id not in found or record.revision > found[record.review_id].revision):
            found[record.review_id] = record
    return found


async def read_reviews(topology: Topology, bootstrap: str) -> dict[str, Review]:
    """Every review of the topic; one that was erased is none.

    Raises:
        UsageError: the topology compares nobody, or there is no such topic.
        Retriable: the brokers cannot be reached.
    """
    require_matching(topology)
    codec = reading_codec()
    last: dict[bytes | None, Review] = {}
    async for record in read_topic(bootstrap, [topology.topics.reviews]):
        if record.value is None:
            last.pop(record.key, None)
            continue
        review = codec.decode_record(record.value)
        if isinstance(review, Review) and (record.key not in last or review.revision > last[record.key].revision):
            last[record.key] = review
    return {review.review_id: review for review in last.values()}


def require_matching(topology: Topology) -> None:
    """Reviews come from matching.

    Raises:
        UsageError: the topology has none.
    """
    if topology.matching is None:
        raise UsageError(
            f"expected `matching` in the topology {topology.name}, found none: nobody is compared, so there is nothing to review"
        )


def meant(word: str, reviews: Reviews) -> Review:
    """The review of that id, of which the beginning is enough.

    Raises:
        UsageError: there is none, or several begin so, or the beginning is too short.
    """
    if word in reviews:
        return reviews[word]
    if len(word) < LEAST_OF_ID:
        raise UsageError(
            f"expected at least {LEAST_OF_ID} characters of a review's id, found {word!r}; `touchstone review list` shows them"
        )
    found = sorted(review_id for review_id in reviews if review_id.startswith(word.lower()))
    if len(found) > 1:
        raise UsageError(f"{len(found)} reviews begin with {word}: {', '.join(found[:_LISTED])}; give more of the one you mean")
    if not found:
        raise UsageError(
            f"expected the id of a review, found none that begins with {word!r}; `touchstone review list --status all` shows all"
        )
    return reviews[found[0]]


def waiting(reviews: Reviews, *, status: str | None = "open", min_score: float = 0.0) -> list[Review]:
    """Those of this status (None: of any) and at least this probability, the likeliest first."""
    chosen = (review for review in reviews.values() if status in {None, review.status} and review.score >= min_score)
    return sorted(chosen, key=lambda review: (-review.score, review.review_id))


def words_of(review: Review) -> tuple[str, ...]:
    """Its identifiers as people write them."""
    return tuple(f"{review.tenant}/{each['kind']}:{each['value']}" for each in review.identifiers)


def keys_of(review: Review, ordering: Ordering) -> tuple[str, ...]:
    """Its identifiers as identity knows them."""
    return tuple(ordering.key(review.tenant, each["kind"], each["value"]) for each in review.identifiers)
