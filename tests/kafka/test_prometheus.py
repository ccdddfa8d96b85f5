"""What is seen from outside is true: a real Prometheus on live workers finds a series for every panel and alert, and figures agree with topics."""

import asyncio
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.grafana import dashboard
from deploy.prometheus import alerts
from tests.deploy.system import program
from touchstone.devkit.live import LiveSystem
from touchstone.model.output import Customer, Moment
from touchstone.runtime.client import read_topic
from touchstone.testing.generator import generate
from touchstone.topology.load import default_topology_path, load_topology

WORKERS = ("w1", "w2")
NOW_MS = time.time_ns() // 1_000_000


def lines() -> list[bytes]:
    """Touchpoints with merges, corrections, duplicates, late ones and garbage; one from a device whose clock is wrong."""
    ada = {
        "channel": "web",
        "type": "search",
        "occurred_at": NOW_MS,
        "identifiers": {"user_id": "ada", "shoe_size": "38", "cookie": "null"},
    }
    skewed = ada | {"event_id": "skewed", "occurred_at": NOW_MS + 86_400_000, "sent_at": NOW_MS + 86_400_000, "received_at": NOW_MS}
    late = ada | {"event_id": "late", "occurred_at": NOW_MS - 3 * 86_400_000, "type": "ad_view"}
    types = ("ad_view", "search", "cart_add", "order_paid", "delivered")  # those of the generator are long dormant by the wall clock
    others = [ada | {"event_id": kind, "type": kind, "identifiers": {"user_id": kind}} for kind in types]
    own = [json.dumps(line).encode() for line in (ada | {"event_id": "plain"}, skewed, late, *others)]
    return [*generate(1_000, seed=7).lines, *own, *own]


