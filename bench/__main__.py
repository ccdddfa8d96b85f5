"""`python -m bench`: measure, print one table, store one JSON."""

import argparse
import asyncio
import gc
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from bench.failover import FailoverBench
from bench.live import QUICK, LiveBench, Size
from bench.peer import QUICK_PEER, PeerBench, PeerSize
from bench.peer_run import PeersDiffer
from bench.peer_venv import peer_python
from bench.report import Figure, machine, show, store
from bench.stages import stages
from bench.way import way
from touchstone.devkit.broker import kafka_or_given
from touchstone.devkit.live import LiveSystem
from touchstone.errors import Unavailable
from touchstone.topology.load import default_topology_path, load_topology

_ONLY = "one worker, two of them, the parts without a broker, or Touchstone beside Quix Streams"
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what was asked for."""
    asked = _arguments()
    gc.set_threshold(100_000, 50, 100)  # as in a worker
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains while new topics find their leaders
    ran_on = machine()
    figures: list[Figure] = []
    size = QUICK if asked.quick else Size()
    if asked.only in {None, "live"}:
        figures += asyncio.run(_on_kafka(lambda system: LiveBench(system, size).run()))
    if asked.only in {None, "failover"}:
        figures += asyncio.run(_on_kafka(lambda system: FailoverBench(system, asked.customers or size.customers).run()))
    if asked.only in {None, "stages"}:
        topology = load_topology(default_topology_path())
        figures += way(200, 500, 1) if asked.quick else way(10_000, 10_000, 3)
        figures += stages(topology, rounds=1 if asked.quick else 3, share=20 if asked.quick else 1)
    code = 0
    if asked.only == "peer" or (asked.only is None and not asked.quick):  # it installs the peer first: not half a minute
        compared, code = _peer(QUICK_PEER if asked.quick else PeerSize(), is_asked_for=asked.only == "peer")
        figures += compared
    show(figures, ran_on)
    path = asked.store or RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    store(figures, ran_on, path)
    return code


def _peer(size: PeerSize, *, is_asked_for: bool) -> tuple[list[Figure], int]:
    """The figures beside the peer, and the exit code: where the peer cannot be had all others still count, unless only it was asked for."""
    try:
        python = peer_python()
    except Unavailable as error:
        print(f"not compared with the peer: {error}", file=sys.stderr)
        return [], int(is_asked_for)
    try:
        with kafka_or_given(profile="bench") as bootstrap:
            return asyncio.run(PeerBench(bootstrap, python, size).run()), 0
    except (PeersDiffer, Unavailable) as error:  # what was measured before is still shown and stored
        print(error, file=sys.stderr)
        return [], 1


async def _on_kafka(measure: Callable[[LiveSystem], Coroutine[None, None, list[Figure]]]) -> list[Figure]:
    file = default_topology_path()
    with kafka_or_given(profile="bench") as bootstrap, tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder:
        name = f"bench-{time.time_ns() // 1_000_000}"
        system = LiveSystem(bootstrap, file, load_topology(file), Path(folder), app=name, prefix=f"{name}.", session_timeout_s=10)
        try:
            return await measure(system)
        finally:
            system.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="see that it runs, without the peer unless asked for; the figures mean nothing"
    )
    parser.add_argument("--only", choices=["live", "failover", "stages", "peer"], help=_ONLY)
    parser.add_argument("--customers", type=int, metavar="N", help="how many have a state when a worker fails (default: 100,000)")
    parser.add_argument("--store", type=Path, metavar="FILE", help="where the JSON goes (default: bench/results/, which git ignores)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
