"""The alerts as code: `python -m deploy.prometheus.alerts > deploy/prometheus/rules.yaml` writes the rules that Prometheus loads.

A rule is made of clauses, each a value and what it is compared with, so that a test can ask a real Prometheus whether every value exists:
a rule whose metric was renamed would otherwise never fire, and nobody would know. docs/operate.md has a runbook for each.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

RUNBOOKS = "docs/operate.md"
RULES = Path(__file__).with_name("rules.yaml")
JOB = 'job="touchstone"'


@dataclass(frozen=True, slots=True)
class Clause:
    """A value and its limit; `join` says how it meets the clause before it."""

    value: str
    limit: str
    join: str = "and on (instance)"


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule: when it fires, how bad that is, and what the normal value would be."""

    name: str
    severity: Literal["critical", "warning"]
    lasts: str
    summary: str
    normal: str
    clauses: tuple[Clause, ...]

    @property
    def expression(self) -> str:
        """What Prometheus evaluates."""
        first, *others = self.clauses
        return "\n".join([f"{first.value} {first.limit}", *(f"{each.join} {each.value} {each.limit}" for each in others)])

    @property
    def labels(self) -> dict[str, str]:
        """What the rule adds to the labels of its expression."""
        return {"severity": self.severity}

    @property
    def annotations(self) -> dict[str, str]:
        """What whoever is woken up reads first."""
        return {"summary": self.summary, "normal": self.normal, "runbook": f"{RUNBOOKS}#{self.name.lower()}"}