@pytest.fixture(scope="module")
def system(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """Two workers that have worked; the wall clock, as in production. One output asks for consent, which the shipped topology leaves open."""
    prefix = f"t{uuid.uuid4().hex[:12]}."
    folder = tmp_path_factory.mktemp("live")
    file = folder / "topology.yaml"
    file.write_text(f"{default_topology_path().read_text()}\noutputs:\n  marketing: {{topic: marketing-moments.v1, purpose: marketing}}\n")
    topology = replace(load_topology(file), partitions=2, clock="wall")
    live = LiveSystem(kafka, file, topology, folder, app=f"{prefix}app", prefix=prefix, session_timeout_s=3)

    async def work() -> None:
        await live.create_topics()
        for name in WORKERS:
            live.start(name)
        await live.until_ready(*WORKERS)
        await live.send(lines())
        await live.until_quiet(None)

    try:
        asyncio.run(work())
        yield live
    finally:
        live.stop(0)


def until(condition: Callable[[], object], seconds: float, explain: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {explain()}"
        time.sleep(0.2)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


# -- E8: the figures and the topics ------------------------------------------------------------------------------------------------


def shown(system: LiveSystem, metric: str, *labels: str) -> Counter[tuple[str, ...]]:
    """A metric of all workers by these labels."""
    found: Counter[tuple[str, ...]] = Counter()
    for name in WORKERS:
        for family in text_string_to_metric_families(system.page(name, "/metrics")):
            for sample in family.samples:
                if sample.name == metric:
                    found[tuple(sample.labels[label] for label in labels)] += int(sample.value)
    return +found


def customers_by_phase(system: LiveSystem) -> Counter[tuple[str, ...]]:
    """Active customers as a reader of the compacted topic counts them."""
    last: dict[str, Customer] = {}
    for record in asyncio.run(system.records([system.topology.topics.customers])):
        if isinstance(record, Customer):
            last[record.customer_id] = record
    return Counter(
        ("dormant" if standing["dormant"] else str(standing["phase"]),) if standing else ("none",)
        for customer in last.values()
        if customer.status == "active"
        for standing in (customer.journeys[0] if customer.journeys else None,)
    )


def moments_replayed(system: LiveSystem) -> Counter[tuple[str, ...]]:
    """What the moments topic says when it is read from the beginning."""
    records = asyncio.run(system.records([system.topology.topics.moments]))
    return Counter((record.kind, record.action) for record in records if isinstance(record, Moment))


def length(system: LiveSystem, topic: str) -> int:
    """Committed records of a topic."""

    async def count() -> int:
        return len([record.offset async for record in read_topic(system.bootstrap, [topic])])

    return asyncio.run(count())


def test_the_figures_are_those_of_the_topics(system: LiveSystem) -> None:
    """E8: customers over all phases are the golden records, moments counted are moments replayed, dead letters are those on their topic.

    Counters of a killed worker begin anew; the gauge of customers does not: whoever takes the partitions over counts on.
    """
    dead = system.topology.topics.deadletters

    def agree() -> bool:
        return (
            shown(system, "touchstone_moments_total", "kind", "action") == moments_replayed(system)
            and shown(system, "touchstone_customers", "phase") == customers_by_phase(system)
            and shown(system, "touchstone_dead_letters_total").total() == length(system, dead)
        )

    until(
        agree,
        60,
        lambda: (
            (shown(system, "touchstone_moments_total", "kind", "action"), moments_replayed(system)),
            (shown(system, "touchstone_customers", "phase"), customers_by_phase(system)),
            (shown(system, "touchstone_dead_letters_total"), length(system, dead)),
        ),
    )

    moments = moments_replayed(system)
    assert moments["transition", "assert"] > 100
    assert moments["transition", "retract"] > 0, "the story was to take something back"
    assert length(system, dead) > 0
    customers = customers_by_phase(system)
    assert len(customers) > 3

    system.kill("w1")
    system.start("w1")
    asyncio.run(system.until_ready("w1"))
    until(lambda: shown(system, "touchstone_customers", "phase") == customers, 60, lambda: shown(system, "touchstone_customers", "phase"))


# -- Prometheus ---------------------------------------------------------------------------------------------------------------------


class Prometheus:
    """A real one, asked through its interface."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"

    def ask(self, path: str, **arguments: str) -> Any:
        """The data of an answer; None while there is none."""
        try:
            with urllib.request.urlopen(f"{self._address}{path}?{urllib.parse.urlencode(arguments)}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it starts
                return None
            raise AssertionError(f"{arguments}: {error.read().decode()}") from error
        except OSError:
            return None

    def series(self, expression: str) -> list[Any]:
        """What an expression finds now."""
        data = self.ask("/api/v1/query", query=expression)
        return list(data["result"]) if data else []


@contextmanager
def prometheus_on(system: LiveSystem, folder: Path) -> Iterator[Prometheus]:
    """Prometheus with the shipped rules, scraping the workers every second."""
    addresses = [str(system.address(name)).removeprefix("http://") for name in WORKERS]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(alerts.RULES)],
        "scrape_configs": [{"job_name": "touchstone", "static_configs": [{"targets": addresses}]}],
    }
    (folder / "prometheus.json").write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    command = [str(program("prometheus")), f"--config.file={folder / 'prometheus.json'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        server = Prometheus(port)
        until(lambda: len(server.series("up == 1")) == len(WORKERS), 60, (folder / "log").read_text)
        yield server
    finally:
        process.kill()
        process.wait()


def runnable(expression: str) -> str:
    """An expression as Grafana would send it; steps of a minute become seconds, because the test does not last minutes."""
    return re.sub(r"\[(\d+m):1m\]", r"[\1:1s]", expression.replace("$__rate_interval", "10s"))


def test_every_panel_and_every_alert_finds_a_series(system: LiveSystem, tmp_path: Path) -> None:
    """An expression that finds nothing is an empty panel, or an alert that can never fire."""
    wanted = {f"panel {title}: {expression}": expression for title, expression in dashboard.expressions()}
    wanted |= {f"alert {alert.name}: {clause.value}": clause.value for alert in alerts.ALERTS for clause in alert.clauses}
    assert len(wanted) > 50

    with prometheus_on(system, tmp_path) as server:
        missing = dict(wanted)

        def found_all() -> bool:
            for name, expression in list(missing.items()):
                if server.series(runnable(expression)):
                    del missing[name]
            return not missing

        until(found_all, 60, lambda: sorted(missing))
        assert not server.series("touchstone_renamed_total"), "the harness itself: what does not exist is missed"
        rules = server.ask("/api/v1/rules")["groups"][0]["rules"]

    assert {rule["name"] for rule in rules} == {alert.name for alert in alerts.ALERTS}
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["name"] for rule in rules if rule["state"] == "firing"} == set(), "healthy workers wake nobody"


def test_a_live_page_has_no_fault(system: LiveSystem) -> None:
    """`promtool check metrics`: names, units, types and help as Prometheus wants them."""
    page = system.page("w1", "/metrics")

    ran = subprocess.run([program("promtool"), "check", "metrics"], input=page, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr.strip()) == (0, "")
    assert "touchstone_customers" in page
