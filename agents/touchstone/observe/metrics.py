"""The one place where a metric is declared: name, type, unit, labels, meaning, and the question it answers.

Whoever counts adds to a `Counts` (plain dictionary additions, no lock, no Prometheus) and the runtime flushes it into the registry
(registry.py) once a transaction has committed; what an aborted transaction counted is cleared, so that the numbers follow the
topics. Labels are closed sets that come from the topology and the contracts: a value outside them is shown as `other`, so no
producer can grow the number of series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

OTHER = "other"
"""What a label value is shown as when it is not in the label's closed set."""

STATES = ("starting", "rebalancing", "restoring", "running", "disconnected", "draining")
"""What a worker can be doing, in the order of its life; disconnected: no broker answers, it waits and goes on by itself."""


CAUSES = ("late", "merge", "split", "erasure", "topology", "consent_withdrawn")
"""What makes Touchstone correct itself."""

BLOCKS = ("open", "closed")
"""What a block can be that a record comes to."""

VERDICTS = ("accepted", "review")
"""What two who look alike can be."""

REVIEW_STATUSES = ("open", "accepted", "rejected", "settled", "withdrawn")
"""What can be said of a pair that somebody should look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric as declared: `unit` is what a value of 1 means, `question` what an owner wants to know when looking at it."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    unit: str
    labels: tuple[str, ...]
    meaning: str
    question: str
    buckets: tuple[float, ...] = ()


_SHORT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

CONSUMED = Metric(
    "touchstone_consumed_records_total",
    "counter",
    "records",
    ("channel",),
    "Records read from the topics of a channel and processed, rejected ones included.",
    "Does every channel deliver, and how much?",
)
DEAD_LETTERS = Metric(
    "touchstone_dead_letters_total",
    "counter",
    "records",
    ("reason",),
    "Records that became a dead letter, by reason code.",
    "Does a producer send what we cannot use, and why not?",
)
IGNORED_IDENTIFIERS = Metric(
    "touchstone_ignored_identifiers_total",
    "counter",
    "identifiers",
    ("kind", "reason"),
    "Identifiers left out of a touchpoint that was otherwise used: unknown kind, blocked or unusable value.",
    "Do placeholders or unknown kinds cost us recognition of customers?",
)
LATE = Metric(
    "touchstone_late_touchpoints_total",
    "counter",
    "touchpoints",
    ("channel",),
    "Touchpoints that arrived later than `lateness` after they occurred; they are folded in all the same.",
    "Which channel delivers late and so causes corrections?",
)
SUPPRESSED = Metric(
    "touchstone_suppressed_touchpoints_total",
    "counter",
    "touchpoints",
    ("channel",),
    "Touchpoints of people who were forgotten since they occurred: of them nothing but keys, kinds and times is kept.",
    "Does somebody send data again that was erased?",
)
SKEWED = Metric(
    "touchstone_skewed_touchpoints_total",
    "counter",
    "touchpoints",
    ("channel", "believed"),
    "Touchpoints of devices whose clock was wrong by more than `skew`: put right by their `sent_at`, or, where they claim the future, by `received_at`.",
    "On which channel are clocks wrong, and how often do we have to guess when something happened?",
)
DUPLICATES = Metric(
    "touchstone_duplicate_touchpoints_total",
    "counter",
    "touchpoints",
    (),
    "Touchpoints that had been there before under the same key; the same content twice has no effect.",
    "Does a producer send again and again, and are we paying for it?",
)
LIMITED = Metric(
    "touchstone_limited_touchpoints_total",
    "counter",
    "touchpoints",
    (),
    "Touchpoints that do not count because `limits.touchpoints_per_day` was met by their identifiers.",
    "Does a robot or a chatty device fill the journeys, and does the limit hold it?",
)
MOMENTS = Metric(
    "touchstone_moments_total",
    "counter",
    "moments",
    ("journey", "kind", "phase", "action"),
    "Moments published, by journey, kind, phase reached and action (assert or retract).",
    "Where do customers move, and how much of what we said was taken back?",
)
CORRECTIONS = Metric(
    "touchstone_corrections_total",
    "counter",
    "moments",
    ("cause",),
    "Moments published to correct an earlier statement, by cause.",
    "What makes us correct ourselves: late data, merges, splits, a new topology, withdrawn consent?",
)
WITHHELD = Metric(
    "touchstone_withheld_moments_total",
    "counter",
    "moments",
    ("output",),
    "Moments that an output with a `purpose` did not get when they were published, because the customer did not consent then or does not now.",
    "How much of what we know may a purpose not use?",
)
CUSTOMERS = Metric(
    "touchstone_customers",
    "gauge",
    "customers",
    ("journey", "phase"),
    "Active customers (golden records) in the partitions of this worker, by journey and the phase they are in: `none` before the first, "
    "`dormant` after a long silence. Over all workers and the phases of one journey: the active customers of the customers topic.",
    "How many customers are there, and where do they stand?",
)
IDENTITY_CHANGES = Metric(
    "touchstone_identity_changes_total",
    "counter",
    "changes",
    ("kind",),
    "Changes of who is who: linked, merged, split, shared, unshared, conflict, refused, limited.",
    "Are customers recognised, and does anything merge that should not?",
)
COMPARED = Metric(
    "touchstone_compared_records_total",
    "counter",
    "records",
    ("block",),
    "What was said of a person, once for each block that it came to: `open`, compared with what is there, or `closed`, no longer, because too "
    "many have in common what makes the block. 0 without `matching`.",
    "Is anybody compared, and how much does matching lose to blocks that are too large?",
)
WEIGHED_PAIRS = Metric(
    "touchstone_weighed_pairs_total",
    "counter",
    "pairs",
    (),
    "Pairs of records that met in a block and were compared attribute by attribute.",
    "How much work is a record for matching?",
)
LIKENESSES = Metric(
    "touchstone_likenesses_total",
    "counter",
    "pairs",
    ("verdict",),
    "Pairs found to look alike: `accepted`, from the threshold on, or `review`, below it.",
    "Whom does matching recognise, and how much does it leave to people?",
)
CLOSED_BLOCKS = Metric(
    "touchstone_closed_blocks_total",
    "counter",
    "blocks",
    (),
    "Blocks that outgrew `matching.block_limit`: nobody is compared in them any more, and what was found only there no longer counts.",
    "Is a placeholder among the names and addresses, or is a block too coarse for our customers?",
)
REVIEWS = Metric(
    "touchstone_reviews_total",
    "counter",
    "reviews",
    ("status",),
    "Reviews said on their topic, by status: open, accepted, rejected, settled, withdrawn.",
    "Do stewards keep up with what they are asked?",
)
COMPARING_SECONDS = Metric(
    "touchstone_comparing_seconds_total",
    "counter",
    "seconds",
    (),
    "Time spent reading blocks and comparing records, since the process started; what an aborted transaction spent is in it.",
    "How much of a worker's time does matching cost?",
)
OUTPUT_RECORDS = Metric(
    "touchstone_output_records_total",
    "counter",
    "records",
    ("topic",),
    "Records written to output topics in committed transactions.",
    "How much do the consumers of a topic have to read?",
)
LOCAL_MESSAGES = Metric(
    "touchstone_local_messages_total",
    "counter",
    "messages",
    (),
    "Messages handed from stage to stage in memory, because this worker owns the partition they are for, and not through a topic.",
    "How much of the work stays inside the worker?",
)
TRANSACTIONS = Metric(
    "touchstone_transactions_total",
    "counter",
    "transactions",
    (),
    "Kafka transactions that this worker committed. After one that fails the process ends, so there is none to count.",
    "Does the worker make progress?",
)
ABORTED = Metric(
    "touchstone_aborted_transactions_total",
    "counter",
    "transactions",
    (),
    "Transactions thrown away: those that a previous owner of a partition had left open, and this worker's own when its state broke.",
    "Do workers die in the middle of their work, or lose their state?",
)
COMMIT_SECONDS = Metric(
    "touchstone_commit_seconds",
    "histogram",
    "seconds",
    (),
    "Time from the start of a commit until the transaction has ended and the local state is written.",
    "How much of the delay of a moment is the broker's?",
    _SHORT_SECONDS,
)
BATCH_SECONDS = Metric(
    "touchstone_batch_seconds",
    "histogram",
    "seconds",
    (),
    "Time spent on one batch of records in the stages, without the commit.",
    "How much of the delay of a moment is ours?",
    _SHORT_SECONDS,
)
LAG = Metric(
    "touchstone_lag_records",
    "gauge",
    "records",
    ("topic",),
    "Records between the end of a source or internal topic and the position of this worker, over its own partitions.",
    "Do the workers keep up, or are more of them needed?",
)
CLOCK = Metric(
    "touchstone_clock_timestamp_seconds",
    "gauge",
    "seconds since 1970",
    (),
    "The clock T of the journeys: deadlines up to here have fired. With `clock: wall`, time() minus this is how far it hangs back.",
    "Do deadlines fire in time, or does a channel that lags hold them back?",
)
RESTORE_REMAINING = Metric(
    "touchstone_restore_remaining_records",
    "gauge",
    "records",
    (),
    "Changelog records still to be read before this worker's partitions are ready; 0 outside a restore.",
    "When will the worker be ready again?",
)
STANDBY_BEHIND = Metric(
    "touchstone_standby_records_behind",
    "gauge",
    "records",
    (),
    "Records of changelogs that this worker's copies of the others' partitions still lack; 0 without --standby.",
    "When will the worker be ready again?",
)
RESTORED = Metric(
    "touchstone_restored_records_total",
    "counter",
    "records",
    (),
    "Changelog records read while restoring state.",
    "How fast is a restore, and how often do we pay for one?",
)
REBALANCES = Metric(
    "touchstone_rebalances_total",
    "counter",
    "rebalances",
    (),
    "How often partitions were assigned to this worker.",
    "Is the group of workers stable?",
)
PARTITIONS = Metric(
    "touchstone_assigned_partitions",
    "gauge",
    "partitions",
    (),
    "Partitions of the journey stage that this worker owns.",
    "Is the work spread evenly over the workers?",
)
STATE_BYTES = Metric(
    "touchstone_state_bytes",
    "gauge",
    "bytes",
    (),
    "Size of the state of this worker's partitions on disk.",
    "How much disk does a customer cost?",
)
DISK_FREE = Metric(
    "touchstone_disk_free_bytes",
    "gauge",
    "bytes",
    (),
    "Free space of the disk that holds the state.",
    "Is there room for the state to grow and for compactions?",
)
DISK_SIZE = Metric(
    "touchstone_disk_size_bytes",
    "gauge",
    "bytes",
    (),
    "Size of the disk that holds the state.",
    "How full is the disk?",
)
MEMORY_LIMIT = Metric(
    "touchstone_memory_limit_bytes",
    "gauge",
    "bytes",
    (),
    "Memory the worker may use: the limit of its container, else the machine's memory. `process_resident_memory_bytes` is what it uses.",
    "How close is the worker to being killed for its memory?",
)
STATE = Metric(
    "touchstone_worker_state",
    "gauge",
    "1 for the present state, else 0",
    ("state",),
    "What the worker is doing: starting, rebalancing, restoring, running, disconnected (no broker answers; it waits) or draining.",
    "Is the worker at work?",
)
BUILD = Metric(
    "touchstone_build_info",
    "gauge",
    "always 1",
    ("version", "python", "topology", "topology_version", "clock"),
    "Which Touchstone, Python and topology this worker runs.",
    "Do all workers run the same release and topology?",
)

METRICS: tuple[Metric, ...] = (
    CONSUMED,
    DEAD_LETTERS,
    IGNORED_IDENTIFIERS,
    LATE,
    SUPPRESSED,
    SKEWED,
    DUPLICATES,
    LIMITED,
    MOMENTS,
    CORRECTIONS,
    WITHHELD,
    CUSTOMERS,
    IDENTITY_CHANGES,
    COMPARED,
    WEIGHED_PAIRS,
    LIKENESSES,
    CLOSED_BLOCKS,
    REVIEWS,
    COMPARING_SECONDS,
    OUTPUT_RECORDS,
    LOCAL_MESSAGES,
    TRANSACTIONS,
    ABORTED,
    COMMIT_SECONDS,
    BATCH_SECONDS,
    LAG,
    CLOCK,
    RESTORE_REMAINING,
    STANDBY_BEHIND,
    RESTORED,
    REBALANCES,
    PARTITIONS,
    STATE_BYTES,
    DISK_FREE,
    DISK_SIZE,
    MEMORY_LIMIT,
    STATE,
    BUILD,
)

LABELS: Mapping[str, str] = {
    "channel": "the topology's channels, `unknown` where a record names none of them",
    "reason": "the codes of dead letters and of ignored identifiers",
    "kind": "the topology's kinds of identifier and `unknown`, the kinds of moment, or the kinds of identity change",
    "journey": "the topology's journeys",
    "phase": "the topology's phases, `dormant`, `none`",
    "action": "`assert`, `retract`",
    "believed": "`sent_at`, `received_at`",
    "cause": "`late`, `merge`, `split`, `erasure`, `topology`, `consent_withdrawn`",
    "block": "`open`, `closed`",
    "verdict": "`accepted`, `review`",
    "status": "`open`, `accepted`, `rejected`, `settled`, `withdrawn`",
    "output": "the topology's outputs",
    "topic": "the topology's topics and Touchstone's own",
    "state": "`starting`, `rebalancing`, `restoring`, `running`, `disconnected`, `draining`",
    "version": "one value a release",
    "python": "one value an installation",
    "topology": "one value a topology",
    "topology_version": "one value a version of the topology",
    "clock": "`wall`, `event`",
}
"""Each label, and where its closed set of values comes from. Besides these there is `other`."""


class Counts:
    """What happened since the last commit: additions to counters, nothing else. One thread."""

    __slots__ = ("_counted",)

    def __init__(self) -> None:
        self._counted: dict[tuple[Metric, tuple[str, ...]], int] = {}

    def add(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """Count `by` more of this counter with these label values, given in the order of its declaration."""
        key = (metric, labels)
        self._counted[key] = self._counted.get(key, 0) + by

    def of(self, metric: Metric, *labels: str) -> int:
        """How many were counted since the last flush with exactly these label values."""
        return self._counted.get((metric, labels), 0)

    def items(self) -> list[tuple[Metric, tuple[str, ...], int]]:
        """Everything counted: (metric, label values, how many)."""
        return [(metric, labels, count) for (metric, labels), count in self._counted.items()]

    def take(self, other: "Counts") -> None:
        """Add what another counted, and empty it."""
        for metric, labels, count in other.items():
            self.add(metric, *labels, by=count)
        other.clear()

    def clear(self) -> None:
        """Forget what was counted: the transaction it belonged to was aborted."""
        self._counted.clear()
