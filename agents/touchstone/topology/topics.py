"""What the topics are called that others read. Apart from the rest, so that `touchstone tail` need not load how a topology is read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics that are not a channel's."""

    moments: str = "moments.v1"
    customers: str = "customers.v1"
    identities: str = "identities.v1"
    deadletters: str = "deadletters.v1"
    commands: str = "commands.v1"
    reviews: str = "reviews.v1"
    privacy: str = "privacy.v1"
