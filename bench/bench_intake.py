"""What a touchpoint costs in intake, and an output record in the codec: CPU microseconds each. `python bench/bench_intake.py`."""

import gc
import gzip
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import touchstone.devkit
from touchstone.contracts.codec import bundled_codec
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.lines import prepare_line
from touchstone.model.message import IdentityMessage
from touchstone.model.output import Customer, Moment
from touchstone.observe.metrics import Counts
from touchstone.runtime.program import Record
from touchstone.topology.load import default_topology_path, load_topology

NOW = 1_718_020_800_000
ROUNDS = 5
MOMENT = Moment(
    "5d1e0c7a9b3f4e21", NOW, "assert", "default", "c0ffee0123456789", "purchase", None, "transition", "interest", "purchase",
    ("decision",), 1, "paid", NOW, NOW, ("shop/a3f1",), "web", "owned", None, False, None, None, 1,
)  # fmt: skip
CUSTOMER = Customer(
    "c0ffee0123456789",
    NOW,
    "default",
    "active",
    None,
    tuple({"kind": "cookie", "value": f"79234187510694469448{n}", "first_seen": NOW, "last_seen": NOW} for n in range(4)),
    interactions=tuple({"channel": name, "type": "search", "occurred_at": NOW, "count": 7} for name in ("web", "app", "store")),
    journeys=({"journey": "purchase", "instance": None, "phase": "use", "since": NOW, "cycle": 1, "dormant": False, "deadline": NOW},),
)


def measure(name: str, what: Callable[[Any], object], of: Iterable[Any]) -> None:
    """Print the best and the worst of some rounds over the same values; the first, which fills memories, stands apart."""
    values = list(of)
    rounds = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        for value in values:
            what(value)
        rounds.append((time.process_time() - start) / len(values) * 1e6)
    print(f"{name:42} first {rounds[0]:6.1f}   then {min(rounds[1:]):6.1f} to {max(rounds[1:]):6.1f} µs")


def main() -> None:
    """Measure preparing, intake and encoding."""
    topology = load_topology(default_topology_path())
    folder = Path(touchstone.devkit.__file__).parent / "data" / "adobe-luma"
    lines = gzip.decompress((folder / "adobe-luma.touchpoints.jsonl.gz").read_bytes()).splitlines()
    prepared = [prepare_line(line, topology) for line in lines]
    records = [Record(each.topic, 0, offset, NOW, each.key, each.value, each.headers) for offset, each in enumerate(prepared)]
    intake = Intake(topology, Ordering(topology.kinds), Counts())
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)

    measure("prepare a line", lambda line: prepare_line(line, topology), lines)
    measure("take in a touchpoint (adobe-luma, JSON)", lambda record: intake.take(record, list[IdentityMessage]()), records)
    measure("encode a moment", bundled_codec().encode_moment, [MOMENT] * 20_000)
    measure("encode a customer", bundled_codec().encode_customer, [CUSTOMER] * 20_000)


if __name__ == "__main__":
    main()
