"""The engine put together: which part knows which."""

import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import faust
from aiokafka import TopicPartition
from faust.auth import Credentials

from touchstone.clock import Clock
from touchstone.errors import InvariantBroken, StateUnusable
from touchstone.runtime.agents import PortionStream, register
from touchstone.runtime.batch import Portion
from touchstone.runtime.broker_time import BrokerTime
from touchstone.runtime.checkpoint import Checkpoint
from touchstone.runtime.clockreader import ClockReader
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.loop import Loop
from touchstone.runtime.names import internal_topic
from touchstone.runtime.partitions import Partitions, StoreFactory
from touchstone.runtime.producer import Producer
from touchstone.runtime.program import Prepare, Program
from touchstone.runtime.rebalance import Rebalance
from touchstone.runtime.restore import Restorer
from touchstone.runtime.security import Security, process_security
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import JourneyClock
from touchstone.runtime.standby import Standby
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.tablereader import Table, TableReader
from touchstone.runtime.timekeeper import Timekeeper
from touchstone.runtime.transaction import Membership
from touchstone.runtime.transport import Engine, EngineApp, EngineTransport, NoTables


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts that the worker starts, watches and stops."""

    app: EngineApp
    loop: Loop
    rebalance: Rebalance
    partitions: Partitions
    producer: Producer
    clock_reader: ClockReader
    table_reader: TableReader


def assemble(
    settings: WorkerSettings,
    program: Program,
    open_store: StoreFactory,
    *,
    counts: Mapping[str, int],
    clock: Clock,
    status: RuntimeStatus,
    fail: Callable[[BaseException], Awaitable[None]],
    confirm: Callable[[], Coroutine[Any, Any, None]],
    prepare: Prepare | None = None,
    table: Table | None = None,
) -> Assembly:
    """Make every part and tie them together; nothing runs yet. `counts` says how many partitions each topic has."""
    failpoints = Failpoints.from_environment(os.environ)
    sources = [TopicPartition(topic, number) for topic in settings.channel_topics for number in range(counts[topic])]
    journey_clock = JourneyClock(settings.clock, sources)
    broker_time = BrokerTime()
    clock_reader = ClockReader(settings, journey_clock, broker_time)
    table_reader = TableReader(settings, table)
    partitions = Partitions(settings, program, open_store, counts)

    def membership() -> Membership:
        return rebalance.membership

    async def recover(error: StateUnusable) -> None:
        await rebalance.recover(error)

    producer = Producer(settings, membership)
    delivery = Delivery(settings, program, producer, status, failpoints)
    delivery.know_outputs({topic: counts[topic] for topic in settings.output_topics})
    timekeeper = Timekeeper(settings, journey_clock, partitions, broker_time)
    checkpoint = Checkpoint(
        settings,
        program,
        partitions=partitions,
        delivery=delivery,
        producer=producer,
        timekeeper=timekeeper,
        clock=clock,
        failpoints=failpoints,
        status=status,
    )
    loop = Loop(
        settings,
        topics=[*settings.channel_topics, *(internal_topic(settings.base, stage) for stage in program.stages)],
        checkpoint=checkpoint,
        delivery=delivery,
        failpoints=failpoints,
        status=status,
        recover=recover,
    )
    rebalance = Rebalance(
        loop=loop,
        checkpoint=checkpoint,
        delivery=delivery,
        partitions=partitions,
        producer=producer,
        restorer=Restorer(settings, partitions, status, failpoints, clock_reader.is_alive),
        standby=Standby(settings, partitions, status, fail),
        timekeeper=timekeeper,
        is_known=(clock_reader.known, table_reader.known),
        failpoints=failpoints,
        status=status,
        fail=fail,
        topic_options=settings.topic_options,
        confirm=confirm,
    )
    app = faust_app(settings)
    app.engine = Engine(settings, loop, rebalance, failpoints, prepare)
    _register_agents(app, settings, program, partitions, delivery, timekeeper, failpoints)
    return Assembly(app, loop, rebalance, partitions, producer, clock_reader, table_reader)


def _register_agents(
    app: EngineApp,
    settings: WorkerSettings,
    program: Program,
    partitions: Partitions,
    delivery: Delivery,
    timekeeper: Timekeeper,
    failpoints: Failpoints,
) -> None:
    """One Faust agent per channel, in the order of the topology, then one per stage."""

    def process(portion: Portion) -> None:
        for piece in portion.slices:
            timekeeper.sources.advance(piece.tp, program.process(piece.records, delivery))

    receive = failpoints.around(program.deliver)

    def deliver(portion: Portion) -> None:
        stage = partitions.stage_of(portion.topic)
        if stage is None:
            raise InvariantBroken(f"expected a portion of an internal topic, found {portion.topic}")
        for piece in portion.slices:
            for record in piece.records:
                receive(stage, record.partition, program.receive(stage, record.value or b""), delivery)

    for topic in settings.channel_topics:
        register(app, topic, f"channel-{topic}", process)
    for stage in program.stages:
        register(app, internal_topic(settings.base, stage), f"stage-{stage}", deliver)


def faust_app(settings: WorkerSettings) -> EngineApp:
    """The Faust app: group membership and agents, nothing of its tables, web server or commits."""
    session_s = settings.session_timeout_ms / 1_000
    app = EngineApp(
        settings.app,
        broker=";".join(f"kafka://{server.strip()}" for server in settings.bootstrap.split(",")),
        autodiscover=False,
        datadir=settings.data_dir / "faust",
        store="memory://",
        web_enabled=False,
        Stream=PortionStream,
        TableManager=NoTables,
        broker_credentials=_credentials(process_security()),
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_client_id=settings.transactional_id,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 10,  # the others learn of a rebalance with their next heartbeat
        broker_request_timeout=max(40.0, session_s),
        broker_rebalance_timeout=60.0,
        broker_max_poll_interval=86_400.0,  # a restore may take long; the watchdog looks after the rest
        broker_max_poll_records=settings.poll_records,
        broker_commit_interval=3_600.0,
        consumer_max_fetch_size=256 << 10,  # a partition; after a standstill every one of them answers with as much
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=True,
    )
    app.transport = EngineTransport(app.conf.broker, app)
    return app


def _credentials(security: Security) -> Credentials | None:
    """The same for Faust's consumer; its objects do not show the password either."""
    context = security.context()
    if security.mechanism is not None:
        return faust.SASLCredentials(
            username=security.username, password=security.revealed(), ssl_context=context, mechanism=security.mechanism
        )
    return None if context is None else faust.SSLCredentials(context)
