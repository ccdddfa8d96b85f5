"""Several Kafka nodes of our own that form one cluster, each of which can be killed, stopped and brought back."""

import json
import os
import signal
import socket
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from touchstone.devkit.broker import EmbeddedKafka
from touchstone.devkit.jars import fetch_jars
from touchstone.devkit.java import find_java
from touchstone.devkit.server import HOST, formatted
from touchstone.errors import InvariantBroken


class Cluster:
    """So many nodes, each broker and controller. Three keep every record three times and acknowledge what two of them have.

    A node keeps its ports and its data when it is killed, so it can come back. The folder is the caller's; nothing in it is removed.

    Args:
        folder: where the nodes keep their data and logs.
        nodes: how many, numbered from 1.
        properties: settings of `server.properties` of every node to add or override.
        fronts: for each node the port of something that stands before it (a proxy) and forwards to `inner_port`. Clients that come through
            `front` are told to use only those; clients that come through `bootstrap` never meet them.
    """

    def __init__(
        self, folder: Path, *, nodes: int = 3, properties: Mapping[str, str] | None = None, fronts: Sequence[int] | None = None
    ) -> None:
        if fronts is not None and len(fronts) != nodes:
            raise InvariantBroken(f"expected a front for each of {nodes} nodes, found {len(fronts)}")
        self._folder = folder
        self._fronts = fronts
        ports = _free_ports(3 * nodes)
        self._ports = dict(zip(self.numbers(nodes), ports, strict=False))
        self._controllers = dict(zip(self.numbers(nodes), ports[nodes:], strict=False))
        self._inner = dict(zip(self.numbers(nodes), ports[2 * nodes :], strict=False))
        self._nodes = {
            number: EmbeddedKafka(
                port=self._ports[number], folder=folder / f"node-{number}", properties=self._settings(number) | dict(properties or {})
            )
            for number in self._ports
        }

    @staticmethod
    def numbers(nodes: int) -> range:
        """The numbers of so many nodes."""
        return range(1, nodes + 1)

    @property
    def bootstrap(self) -> str:
        """Where clients connect directly."""
        return ",".join(f"{HOST}:{port}" for port in self._ports.values())

    @property
    def front(self) -> str:
        """Where clients connect through what stands before the nodes.

        Raises:
            InvariantBroken: nothing does.
        """
        if self._fronts is None:
            raise InvariantBroken("expected fronts; this cluster was made without")
        return ",".join(f"{HOST}:{port}" for port in self._fronts)

    @property
    def running(self) -> list[int]:
        """The nodes whose processes live."""
        return [number for number, node in self._nodes.items() if node.is_running]

    def inner_port(self, node: int) -> int:
        """Where the front of a node forwards to."""
        return self._inner[node]

    def pid(self, node: int) -> int:
        """The process of a node.

        Raises:
            InvariantBroken: it does not run.
        """
        pid = self._nodes[node].pid
        if pid is None:
            raise InvariantBroken(f"expected node {node} to run, found it ended")
        return pid

    def start(self, *nodes: int) -> None:
        """Start these nodes, or all, and wait until each is ready; a node needs a majority of the others to become so.

        Raises:
            Unavailable: one could not be started.
        """
        chosen = nodes or tuple(self._nodes)
        for number in chosen:
            self._format(number)
        with ThreadPoolExecutor(len(chosen)) as pool:
            list(pool.map(lambda number: self._nodes[number].start(), chosen))

    def kill(self, node: int) -> int:
        """End a node with SIGKILL; returns its exit code."""
        return self._nodes[node].kill()

    def pause(self, node: int) -> None:
        """Let a node stand still: its connections stay open and nothing answers."""
        os.kill(self.pid(node), signal.SIGSTOP)

    def resume(self, node: int) -> None:
        """Let it go on."""
        os.kill(self.pid(node), signal.SIGCONT)

    def stop(self) -> None:
        """End all nodes at once: what they know is on disk, and nobody reads it any more."""
        for number in self.running:
            self.kill(number)

    def active_controller(self) -> int:
        """The node that leads the others, as the running ones have noted it last.

        Raises:
            InvariantBroken: none of them knows a leader.
        """
        known: list[tuple[int, int]] = []
        for number in self.running:
            path = self._data(number) / "__cluster_metadata-0" / "quorum-state"
            if path.exists():
                state = json.loads(path.read_text("utf-8"))
                known.append((state["leaderEpoch"], state["leaderId"]))
        leader = max(known, default=(-1, -1))[1]
        if leader not in self._nodes:
            raise InvariantBroken("expected an active controller, found none")
        return leader

    def log_tail(self, node: int, lines: int = 20) -> str:
        """The last lines of a node's log."""
        return self._nodes[node].log_tail(lines)

    def __enter__(self) -> Self:
        """Start all nodes."""
        with ExitStack() as stack:
            stack.callback(self.stop)
            self.start()
            stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End all nodes."""
        self.stop()

    def _data(self, number: int) -> Path:
        return self._folder / f"node-{number}" / "data"

    def _settings(self, number: int) -> dict[str, str]:
        copies = str(min(3, len(self._ports)))
        enough = str(min(2, len(self._ports)))
        listeners = {"PLAINTEXT": self._ports[number], "CONTROLLER": self._controllers[number]}
        advertised = {"PLAINTEXT": self._ports[number]}
        if self._fronts is not None:
            listeners["FRONT"] = self._inner[number]
            advertised["FRONT"] = self._fronts[number - 1]
        return {
            "node.id": str(number),
            "listeners": _addresses(listeners),
            "advertised.listeners": _addresses(advertised),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
            "controller.quorum.voters": ",".join(f"{other}@{HOST}:{port}" for other, port in self._controllers.items()),
            "default.replication.factor": copies,
            "min.insync.replicas": enough,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": enough,
        }

    def _format(self, number: int) -> None:
        """Make the node's folder from the one that all embedded nodes begin with, under a number and an id of its own."""
        data = self._data(number)
        if (data / "meta.properties").exists():
            return
        data.parent.mkdir(parents=True, exist_ok=True)
        formatted(data, find_java(), fetch_jars(None))
        meta = data / "meta.properties"
        own = {"node.id": str(number), "directory.id": _directory_id()}
        lines = [line for line in meta.read_text("utf-8").splitlines() if line.partition("=")[0] not in own]
        meta.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in own.items())]) + "\n", "utf-8")


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items())


def _directory_id() -> str:
    """Kafka's own form of a random id: 22 characters of base64; letters only, because some ids have a meaning there."""
    return "".join(chr(ord("A") + byte % 26) for byte in uuid.uuid4().bytes) + "AAAAAA"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
