"""`python -m bench`: measure, print one table, store one JSON."""

import argparse
import asyncio
import gc
import logging
import tempfile
import time
from pathlib import Path

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
    if asked.only != "stages":
        figures += asyncio.run(_live(QUICK if asked.quick else Size()))
    if asked.only != "live":
        topology = load_topology(default_topology_path())
        figures += way(200, 500, 1) if asked.quick else way(10_000, 10_000, 3)
        figures += stages(topology, rounds=1 if asked.quick else 3, share=20 if asked.quick else 1)
    show(figures, ran_on)
    path = asked.store or RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    store(figures, ran_on, path)
    return 0


async def _live(size: Size) -> list[Figure]:
    file = default_topology_path()
    with kafka_or_given(profile="bench") as bootstrap, tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder:
        name = f"bench-{time.time_ns() // 1_000_000}"
        system = LiveSystem(bootstrap, file, load_topology(file), Path(folder), app=name, prefix=f"{name}.", session_timeout_s=10)
        try:
            return await LiveBench(system, size).run()
        finally:
            system.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that everything runs; the figures mean nothing")
    parser.add_argument("--only", choices=["live", "stages"], help="only with a broker, or only without one")
    parser.add_argument("--store", type=Path, metavar="FILE", help="where the JSON goes (default: bench/results/, which git ignores)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
