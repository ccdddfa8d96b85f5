"""Every alert fires when it should, keeps quiet when it should, and has a runbook."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy.prometheus import alerts
from deploy.prometheus.alerts import ALERTS, Alert
from tests.deploy.system import program
from touchstone.observe.metrics import METRICS

ROOT = Path(__file__).parents[2]
OPERATE = ROOT / "docs" / "operate.md"
W1 = 'job="touchstone", instance="w1"'
W2 = 'job="touchstone", instance="w2"'
FOREIGN = {"up", "process_start_time_seconds", "process_resident_memory_bytes"}
"""Metrics of Prometheus and of the process, which are not ours to declare."""

RUNS = f'touchstone_worker_state{{{W1}, state="running"}}'
GONE = f'touchstone_worker_state{{{W1}, state="disconnected"}}'
RESTORES = f'touchstone_worker_state{{{W1}, state="restoring"}}'


@dataclass(frozen=True)
class Case:
    """Series as promtool writes them (one value a minute), and whether the alert fires at that minute, with which labels."""

    alert: str
    minute: int
    series: dict[str, str]
    fires: bool
    labels: dict[str, str] = field(default_factory=lambda: {"instance": "w1", "job": "touchstone"})


INSTANCE = {"instance": "w1"}
CASES = [
    Case("TouchstoneWorkerDown", 5, {f"up{{{W1}}}": "1 1 0x10"}, fires=True),
    Case("TouchstoneWorkerDown", 5, {f"up{{{W1}}}": "1x3 0 1x10"}, fires=False),
    Case("TouchstoneNoWorkers", 5, {f"up{{{W1}}}": "1 1 0x10", f"up{{{W2}}}": "0x10"}, fires=True, labels={}),
    Case("TouchstoneNoWorkers", 5, {'up{job="other"}': "1x10"}, fires=True, labels={}),
    Case("TouchstoneNoWorkers", 5, {f"up{{{W1}}}": "0x10", f"up{{{W2}}}": "1x10"}, fires=False, labels={}),
    Case("TouchstoneNotRunning", 14, {RUNS: "1 0x20"}, fires=True, labels=INSTANCE),
    Case("TouchstoneNotRunning", 14, {RUNS: "1 0x6 1x20"}, fires=False, labels=INSTANCE),
    Case("TouchstoneDisconnected", 5, {GONE: "0 1x10"}, fires=True, labels=INSTANCE),
    Case("TouchstoneDisconnected", 5, {GONE: "0 1x3 0x10"}, fires=False, labels=INSTANCE),
    Case(
        "TouchstoneLagWithoutCommits",
        10,
        {f'touchstone_lag_records{{{W1}, topic="a"}}': "50x20", f"touchstone_transactions_total{{{W1}}}": "0 50 90x20"},
        fires=True,
        labels=INSTANCE,
    ),
    Case(  # slow, but it commits
        "TouchstoneLagWithoutCommits",
        10,
        {f'touchstone_lag_records{{{W1}, topic="a"}}': "50x20", f"touchstone_transactions_total{{{W1}}}": "0+1x20"},
        fires=False,
        labels=INSTANCE,
    ),
    Case(  # nothing to do
        "TouchstoneLagWithoutCommits",
        10,
        {f'touchstone_lag_records{{{W1}, topic="a"}}': "0x20", f"touchstone_transactions_total{{{W1}}}": "90x20"},
        fires=False,
        labels=INSTANCE,
    ),
    Case("TouchstoneFallingBehind", 25, {f'touchstone_lag_records{{{W1}, topic="a"}}': "0+2000x30"}, fires=True, labels={}),
    Case("TouchstoneFallingBehind", 25, {f'touchstone_lag_records{{{W1}, topic="a"}}': "90000-1000x30"}, fires=False, labels={}),
    Case(
        "TouchstoneRestoreStuck",
        8,
        {RESTORES: "1x20", RUNS: "0x20", f"touchstone_restored_records_total{{{W1}}}": "500x20"},
        fires=True,
        labels=INSTANCE | {"job": "touchstone", "state": "restoring"},
    ),
    Case(  # it starts again and again
        "TouchstoneRestoreStuck",
        12,
        {RESTORES: "1 0 1 0 1 0 1 0 1 0 1 0 1 0", RUNS: "0x20", f"touchstone_restored_records_total{{{W1}}}": "0x20"},
        fires=True,
        labels=INSTANCE | {"job": "touchstone", "state": "restoring"},
    ),
    Case(  # large, but it reads
        "TouchstoneRestoreStuck",
        12,
        {RESTORES: "1x20", RUNS: "0x20", f"touchstone_restored_records_total{{{W1}}}": "0+60000x20"},
        fires=False,
    ),
    Case(
        "TouchstoneDeadLetters",
        25,
        {
            f'touchstone_dead_letters_total{{{W1}, reason="malformed"}}': "0+10x30",
            f'touchstone_consumed_records_total{{{W1}, channel="web"}}': "0+100x30",
        },
        fires=True,
        labels={},
    ),
    Case(  # one in a hundred
        "TouchstoneDeadLetters",
        25,
        {
            f'touchstone_dead_letters_total{{{W1}, reason="malformed"}}': "0+1x30",
            f'touchstone_consumed_records_total{{{W1}, channel="web"}}': "0+100x30",
        },
        fires=False,
        labels={},
    ),
    Case(
        "TouchstoneCorrectionsBurst",
        25,
        {f'touchstone_corrections_total{{{W1}, cause="merge"}}': "0+30x30", f'touchstone_moments_total{{{W1}, kind="t"}}': "0+100x30"},
        fires=True,
        labels={},
    ),
    Case(  # a few corrections of a few moments
        "TouchstoneCorrectionsBurst",
        25,
        {f'touchstone_corrections_total{{{W1}, cause="merge"}}': "0+1x30", f'touchstone_moments_total{{{W1}, kind="t"}}': "0+2x30"},
        fires=False,
        labels={},
    ),
    Case(
        "TouchstoneCorrectionsBurst",
        25,
        {f'touchstone_corrections_total{{{W1}, cause="late"}}': "0+30x30", f'touchstone_moments_total{{{W1}, kind="t"}}': "0+1000x30"},
        fires=False,
        labels={},
    ),
    Case(  # people withdraw their consent: nothing that was said was wrong
        "TouchstoneCorrectionsBurst",
        25,
        {
            f'touchstone_corrections_total{{{W1}, cause="consent_withdrawn"}}': "0+30x30",
            f'touchstone_moments_total{{{W1}, kind="t"}}': "0+50x30",
        },
        fires=False,
        labels={},
    ),
    Case(
        "TouchstoneBlocksClosed",
        75,
        {
            f'touchstone_compared_records_total{{{W1}, block="open"}}': "0+100x90",
            f'touchstone_compared_records_total{{{W1}, block="closed"}}': "0+150x90",
        },
        fires=True,
        labels={},
    ),
    Case(  # some names are frequent
        "TouchstoneBlocksClosed",
        75,
        {
            f'touchstone_compared_records_total{{{W1}, block="open"}}': "0+1000x90",
            f'touchstone_compared_records_total{{{W1}, block="closed"}}': "0+150x90",
        },
        fires=False,
        labels={},
    ),
    Case(  # few touchpoints at night
        "TouchstoneBlocksClosed",
        75,
        {
            f'touchstone_compared_records_total{{{W1}, block="open"}}': "0+1x90",
            f'touchstone_compared_records_total{{{W1}, block="closed"}}': "0+5x90",
        },
        fires=False,
        labels={},
    ),
    Case("TouchstoneRestartLoop", 10, {f"process_start_time_seconds{{{W1}}}": "1 1 2 2 3 3 4 4 4 4 4 4"}, fires=True),
    Case("TouchstoneRestartLoop", 10, {f"process_start_time_seconds{{{W1}}}": "1 1 2 2 2 2 2 2 2 2 2 2"}, fires=False),
    Case("TouchstoneGroupUnsettled", 15, {f"touchstone_rebalances_total{{{W1}}}": "1+1x20"}, fires=True, labels=INSTANCE),
    Case("TouchstoneGroupUnsettled", 15, {f"touchstone_rebalances_total{{{W1}}}": "1 1 2 3 3x20"}, fires=False, labels=INSTANCE),
    Case(
        "TouchstoneAbortedTransactions", 10, {f"touchstone_aborted_transactions_total{{{W1}}}": "0 1 2 3 4 5 5x10"}, fires=True, labels={}
    ),
    Case("TouchstoneAbortedTransactions", 10, {f"touchstone_aborted_transactions_total{{{W1}}}": "0 0 1 1x10"}, fires=False, labels={}),
    Case(
        "TouchstoneClockHeldBack",
        12,
        {
            f"touchstone_clock_timestamp_seconds{{{W1}}}": "60x20",
            f'touchstone_build_info{{{W1}, clock="wall"}}': "1x20",
            RUNS: "1x20",
        },
        fires=True,
    ),
    Case(  # a second behind
        "TouchstoneClockHeldBack",
        12,
        {
            f"touchstone_clock_timestamp_seconds{{{W1}}}": "0+60x20",
            f'touchstone_build_info{{{W1}, clock="wall"}}': "1x20",
            RUNS: "1x20",
        },
        fires=False,
    ),
    Case(  # history: the clock is the touchpoints'
        "TouchstoneClockHeldBack",
        12,
        {
            f"touchstone_clock_timestamp_seconds{{{W1}}}": "60x20",
            f'touchstone_build_info{{{W1}, clock="event"}}': "1x20",
            RUNS: "1x20",
        },
        fires=False,
    ),
    Case(
        "TouchstoneNoInput",
        45,
        {f'touchstone_consumed_records_total{{{W1}, channel="web"}}': "0 100 100x60", RUNS: "1x60"},
        fires=True,
        labels={},
    ),
    Case(
        "TouchstoneNoInput",
        45,
        {f'touchstone_consumed_records_total{{{W1}, channel="web"}}': "0+1x60", RUNS: "1x60"},
        fires=False,
        labels={},
    ),
    Case(
        "TouchstoneDiskFilling",
        10,
        {f"touchstone_disk_free_bytes{{{W1}}}": "10x20", f"touchstone_disk_size_bytes{{{W1}}}": "100x20"},
        fires=True,
    ),
    Case(
        "TouchstoneDiskFilling",
        10,
        {f"touchstone_disk_free_bytes{{{W1}}}": "50x20", f"touchstone_disk_size_bytes{{{W1}}}": "100x20"},
        fires=False,
    ),
    Case(
        "TouchstoneMemoryHigh",
        10,
        {f"process_resident_memory_bytes{{{W1}}}": "95x20", f"touchstone_memory_limit_bytes{{{W1}}}": "100x20"},
        fires=True,
        labels=INSTANCE,
    ),
    Case(
        "TouchstoneMemoryHigh",
        10,
        {f"process_resident_memory_bytes{{{W1}}}": "60x20", f"touchstone_memory_limit_bytes{{{W1}}}": "100x20"},
        fires=False,
        labels=INSTANCE,
    ),
    Case(
        "TouchstoneMixedVersions",
        45,
        {
            f'touchstone_build_info{{{W1}, version="1", topology="t", topology_version="1"}}': "1x60",
            f'touchstone_build_info{{{W2}, version="2", topology="t", topology_version="1"}}': "1x60",
        },
        fires=True,
        labels={},
    ),
    Case(
        "TouchstoneMixedVersions",
        45,
        {
            f'touchstone_build_info{{{W1}, version="2", topology="t", topology_version="1"}}': "1x60",
            f'touchstone_build_info{{{W2}, version="2", topology="t", topology_version="1"}}': "1x60",
        },
        fires=False,
        labels={},
    ),
]


def alert_of(name: str) -> Alert:
    """The alert of this name."""
    return next(alert for alert in ALERTS if alert.name == name)


def promtool_case(case: Case) -> dict[str, Any]:
    """A case in promtool's words."""
    alert = alert_of(case.alert)
    expected = [{"exp_labels": alert.labels | case.labels, "exp_annotations": alert.annotations}] if case.fires else []
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [{"eval_time": f"{case.minute}m", "alertname": case.alert, "exp_alerts": expected}],
    }


