"""The checker: what must hold after quiescence, as pure functions over what was read. Each returns one line per violation.

It knows nothing of the faults that were injected, so it cannot excuse them; the planted violations of `test_checker.py` show that each
function can fail.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from tests.fault.workload import CANARY, PHONES
from touchstone.identity.ordering import Ordering
from touchstone.model.component import Header, Node, Pointer
from touchstone.model.output import Customer, DeadLetter, Moment
from touchstone.pipeline import IDENTITY, JOURNEY, OutputRecord
from touchstone.topology.compile import Topology
from touchstone.view import Final, FinalView, diff

RSS_LIMIT_MB = 700
DESCRIPTOR_LIMIT = 700
DISK_LIMIT_MB = 200

_SHOWN = 5
_EVIDENCE = {"t", "e", "a", "p", "s"}
"""Tags of rows that a component must not have left behind where it has moved away from."""
_HEARD = {"o": "ordered", "d": "undone"}
"""Tags of identity's rows by which a command is remembered."""


class Source(NamedTuple):
    """A record of a channel topic, or of the commands."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


class Said(NamedTuple):
    """A record of an output topic, as a `read_committed` reader finds it."""

    topic: str
    partition: int
    offset: int
    record: OutputRecord


class Row(NamedTuple):
    """A row of a changelog as it stands."""

    partition: int
    group: str
    name: str
    value: bytes


class Sample(NamedTuple):
    """What one worker took of the machine at one moment."""

    worker: str
    rss_mb: float
    descriptors: int
    disk_mb: float


@dataclass(frozen=True)
class Readings:
    """Everything that was read once the system was quiet.

    `acknowledged`: where Kafka said the workload's records are. `rows`: stage -> rows. `texts`: where -> what stands in logs, pages and
    headers. `local_offsets`: store -> (its offset on disk, end of its changelog).
    """

    topology: Topology
    as_of: int
    acknowledged: Sequence[tuple[str, int, int]] = ()
    sources: Sequence[Source] = ()
    said: Sequence[Said] = ()
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    twin: Final | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    local_offsets: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def check_all(readings: Readings) -> dict[str, list[str]]:
    """Every invariant, by its name; those that hold have no lines."""
    said, state = readings.said, readings.rows
    held = held_in(state.get(JOURNEY, ()), state.get(IDENTITY, ()))
    return {
        "acknowledged is kept": kept(readings.acknowledged, readings.sources),
        "every touchpoint and command in state or dead letters": accounted_for(readings.sources, held, said, readings.topology),
        "each moment and revision once": said_once(said),
        "revisions rise": revisions_rise(said),
        "live view = twin's view": agrees(readings),
        "no orphaned component": no_orphans(state.get(IDENTITY, ()), state.get(JOURNEY, ())),
        "each row in its partition": in_place(state, readings.topology),
        "state on disk not ahead of its changelog": not_ahead(readings.local_offsets),
        "nothing personal": nothing_personal(readings.texts),
        "memory, descriptors and disk bounded": bounded(readings.samples),
    }


def kept(acknowledged: Iterable[tuple[str, int, int]], sources: Iterable[Source]) -> list[str]:
    """What Kafka has acknowledged is in its log: else the workload, or Kafka, has lost it, and nothing else can be judged."""
    there = {(source.topic, source.partition, source.offset) for source in sources}
    return _few("acknowledged, but not in the topic", [f"{t}[{p}]@{o}" for t, p, o in acknowledged if (t, p, o) not in there])


def held_in(journey: Iterable[Row], identity: Iterable[Row]) -> frozenset[str]:
    """The keys of all touchpoints (tenant/source/event id) that some component holds, and of all commands that identity has heard of."""
    touchpoints = {row.name[1:] for row in journey if row.name.startswith("t")}
    commands = {f"{_HEARD[row.name[0]]} {row.group}" for row in identity if row.name[0] in _HEARD}
    return frozenset(touchpoints | commands)


def state_key(value: bytes | None, topology: Topology) -> str | None:
    """Under which key the state would hold this record; None where it is neither a touchpoint nor a command.

    An undo is held with the command that it takes back, even before that has come.
    """
    try:
        stated = msgspec.json.decode(value or b"")
        tenant = stated.get("tenant") or "default"
        if "command_id" in stated:
            heard = "undone" if stated["action"] == "undo" else "ordered"
            return f"{heard} {tenant}/command:{stated['undoes'] if heard == 'undone' else stated['command_id']}"
        channel = str(stated["channel"])
        source = stated.get("source") or topology.channel_aliases.get(channel, channel)
        return f"{tenant}/{source}/{stated['event_id']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def unaccounted_sources(
    sources: Iterable[Source], held: frozenset[str], said: Iterable[Said], topology: Topology, in_flight: frozenset[str] = frozenset()
) -> list[Source]:
    """The records that are neither in the state nor a dead letter; `in_flight` are keys on their way between workers."""
    letters = _letters(said)
    known = held | in_flight
    return [s for s in sources if state_key(s.value, topology) not in known and (s.topic, s.partition, s.offset) not in letters]


def accounted_for(sources: Iterable[Source], held: frozenset[str], said: Sequence[Said], topology: Topology) -> list[str]:
    """Every record is a touchpoint or a command in the state, or a dead letter of its own, once."""
    lost = [f"{s.topic}[{s.partition}]@{s.offset}" for s in unaccounted_sources(sources, held, said, topology)]
    twice = [f"{topic}[{partition}]@{offset}" for (topic, partition, offset), count in _letters(said).items() if count > 1]
    return _few("neither in the state nor a dead letter", lost) + _few("more than one dead letter", twice)


def _letters(said: Iterable[Said]) -> Counter[tuple[str, int, int]]:
    return Counter((s.record.topic, s.record.partition, s.record.offset) for s in said if isinstance(s.record, DeadLetter))


def said_once(said: Iterable[Said]) -> list[str]:
    """A `read_committed` reader sees each revision of a moment or a customer once, and each dead letter once."""
    seen = Counter(identity for each in said if (identity := _identity(each.record)) is not None)
    return _few("said more than once", [f"{identity} x{count}" for identity, count in seen.items() if count > 1])


def revisions_rise(said: Iterable[Said]) -> list[str]:
    """In each partition the revisions of one moment, or customer, rise; all of one moment lie in one partition."""
    last: dict[tuple[str, str], tuple[int, int]] = {}
    wrong = []
    for each in sorted(said, key=lambda s: (s.topic, s.partition, s.offset)):
        identity = _identity(each.record)
        if identity is None or isinstance(each.record, DeadLetter):
            continue
        name, revision = (each.topic, identity[0]), identity[1]
        before = last.get(name)
        if before is not None and before[0] != each.partition:
            wrong.append(f"{identity[0]} in partitions {before[0]} and {each.partition}")
        elif before is not None and before[1] >= revision:
            wrong.append(f"{identity[0]} {before[1]} then {revision} at {each.topic}[{each.partition}]@{each.offset}")
        last[name] = (each.partition, revision)
    return _few("revisions that do not rise", wrong)


def agrees(readings: Readings) -> list[str]:
    """What a reader of the moments, customers and dead letters believes is what the offline twin says of the same touchpoints and commands."""
    if readings.twin is None:
        return ["the twin's view is missing"]
    live = FinalView([each.record for each in readings.said]).final(readings.as_of, readings.topology.retention_ms)
    return _few("live and twin differ", diff(live, readings.twin))


def no_orphans(identity: Iterable[Row], journey: Iterable[Row]) -> list[str]:
    """Every pointer and every redirect ends at a component that is there; where one has moved away nothing is left; no piece waits.

    An identifier that only a steward has named so far is known by the pointers that lead to it: it has none of its own yet.
    """
    wrong = []
    pointers = {row.group: msgspec.msgpack.decode(row.value, type=Pointer).root for row in identity if row.name == "i"}
    tags: dict[str, set[str]] = {}
    redirects: dict[str, str] = {}
    journey = list(journey)
    named = set(pointers.values()) - pointers.keys() - _seen(journey)
    pointers |= {x: x for x in named}
    for row in journey:
        tags.setdefault(row.group, set()).add(row.name[0])
        if row.name == "h" and (target := msgspec.msgpack.decode(row.value, type=Header).redirect) is not None:
            redirects[row.group] = target
    for start in redirects:
        end = _follow(start, redirects)
        if end is None or end not in tags:
            wrong.append(f"a redirect ends nowhere, or in a circle ({_digest(start)})")
        if left := tags[start] & _EVIDENCE:
            wrong.append(f"rows {sorted(left)} are left where a component has moved away ({_digest(start)})")
    links = {x: root for x, root in pointers.items() if root != x}
    for start in pointers:
        end = _follow(start, links)
        if end is None or pointers.get(end) != end:
            wrong.append(f"a pointer ends nowhere, or in a circle ({_digest(start)})")
        elif end not in tags:
            wrong.append(f"a pointer ends at a root without a component ({_digest(start)})")
    wrong += [f"a piece of a component waits for others for ever ({_digest(g)})" for g, found in tags.items() if "s" in found]
    roots = {x for x, root in pointers.items() if x == root}
    wrong += [f"a component that no pointer leads to ({_digest(g)})" for g in tags if g not in redirects and g not in roots]
    return _few("orphans", wrong)


def _seen(journey: Iterable[Row]) -> set[str]:
    """The identifiers that some touchpoint has shown."""
    nodes = ((row.name[1:], row.value) for row in journey if row.name.startswith("n"))
    return {x for x, value in nodes if msgspec.msgpack.decode(value, type=Node).since is not None}


def in_place(rows: Mapping[str, Iterable[Row]], topology: Topology) -> list[str]:
    """Every row lies in the partition of its identifier: else two workers write the same state."""
    ordering = Ordering(topology.kinds)
    wrong = [
        f"{stage}[{row.partition}] {row.name[:1]}"
        for stage, found in rows.items()
        for row in found
        if ordering.partition(row.group, topology.partitions) != row.partition
    ]
    return _few("rows in a partition that is not theirs", wrong)


def not_ahead(local_offsets: Mapping[str, tuple[int, int]]) -> list[str]:
    """A local store lags behind its changelog or is level with it; ahead it would hold what was never committed."""
    return _few("ahead of its changelog", [f"{store}: {local} > {end}" for store, (local, end) in local_offsets.items() if local > end])


def nothing_personal(texts: Mapping[str, str]) -> list[str]:
    """No canary and no invented telephone number in logs, pages and headers."""
    wrong = []
    for where, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if CANARY in line.lower() or PHONES.search(line):
                wrong.append(f"{where}:{number}")
    return _few("personal values", wrong)


def bounded(samples: Iterable[Sample]) -> list[str]:
    """No worker took more of the machine than it may."""
    wrong = []
    for sample in samples:
        if sample.rss_mb > RSS_LIMIT_MB:
            wrong.append(f"{sample.worker}: {sample.rss_mb:.0f} MB resident, at most {RSS_LIMIT_MB} expected")
        if sample.descriptors > DESCRIPTOR_LIMIT:
            wrong.append(f"{sample.worker}: {sample.descriptors} open descriptors, at most {DESCRIPTOR_LIMIT} expected")
        if sample.disk_mb > DISK_LIMIT_MB:
            wrong.append(f"{sample.worker}: {sample.disk_mb:.0f} MB on disk, at most {DISK_LIMIT_MB} expected")
    return _few("out of bounds", wrong)


def _identity(record: Any) -> tuple[str, int] | None:
    if isinstance(record, Moment):
        return record.moment_id, record.revision
    if isinstance(record, Customer):
        return record.customer_id, record.revision
    if isinstance(record, DeadLetter):
        return record.letter_id, 0
    return None


def _follow(start: str, links: Mapping[str, str]) -> str | None:
    """Where a chain ends; None when it runs in a circle."""
    seen = {start}
    while start in links:
        start = links[start]
        if start in seen:
            return None
        seen.add(start)
    return start


def _digest(group: str) -> str:
    """The kind of an identifier and its length: enough to find it, and nothing personal in a report."""
    return f"{group.partition(':')[0]}, {len(group)} characters"


def _few(what: str, wrong: Sequence[str]) -> list[str]:
    if not wrong:
        return []
    return [f"{len(wrong)} x {what}", *wrong[:_SHOWN]]
