"""The embedded broker is a real Kafka, and nothing of it is left behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from touchstone.devkit.broker import EmbeddedKafka, kafka_or_given
from touchstone.errors import InvariantBroken, Unavailable


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def takes_connections(bootstrap: str) -> bool:
    """Whether somebody listens there."""
    host, _, port = bootstrap.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """Whether that process lives; one that is dead and not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def send_and_read(bootstrap: str, topic: str) -> list[bytes]:
    """One aborted and one committed transaction; what a `read_committed` reader sees."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1, topic_configs={"cleanup.policy": "compact"})])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic)
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"taken back", key=b"k")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"said", key=b"k")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 30)
        return [record.value]
    finally:
        await consumer.stop()


def test_a_reader_of_committed_records_sees_the_committed_transaction_only(kafka: str, topic_prefix: str) -> None:
    """Transactions, compacted topics and admin calls work on one node without further settings."""
    seen = asyncio.run(send_and_read(kafka, topic_prefix + "transactions"))

    assert seen == [b"said"]


def test_a_stopped_broker_leaves_no_process_no_port_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the block nothing is left: the process has ended, nobody listens, the temporary folder is gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with EmbeddedKafka() as broker:
        pid, bootstrap = broker.pid, broker.bootstrap
        assert pid is not None
        assert takes_connections(bootstrap)

    assert not is_alive(pid)
    assert not takes_connections(bootstrap)
    assert list(tmp_path.glob("touchstone-kafka-*")) == []


def test_a_broker_dies_with_its_parent_even_by_kill_9_and_the_next_one_clears_up(tmp_path: Path) -> None:
    """SIGKILL leaves the parent no chance to stop the broker, yet it ends at once; what it left on disk goes with the next start."""
    code = """
        import sys
        from touchstone.devkit.broker import EmbeddedKafka
        with EmbeddedKafka() as broker:
            print(broker.pid, flush=True)
            sys.stdin.read()
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        (left,) = tmp_path.glob("touchstone-kafka-*")

        parent.kill()
        parent.wait()

        wait_until(lambda: not is_alive(pid), 20)
    after = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], input="", env=environment, check=True, capture_output=True)
    assert after.returncode == 0
    assert not left.exists()


def test_a_broker_outlives_the_thread_that_started_it() -> None:
    """Linux ties a child to the thread that started it; the broker is tied to the process."""
    broker = EmbeddedKafka()
    starter = threading.Thread(target=broker.start)

    starter.start()
    starter.join()

    try:
        seen = asyncio.run(send_and_read(broker.bootstrap, "after-the-thread"))
        assert seen == [b"said"]
        assert broker.is_running
    finally:
        broker.stop()


def test_a_broker_that_dies_while_starting_says_why() -> None:
    """The message holds the end of the broker's log."""
    broker = EmbeddedKafka(properties={"log.segment.bytes": "lots"})

    with pytest.raises(Unavailable, match=r"(?s)died with code 1 while starting.*log\.segment\.bytes"):
        broker.start()

    assert not broker.is_running


def test_a_broker_that_dies_later_is_not_running_and_keeps_its_log() -> None:
    """Whoever waits for the broker can tell that it is gone."""
    with EmbeddedKafka() as broker:
        pid = broker.pid
        assert pid is not None

        os.kill(pid, signal.SIGKILL)

        wait_until(lambda: not broker.is_running)
        assert broker.pid is None
        assert "Kafka Server started" in broker.log_tail()


def test_a_port_that_another_program_has_is_named() -> None:
    """Nothing is started; the message says which port and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(Unavailable, match=f"port {port} of 127.0.0.1 is taken"):
            EmbeddedKafka(port=port).start()


def test_a_given_address_is_used_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an argument or in the environment; no broker is started then."""
    monkeypatch.setenv("TOUCHSTONE_BOOTSTRAP", "kafka.example:9092")

    with kafka_or_given() as from_environment, kafka_or_given("other.example:9092") as from_argument:
        assert (from_environment, from_argument) == ("kafka.example:9092", "other.example:9092")


def test_a_broker_that_was_not_started_has_no_address() -> None:
    """Asking is a fault of the program, not of the machine."""
    with pytest.raises(InvariantBroken, match="start the embedded Kafka"):
        _ = EmbeddedKafka().bootstrap


def test_the_broker_that_stays_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    """`kafka start`, `status` and `stop` as a user runs them: it outlives the command, is left alone by a second start, and its data stays.

    Until it is told to delete them.
    """
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def run(*arguments: str) -> tuple[int, dict[str, object]]:
        command = [sys.executable, "-c", "from touchstone.cli.main import main; main()", "kafka", *arguments, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=250)
        return done.returncode, msgspec.json.decode(done.stdout or done.stderr)

    assert run("status") == (1, {"status": "stopped"})
    code, started = run("start", "--port", port)
    assert (code, started["bootstrap"]) == (0, f"127.0.0.1:{port}")
    pid = started["pid"]
    assert isinstance(pid, int)
    try:
        assert asyncio.run(send_and_read(f"127.0.0.1:{port}", "kept")) == [b"said"]
        assert run("start", "--port", port) == (0, started)
        assert run("status") == (0, started)
        code, refused = run("start", "--port", str(int(port) - 1))
        assert code == 2
        assert "runs already" in str(refused["error"])

        assert run("stop") == (0, {"status": "stopped", "pid": pid})
        assert not is_alive(pid)
        assert run("status") == (1, {"status": "stopped"})

        code, started = run("start", "--port", port)
        assert code == 0
        assert asyncio.run(read_first(f"127.0.0.1:{port}", "kept")) == b"said"
    finally:
        run("stop")

    folder = tmp_path / "touchstone" / "kafka"
    assert folder.exists()
    assert run("stop", "--delete-data") == (0, {"status": "stopped", "deleted": str(folder)})
    assert not folder.exists()
    assert run("stop", "--delete-data") == (0, {"status": "stopped", "deleted": None})


async def read_first(bootstrap: str, topic: str) -> bytes | None:
    """The first committed record of a topic."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        value: bytes | None = (await asyncio.wait_for(consumer.getone(), 30)).value
        return value
    finally:
        await consumer.stop()
