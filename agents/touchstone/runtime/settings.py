"""What a worker is told: where Kafka is, who it is, how often it commits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from touchstone.runtime.names import generation_base


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """Everything the runtime needs besides the program.

    `app` is the application id: the consumer group, and the prefix of internal topics and transactional ids. `instance` must be
    unique among the live workers of the application and should stay the same over restarts: a worker that comes back aborts its own
    unfinished transaction. `output_topics` names every topic that the program may write to with `Out.record`.
    """

    app: str
    bootstrap: str
    instance: str
    data_dir: Path
    partitions: int
    channel_topics: tuple[str, ...]
    output_topics: tuple[str, ...] = ()
    clock: Literal["wall", "event"] = "wall"
    commit_interval_ms: int = 50
    commit_interval_behind_ms: int = 500
    """The interval while more records wait than a poll takes: those who wait anyway lose nothing, and a commit has a price of its own."""
    commit_records: int = 20_000
    """A transaction ends after this many input records even before the interval is over: bounds memory and the work lost in a crash."""
    slice_records: int = 200
    """Records handled before the event loop breathes; 200 touchpoints at 200 µs are 40 ms."""
    poll_records: int = 2_000
    """Records taken from the consumer at once; at most two such batches wait."""
    fetch_wait_ms: int = 100
    fetch_min_bytes: int = 1
    session_timeout_ms: int = 10_000
    """How long the partitions of a killed worker stay idle. Heartbeats have a thread of their own."""
    static_membership: bool = False
    """The group knows the worker by its instance name: started again within the session timeout it keeps its partitions, and nobody
    else is disturbed. It does not leave the group when it stops, so its partitions are idle until it is back, or the timeout is over."""
    standby: bool = False
    """Keep copies of the state of partitions that others own: taking them over needs no restore. Costs the disk and the processor time of
    writing everybody's state."""
    transaction_timeout_ms: int = 30_000
    drain_timeout_ms: int = 10_000
    """How long SIGTERM may take; past it the process leaves anyway, which loses nothing."""
    stall_timeout_ms: int = 60_000
    """Without any fetch or commit for this long while records wait, the process ends so that a supervisor starts it again."""
    compression: Literal["gzip", "snappy", "lz4", "zstd"] | None = None
    local_delivery: bool = True
    """Hand messages for own partitions over in memory. Off only for tests: then everything goes through the topics."""

    topic_options: str = ""
    """What a command that the worker recommends must be given to mean the same topics, with a space before it."""

    generation: int = 1
    """Which of the application's own topics are in use; the agreement of its workers says so (runtime/agreement.py)."""

    @property
    def base(self) -> str:
        """What the names of the application's own topics begin with."""
        return generation_base(self.app, self.generation)

    @property
    def transactional_id(self) -> str:
        """The id under which this worker writes; a successor finds it in the metadata of committed offsets."""
        return self.transactional_id_of(self.instance)

    def transactional_id_of(self, instance: str) -> str:
        """The id under which a worker of this application writes."""
        return f"{self.app}-{instance}"