def test_every_alert_fires_and_keeps_quiet_when_it_should(tmp_path: Path) -> None:
    """All cases in one run of promtool, over the rules that are shipped."""
    tests = {"rule_files": [str(alerts.RULES)], "evaluation_interval": "1m", "tests": [promtool_case(case) for case in CASES]}
    file = tmp_path / "rules.test.json"
    file.write_text(json.dumps(tests))  # JSON is YAML

    ran = subprocess.run([program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_would_notice_an_alert_that_does_not_fire(tmp_path: Path) -> None:
    """The harness itself: a case that expects the opposite fails."""
    wrong = promtool_case(CASES[0]) | {"alert_rule_test": [{"eval_time": "5m", "alertname": CASES[0].alert, "exp_alerts": []}]}
    file = tmp_path / "rules.test.json"
    file.write_text(json.dumps({"rule_files": [str(alerts.RULES)], "evaluation_interval": "1m", "tests": [wrong]}))

    ran = subprocess.run([program("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False)

    assert ran.returncode != 0


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "keeps quiet"])
def test_every_alert_has_a_case(fires: bool) -> None:
    """An alert that was never seen to fire, or never to keep quiet, is a guess."""
    assert {case.alert for case in CASES if case.fires is fires} == {alert.name for alert in ALERTS}


def test_the_rules_are_what_the_code_says(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m deploy.prometheus.alerts > deploy/prometheus/rules.yaml` was not forgotten."""
    alerts.write()

    assert alerts.RULES.read_text() == capsys.readouterr().out


def names_in(expression: str) -> Iterator[str]:
    """The metrics an expression asks for; the series of a histogram under the histogram's name."""
    for name in re.findall(r"\b(touchstone_\w+|process_\w+|up)\b(?!\s*=)", expression):
        yield re.sub(r"_(bucket|count|sum)$", "", name)


def test_alerts_ask_only_for_metrics_that_are_declared() -> None:
    """A renamed metric does not leave an alert behind that can never fire."""
    declared = {metric.name for metric in METRICS} | FOREIGN

    asked = {name for alert in ALERTS for name in names_in(alert.expression)}

    assert asked <= declared
    assert len(asked) > 10


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_a_runbook(alert: Alert) -> None:
    """What it means, what is normal, what causes it, what to do: under a heading that the annotation leads to."""
    page = OPERATE.read_text()

    _, found, rest = page.partition(f"### {alert.name}\n")
    runbook = rest.split("\n#", maxsplit=1)[0]

    assert found, f"docs/operate.md has no runbook for {alert.name}"
    assert [part for part in ("**Means**", "**Normal**", "**Causes**", "**Do**") if part not in runbook] == []
    assert alert.annotations["runbook"] == f"docs/operate.md#{alert.name.lower()}"
