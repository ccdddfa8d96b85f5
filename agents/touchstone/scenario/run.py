"""One story through the offline twin: first as given, then in other orders, which must all end in the same view."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from touchstone.identity.ordering import Ordering
from touchstone.pipeline import JOURNEY, OutputRecord
from touchstone.scenario.expect import Expectations
from touchstone.scenario.lines import Line
from touchstone.scenario.model import Story
from touchstone.scenario.times import time_ms, time_text
from touchstone.simulate import Twin
from touchstone.topology.compile import Topology
from touchstone.view import Final, FinalView, diff

SHOWN_ORDERS = 3
SHOWN_DIFFERENCES = 5
"""Of what differs, so much is told: one wrong rule makes hundreds of orders wrong."""


@dataclass(frozen=True)
class Arrival:
    """One order of arrival: what it is called, which lines come (some may come again), on how many partitions, how many at once."""

    name: str
    lines: tuple[Line, ...]
    partitions: int
    sizes: Random | None = None
    has_duplicates: bool = False


@dataclass(frozen=True)
class Told:
    """What came out of one run."""

    records: list[OutputRecord]
    final: Final
    counted: Counter[tuple[str, tuple[str, ...]]]
    largest_component: int
    as_of: int


@dataclass(frozen=True)
class Scenario:
    """A story that is ready to run. `latest`: the latest time among what is given (milliseconds); `line`: where it stands in its file."""

    story: Story
    topology: Topology
    lines: tuple[Line, ...]
    latest: int
    file: str
    line: int

    @property
    def sentence(self) -> str:
        """What the story says."""
        return self.story.story

    def run(self) -> list[str]:
        """Run it. Returns what is not as expected, each in words that show both; empty when all is well."""
        given = Arrival("as given", self.lines, 1)
        told = self._tell(given)
        as_of = self._as_of()
        if as_of is not None and told.as_of > as_of:
            return [f"when: as_of: expected a time not before the latest receipt, {time_text(told.as_of)}, found {time_text(as_of)}"]
        expectations = Expectations(self.story.then, self.topology, Ordering(self.topology.kinds))
        failures = expectations.failures(told.final, told.records, told.counted) + self._too_large(told, given)
        differing = 0
        for arrival in self.arrivals():
            differences = self._differences(told, arrival)
            differing += bool(differences)
            if differing <= SHOWN_ORDERS:
                failures += differences
        if differing > SHOWN_ORDERS:
            failures.append(f"and {differing - SHOWN_ORDERS} more orders that end differently")
        return failures

    def arrivals(self) -> Iterator[Arrival]:
        """The orders of arrival besides the one given, each on the next number of partitions."""
        orders, partitions = self.story.orders, itertools.cycle(self.story.orders.partitions)
        for count in orders.partitions:
            yield Arrival(f"as given, on {count} partitions", self.lines, count, Random(count))  # noqa: S311 - reproducible, not secret
        for order in self._permutations():
            count = next(partitions)
            yield Arrival(f"in the order {' '.join(line.event_id for line in order)}, on {count} partitions", order, count)
        for seed in range(orders.random):
            random, count = Random(seed), next(partitions)  # noqa: S311 - reproducible, not secret
            lines = list(self.lines)
            if orders.duplicates:
                lines += random.choices(self.lines, k=random.randrange(1, len(self.lines) + 1))
            random.shuffle(lines)
            again = " with duplicates" if orders.duplicates else ""
            yield Arrival(f"in random order {seed}{again}, on {count} partitions", tuple(lines), count, random, orders.duplicates)

    def _permutations(self) -> Iterator[tuple[Line, ...]]:
        permute = self.story.orders.permute
        places = [n for n, line in enumerate(self.lines) if permute == "all" or line.event_id in permute]
        if not places:
            return
        for order in itertools.permutations(places):
            lines = list(self.lines)
            for place, source in zip(places, order, strict=True):
                lines[place] = self.lines[source]
            yield tuple(lines)

    def _as_of(self) -> int | None:
        written = self.story.when.as_of
        return None if written is None else time_ms(written, self.latest)

    def _tell(self, arrival: Arrival) -> Told:
        records: list[OutputRecord] = []
        view = FinalView()

        def say(record: OutputRecord) -> None:
            records.append(record)
            view.apply(record)

        twin = Twin(self.topology, say, partitions=arrival.partitions)
        lines = [line.text for line in arrival.lines]
        done = 0
        while done < len(lines):
            size = 1 if arrival.sizes is None else arrival.sizes.choice((1, 2, 5, 50, 500))
            twin.feed(lines[done : done + size])
            done += size
        as_of = self._as_of()
        if as_of is not None:
            twin.move_to(as_of)
        counted: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for metric, labels, count in twin.pipeline.counts.items():
            counted[metric.name, labels] += count
        sizes = (sum(1 for _ in store[JOURNEY].scan(root, "n")) for store in twin.stores for root in store[JOURNEY].groups())
        return Told(records, view.final(twin.now, self.topology.retention_ms), counted, max(sizes, default=0), twin.now)

    def _too_large(self, told: Told, arrival: Arrival) -> list[str]:
        limit = self.story.then.largest_component
        if limit is None or told.largest_component <= limit:
            return []
        return [f"largest_component: expected at most {limit} identifiers, found {told.largest_component} ({arrival.name})"]

    def _differences(self, given: Told, arrival: Arrival) -> list[str]:
        told = self._tell(arrival)
        ours, theirs = given.final, told.final
        if arrival.has_duplicates:  # a broken line that comes twice is two dead letters
            ours, theirs = _once(ours), _once(theirs)
        found = diff(ours, theirs, ("as given", "here"))
        more = [f"and {len(found) - SHOWN_DIFFERENCES} more differences"] if len(found) > SHOWN_DIFFERENCES else []
        failures = self._too_large(told, arrival)
        if found:
            failures.append("\n    ".join([f"orders: {arrival.name}, it ends differently:", *found[:SHOWN_DIFFERENCES], *more]))
        return failures


def _once(final: Final) -> Final:
    letters = final["deadletters"]
    return final | {"deadletters": [letter for n, letter in enumerate(letters) if letter not in letters[:n]]}
