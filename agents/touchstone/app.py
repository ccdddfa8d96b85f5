"""Composition root: topology in, a worker out. The only place that knows the stages, the topics and the runtime at once."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import touchstone
from touchstone.clock import SystemClock
from touchstone.contracts.codec import Codec, bundled_codec
from touchstone.contracts.envelope import Envelope
from touchstone.contracts.reasons import IGNORED, REASONS
from touchstone.contracts.registered import RegisteredSchemas
from touchstone.contracts.registry_client import configured_client
from touchstone.hash_key import SECRET_VARIABLE, secret_from
from touchstone.identity.ordering import DEFAULT_SECRET, Ordering
from touchstone.intake.schemas import Prefetch
from touchstone.model.erasure import decode_forgotten
from touchstone.observe.health import start_web
from touchstone.observe.metrics import (
    BLOCKS,
    CAUSES,
    COMPARED,
    COMPARING_SECONDS,
    CONSUMED,
    CORRECTIONS,
    CUSTOMERS,
    DEAD_LETTERS,
    LATE,
    LIKENESSES,
    REVIEW_STATUSES,
    REVIEWS,
    SUPPRESSED,
    VERDICTS,
    WITHHELD,
    Counts,
)
from touchstone.observe.registry import Registry
from touchstone.observe.resources import show_resources
from touchstone.observe.runtime_metrics import show_status
from touchstone.pipeline import Pipeline, stages_of
from touchstone.publisher import Publisher
from touchstone.runtime.admin import COMPACTED_IN_TIME, LARGE_RECORDS, STAMP, TopicSpec, application_topics
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.tablereader import Table
from touchstone.runtime.worker import run_worker
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore
from touchstone.topology.compile import Topology
from touchstone.topology.subjects import subject_of, subjects

log = logging.getLogger(__name__)


_DAY_MS = 86_400_000
_LOG_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """What a worker is told from outside: where Kafka is, who it is, where its state lies, where it answers."""

    app: str
    bootstrap: str
    instance: str
    data_dir: Path
    session_timeout_ms: int = 10_000
    commit_interval_ms: int = 50
    static_membership: bool = False
    standby: bool = False
    stall_timeout_ms: int = 60_000
    web_host: str = "127.0.0.1"
    web_port: int | None = None
    """Where `/metrics` and `/health` answer; 0 for a free port, None for not at all."""
    topic_options: str = ""
    """What a command that it recommends must be given to mean the same topics, with a space before it."""
    hot_rows: int = 60_000
    """Rows that stay in memory, over all stores of the worker; the rest is read from disk when it is needed."""


def ordering_of(topology: Topology) -> Ordering:
    """The orders of this installation."""
    return Ordering(topology.kinds, secret_from(os.environ))


def topic_specs(topology: Topology, app: str, generation: int = 1) -> list[TopicSpec]:
    """Every topic that Touchstone reads or writes, as it should be.

    Topics of touchpoints may have any number of partitions, and that of an output is frozen once it exists: of the application's own topics
    only the count must be the topology's.
    """
    partitions = topology.partitions
    touchpoints = {STAMP: "LogAppendTime"} | LARGE_RECORDS
    kept = {"cleanup.policy": "delete", "retention.ms": str(_LOG_DAYS * _DAY_MS)} | LARGE_RECORDS
    moments = {"cleanup.policy": "delete", "retention.ms": str(topology.moments_retention_ms)} | LARGE_RECORDS
    names = topology.topics
    others = dict.fromkeys(channel_topics(topology), touchpoints)
    commands = touchpoints | {"cleanup.policy": "delete", "retention.ms": "-1"}
    others |= dict.fromkeys((names.moments, *(output.topic for output in topology.outputs)), moments)
    others |= {
        names.customers: COMPACTED_IN_TIME | {"min.cleanable.dirty.ratio": "0.3"} | LARGE_RECORDS,
        names.identities: kept,
        names.deadletters: kept,
    }
    if topology.matching is not None:  # compacted as well, so that an erasure can take a review out
        others[names.reviews] = kept | COMPACTED_IN_TIME | {"cleanup.policy": "compact,delete"}
    return [
        *(TopicSpec(topic, partitions, config, keeps_count=True) for topic, config in others.items()),
        TopicSpec(names.commands, 1, commands, keeps_count=True),
        TopicSpec(names.privacy, 1, {"cleanup.policy": "compact"} | LARGE_RECORDS, keeps_count=True),
        *application_topics(app, stages_of(topology), partitions, generation),
    ]


def channel_topics(topology: Topology) -> tuple[str, ...]:
    """The topics of all channels, each once."""
    return tuple(dict.fromkeys(channel.topic for channel in topology.channels.values()))


def input_topics(topology: Topology) -> tuple[str, ...]:
    """The topics that workers read: those of all channels, and the commands."""
    return *channel_topics(topology), topology.topics.commands


def output_topics(topology: Topology) -> tuple[str, ...]:
    """The topics that others read."""
    names = topology.topics
    reviews = (names.reviews,) if topology.matching is not None else ()
    further = (output.topic for output in topology.outputs)
    return (names.moments, names.customers, names.identities, names.deadletters, names.privacy, *further, *reviews)


def run(topology: Topology, options: WorkerOptions) -> int:
    """Run one worker until it is told to stop; returns its exit code (runtime/worker.py)."""
    if secret_from(os.environ) == DEFAULT_SECRET:
        log.warning(
            "no hash key is set: fine for a trial; for real data set %s before the first start (docs/operate.md), or anybody can compute customer ids",
            SECRET_VARIABLE,
        )
    clock = SystemClock()
    counts = Counts()
    schemas = registered_schemas(topology)
    codec = bundled_codec() if schemas is None else Codec(schemas)
    publish = Publisher(topology, codec, Envelope(f"/touchstone/{topology.name}"), clock, counts)
    pipeline = Pipeline(topology, ordering_of(topology), topology.partitions, publish, clock, counts, topology.dead_letters, codec)
    prepare = None if schemas is None else Prefetch(schemas, avro_topics(topology))
    environment = RocksEnvironment()
    hot_rows = max(1_000, options.hot_rows // (len(stages_of(topology)) * topology.partitions))

    def open_store(path: Path, row_types: Mapping[str, Any]) -> RowStore:
        return RowStore(RocksBackend(path, environment), row_types, hot_rows)

    settings = WorkerSettings(
        app=options.app,
        bootstrap=options.bootstrap,
        instance=options.instance,
        data_dir=options.data_dir,
        partitions=topology.partitions,
        channel_topics=input_topics(topology),
        output_topics=output_topics(topology),
        clock=topology.clock,
        session_timeout_ms=options.session_timeout_ms,
        commit_interval_ms=options.commit_interval_ms,
        static_membership=options.static_membership,
        standby=options.standby,
        stall_timeout_ms=options.stall_timeout_ms,
        topic_options=options.topic_options,
    )
    return run_worker(
        settings,
        pipeline,
        open_store,
        clock=clock,
        beside=_beside(topology, pipeline, options),
        prepare=prepare,
        table=privacy_table(topology, pipeline),
    )


def privacy_table(topology: Topology, pipeline: Pipeline) -> Table:
    """What every worker must know before it processes anything: who was forgotten."""
    return Table(topology.topics.privacy, lambda value: pipeline.learn(decode_forgotten(value)))


def registered_schemas(topology: Topology) -> RegisteredSchemas | None:
    """The schemas of the registry that the environment names, with every output registered there; None where it names none.

    Raises:
        UsageError: an output's schema is not registered.
        Retriable: the registry cannot be reached.
    """
    client = configured_client()
    if client is None:
        return None
    schemas = RegisteredSchemas(client, subject_of(topology))
    outputs = ["Moment", "Customer", "IdentityChange", "DeadLetter"] + ["Review"] * (topology.matching is not None)
    for record in outputs:
        schemas.id_of(record)
    return schemas


def avro_topics(topology: Topology) -> set[str]:
    """The topics that are read and may hold Avro."""
    return {subject.topic for subject in subjects(topology) if subject.record in ("Touchpoint", "Command")}


def _beside(topology: Topology, pipeline: Pipeline, options: WorkerOptions) -> Any:
    """What runs beside the worker, in its event loop: figures into the registry, and the page that shows them."""
    registry = Registry(
        {
            "channel": topology.channels.keys(),
            "reason": REASONS.keys() | IGNORED.keys(),
            "kind": topology.kinds.keys(),
            "journey": {journey.name for journey in topology.journeys},
            "phase": {phase for journey in topology.journeys for phase in journey.phases},
            "output": {output.name for output in topology.outputs},
            "topic": {spec.name for spec in topic_specs(topology, options.app)},
        },
        {"version": touchstone.__version__, "topology": topology.name, "topology_version": str(topology.version), "clock": topology.clock},
    )
    registry.begin(CONSUMED, topology.channels)
    registry.begin(LATE, topology.channels)
    registry.begin(DEAD_LETTERS, REASONS)
    registry.begin(CORRECTIONS, CAUSES)
    registry.begin(WITHHELD, (output.name for output in topology.asking))
    registry.begin(SUPPRESSED, topology.channels)
    registry.begin(COMPARED, BLOCKS)
    registry.begin(LIKENESSES, VERDICTS)
    registry.begin(REVIEWS, REVIEW_STATUSES)

    async def beside(status: RuntimeStatus) -> None:
        def refresh() -> None:
            registry.flush(pipeline.committed_counts)
            show_status(registry, status)

        def refresh_page() -> None:
            refresh()
            registry.replace(CUSTOMERS, pipeline.customers())
            registry.total(COMPARING_SECONDS, pipeline.comparing_seconds)
            show_resources(registry, options.data_dir)

        registry.before_each_page(refresh_page)
        port = None
        if options.web_port is not None:
            web = await start_web(options.web_host, options.web_port, registry, lambda: (status.state, why(status)), lambda: status.trouble)
            port = web.port
            (options.data_dir / "web.port").write_text(str(port))
        log.info("%s", begun(topology, options, port))
        while True:
            await asyncio.sleep(1)
            refresh()

    return beside


def begun(topology: Topology, options: WorkerOptions, port: int | None) -> str:
    """What a worker says first: who it is, what it works on, and where it can be looked at."""
    page = "no page" if port is None else f"health and metrics on http://{options.web_host}:{port}"
    return (
        f"worker {options.instance} of {options.app} has begun: topology {topology.name}, {topology.partitions} partitions, clock {topology.clock}, "
        f"Kafka at {options.bootstrap}, state in {options.data_dir}, {page}"
    )


def why(status: RuntimeStatus) -> str:
    """Why a worker is ready or not, in a sentence for whoever is awake at three in the morning."""
    if status.trouble is not None:
        return status.trouble
    match status.state:
        case "disconnected":
            return f"no broker has answered for {status.silent_s:.0f} s; nothing is lost, and it goes on by itself when one does"
        case "starting":
            return "waiting for partitions of the group"
        case "rebalancing":
            return "partitions change hands; reading goes on when the group has settled"
        case "restoring":
            return f"{status.restore_remaining} changelog records are still to be read"
        case "draining":
            return "finishing the last transaction before leaving"
    return f"{len(status.partitions)} partitions, {sum(status.lag.values())} records behind"
