"""`python -m bench`: measure, print one table, store one JSON."""

import argparse
import asyncio
import gc
import logging
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from bench.failover import FailoverBench
from bench.live import QUICK, LiveBench, Size
from bench.report import Figure, machine, show, store
from bench.stages import stages
from bench.way import way
from touchstone.devkit.broker import kafka_or_given
from touchstone.devkit.live import LiveSystem
from touchstone.topology.load import default_topology_path, load_topology

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
    show(figures, ran_on)
    path = asked.store or RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    store(figures, ran_on, path)
    return 0


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
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures mean nothing")
    parser.add_argument("--only", choices=["live", "failover", "stages"], help="one worker, two of them, or the parts without a broker")
    parser.add_argument("--customers", type=int, metavar="N", help="how many have a state when a worker fails (default: 100,000)")
    parser.add_argument("--store", type=Path, metavar="FILE", help="where the JSON goes (default: bench/results/, which git ignores)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