ALERTS = (
    Alert(
        "TouchstoneWorkerDown",
        "critical",
        "1m",
        "A worker does not answer.",
        "1 for every worker; the others take over after the session timeout",
        (Clause(f"up{{{JOB}}}", "== 0"),),
    ),
    Alert(
        "TouchstoneNoWorkers",
        "critical",
        "1m",
        "No worker answers at all: nothing is processed.",
        "as many as were deployed",
        (Clause(f"(count(up{{{JOB}}} == 1) or vector(0))", "== 0"),),
    ),
    Alert(
        "TouchstoneNotRunning",
        "warning",
        "10m",
        "A worker answers, but has not been at work for ten minutes.",
        "1 but for the seconds of a rebalance and the time of a restore",
        (Clause('max by (instance) (touchstone_worker_state{state="running"})', "== 0"),),
    ),
    Alert(
        "TouchstoneDisconnected",
        "critical",
        "1m",
        "No broker answers a worker.",
        "0; it goes on by itself when a broker answers",
        (Clause('max by (instance) (touchstone_worker_state{state="disconnected"})', "== 1"),),
    ),
    Alert(
        "TouchstoneLagWithoutCommits",
        "critical",
        "2m",
        "Records wait and nothing is committed.",
        "several transactions a second while records wait",
        (
            Clause("sum by (instance) (touchstone_lag_records)", "> 0"),
            Clause("rate(touchstone_transactions_total[2m])", "== 0"),
        ),
    ),
    Alert(
        "TouchstoneFallingBehind",
        "warning",
        "10m",
        "Lag is large and grows: the workers do not keep up.",
        "near 0; after a peak it falls",
        (
            Clause("sum(touchstone_lag_records)", "> 10000"),
            Clause("deriv(sum(touchstone_lag_records)[10m:1m])", "> 0", "and"),
        ),
    ),
    Alert(
        "TouchstoneRestoreStuck",
        "critical",
        "1m",
        "A worker restores its state, reads nothing, and does not come to work, also not by starting again.",
        "no restore, or one that reads 10,000 records a second and more",
        (
            Clause('max_over_time(touchstone_worker_state{state="restoring"}[5m])', "== 1"),
            Clause('max_over_time(touchstone_worker_state{state="running"}[5m])', "== 0"),
            Clause("increase(touchstone_restored_records_total[5m])", "== 0"),
        ),
    ),
    Alert(
        "TouchstoneDeadLetters",
        "warning",
        "10m",
        "More than 5 % of the records cannot be used.",
        "below 0.1 %",
        (Clause("sum(rate(touchstone_dead_letters_total[10m])) / sum(rate(touchstone_consumed_records_total[10m]))", "> 0.05"),),
    ),
    Alert(
        "TouchstoneCorrectionsBurst",
        "warning",
        "10m",
        "More than a fifth of what is said corrects something that was said before.",
        "a few per cent, by late data and merges",
        (
            Clause(
                'sum(rate(touchstone_corrections_total{cause!="consent_withdrawn"}[10m])) / sum(rate(touchstone_moments_total[10m]))',
                "> 0.2",
            ),
            Clause('sum(increase(touchstone_corrections_total{cause!="consent_withdrawn"}[10m]))', "> 100", "and"),
        ),
    ),
    Alert(
        "TouchstoneBlocksClosed",
        "warning",
        "10m",
        "Most of what should be compared comes to blocks that are closed: matching loses pairs.",
        "below a tenth; it grows with the number of customers",
        (
            Clause(
                'sum(rate(touchstone_compared_records_total{block="closed"}[1h])) / sum(rate(touchstone_compared_records_total[1h]))',
                "> 0.5",
            ),
            Clause('sum(increase(touchstone_compared_records_total{block="closed"}[1h]))', "> 1000", "and"),
        ),
    ),
    Alert(
        "TouchstoneRestartLoop",
        "critical",
        "0m",
        "A worker was started more than twice within a quarter of an hour: it fails, or two of one name fence each other.",
        "0; 1 for each release",
        (Clause(f"changes(process_start_time_seconds{{{JOB}}}[15m])", "> 2"),),
    ),
    Alert(
        "TouchstoneGroupUnsettled",
        "warning",
        "5m",
        "Partitions change hands again and again.",
        "0; 1 or 2 for each worker that comes or goes",
        (Clause("max by (instance) (increase(touchstone_rebalances_total[15m]))", "> 5"),),
    ),
    Alert(
        "TouchstoneAbortedTransactions",
        "warning",
        "0m",
        "Several transactions were thrown away: workers die in the middle of their work, or their state breaks.",
        "0; 1 for each worker that was killed",
        (Clause("sum(increase(touchstone_aborted_transactions_total[15m]))", "> 3"),),
    ),
    Alert(
        "TouchstoneClockHeldBack",
        "warning",
        "5m",
        "Deadlines fire more than five minutes late: a channel lags, or one of its partitions has no reader.",
        "1 to 2 seconds",
        (
            Clause("(time() - touchstone_clock_timestamp_seconds)", "> 300"),
            Clause('touchstone_build_info{clock="wall"}', "== 1"),
            Clause('touchstone_worker_state{state="running"}', "== 1"),
        ),
    ),
    Alert(
        "TouchstoneNoInput",
        "warning",
        "15m",
        "Nothing was read from any channel for half an hour.",
        "what the channels usually deliver, never 0 by day",
        (
            Clause("sum(rate(touchstone_consumed_records_total[15m]))", "== 0"),
            Clause('sum(touchstone_worker_state{state="running"})', "> 0", "and"),
        ),
    ),
    Alert(
        "TouchstoneDiskFilling",
        "critical",
        "5m",
        "Less than 15 % of the disk under the state is free: a worker with a full disk stops.",
        "above 50 %: a compaction needs room beside what it rewrites",
        (Clause("touchstone_disk_free_bytes / touchstone_disk_size_bytes", "< 0.15"),),
    ),
    Alert(
        "TouchstoneMemoryHigh",
        "warning",
        "5m",
        "A worker uses more than 90 % of the memory it may use, and will be killed past it.",
        "below 70 %, level after the first hours",
        (Clause(f"process_resident_memory_bytes{{{JOB}}} / on (instance) touchstone_memory_limit_bytes", "> 0.9"),),
    ),
    Alert(
        "TouchstoneMixedVersions",
        "warning",
        "30m",
        "Workers of different releases or topologies have run side by side for half an hour.",
        "1; 2 during a release",
        (Clause("count(count by (version, topology, topology_version) (touchstone_build_info))", "> 1"),),
    ),
)


def rules() -> dict[str, object]:
    """The file as Prometheus reads it."""
    return {
        "groups": [
            {
                "name": "touchstone",
                "rules": [
                    {
                        "alert": alert.name,
                        "expr": LiteralScalarString(alert.expression) if "\n" in alert.expression else alert.expression,
                        "for": alert.lasts,
                        "labels": alert.labels,
                        "annotations": alert.annotations,
                    }
                    for alert in ALERTS
                ],
            }
        ]
    }


def write() -> None:
    """Write the rules to standard output."""
    yaml = YAML()
    yaml.width = 140
    yaml.indent(mapping=2, sequence=4, offset=2)
    sys.stdout.write("# Generated by `python -m deploy.prometheus.alerts`; a test fails when it is stale.\n")
    yaml.dump(rules(), sys.stdout)


if __name__ == "__main__":
    write()
