"""What it takes to run one Kafka node: its settings, its command line, its formatted folder."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from shutil import copytree
from typing import Literal

from touchstone.devkit.folders import cache_folder
from touchstone.devkit.jars import KAFKA_VERSION
from touchstone.devkit.java import Java
from touchstone.errors import Unavailable

Profile = Literal["test", "bench"]
"""`test`: ready soonest, small. `bench`: compiled fully, for figures and for a broker that stays."""

HOST = "127.0.0.1"
READY = "Kafka Server started"

_CLUSTER_ID = "dG91Y2hzdG9uZS1kZXZraQ"  # 16 bytes as base64; all embedded brokers are formatted alike, so that one format serves them
_FORMAT_SECONDS = 180  # takes 1-2 s; a loaded machine may take far longer

_JVM: Mapping[Profile, tuple[str, ...]] = {
    "test": ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    "bench": ("-Xms256m", "-Xmx768m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"),
}

_PROPERTIES: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # one node holds every copy
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # 50 partitions each by default: half a second of the first commit
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    # topics are made on purpose, by `touchstone topics apply`
    "auto.create.topics.enable": "false",
    # members come and go in tests: no waiting for others, short sessions allowed
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # 128 MB by default, half of the heap; compaction is on, as it is by default
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


def server_properties(data: Path, port: int, controller_port: int, extra: Mapping[str, str], doors: Mapping[str, int] | None = None) -> str:
    """The text of `server.properties` for a node with its data there; `extra` overrides, `doors` are further listeners with their ports."""
    clients = [f"{name}://{HOST}:{at}" for name, at in {"PLAINTEXT": port, **(doors or {})}.items()]
    protocols = [f"{name}:{name}" for name in ("PLAINTEXT", *(doors or {}))]
    settings = {
        **_PROPERTIES,
        "listeners": ",".join([*clients, f"CONTROLLER://{HOST}:{controller_port}"]),
        "advertised.listeners": ",".join(clients),
        "listener.security.protocol.map": ",".join([*protocols, "CONTROLLER:PLAINTEXT"]),
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "log.dirs": str(data),
        **extra,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def java_command(java: Java, jars: tuple[Path, ...], profile: Profile, main: str, *arguments: str) -> list[str]:
    """The command line that runs one of Kafka's main classes."""
    log4j = files("touchstone.devkit") / "log4j2.properties"
    return [
        str(java.path),
        *_JVM[profile],
        *java.flags,
        "-Djava.awt.headless=true",
        "-Dfile.encoding=UTF-8",
        f"-Dlog4j2.configurationFile={log4j}",
        "-cp",
        os.pathsep.join(map(str, jars)),
        main,
        *arguments,
    ]


def formatted(data: Path, java: Java, jars: tuple[Path, ...], more: Sequence[str] = ()) -> None:
    """Make `data` a formatted, empty log folder, unless it is one already; `more` is said to Kafka's tool.

    Formatting costs a JVM, so the first result is kept in the user's cache and copied from then on, but for a folder of its own kind.

    Raises:
        Unavailable: Kafka's own tool refused.
    """
    if (data / "meta.properties").exists():
        return
    if more:
        data.parent.mkdir(parents=True, exist_ok=True)
        _format(data, java, jars, more)
        return
    template = cache_folder() / f"kafka-{KAFKA_VERSION}" / "formatted"
    if not (template / "meta.properties").exists():
        _format(template, java, jars)
    copytree(template, data, dirs_exist_ok=True)


def _format(template: Path, java: Java, jars: tuple[Path, ...], more: Sequence[str] = ()) -> None:
    with tempfile.TemporaryDirectory(prefix=".format-", dir=template.parent) as folder:
        made, properties = Path(folder) / "data", Path(folder) / "server.properties"
        properties.write_text(server_properties(made, 9092, 9093, {}), "utf-8")
        words = ["format", "-t", _CLUSTER_ID, "-c", str(properties), *more]
        command = java_command(java, jars, "test", "kafka.tools.StorageTool", *words)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"Kafka did not format its folder within {_FORMAT_SECONDS} s; is the machine out of memory or CPU?"
            ) from error
        if done.returncode != 0:
            raise Unavailable(f"Kafka could not format its folder (code {done.returncode}): {(done.stdout + done.stderr).strip()[-1500:]}")
        with suppress(OSError):  # another process was quicker: its result is as good
            made.rename(template)
