"""`touchstone match`: learn from records who is who, and measure how well that works."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from touchstone.cli.bootstrap import late_bootstrap_option
from touchstone.cli.groups import Suggesting
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.topology_options import load_own, prefix_option, topology_option
from touchstone.errors import UsageError
from touchstone.matching.blocking import DEFAULT_BLOCKS
from touchstone.matching.evaluate import Error, Quality, Report
from touchstone.matching.evaluate import evaluate as measure
from touchstone.matching.model import load_model, to_json
from touchstone.matching.table import Table, named_columns, read_config, read_table
from touchstone.matching.training import train as learn
from touchstone.matching.training import train_supervised
from touchstone.stewardship.history import history_of
from touchstone.topology.compile import Matching, Topology

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)


@click.group(cls=Suggesting)
def match() -> None:
    """Learn from records who is who, and measure how well it works.

    A record is one line of a CSV file: a person as one source has written her down. Columns with usual names (given_name, surname, birth_date,
    email, postcode, …) are recognised; for others say the roles in a file for --config: {"attributes": {"COLUMN": "family_name"}}.

    \b
    How good is it on my data? Then keep what was learnt:
      touchstone match evaluate customers.csv --truth customer_id
      touchstone match train customers.csv --model model.json
    \b
    From the touchpoints of a live system, by the `matching` of its topology:
      touchstone match train --from-topics --model model.json
    """  # noqa: D301 - \b is click's mark for lines to be kept


def _records_options(*, required: bool = True) -> Callable[[_F], _F]:
    def decorate(command: _F) -> _F:
        for option in (
            output_option,
            click.option(
                "--config", type=_FILE, metavar="FILE", help='JSON: {"attributes": {"COLUMN": "ROLE"}}; by default roles are guessed'
            ),
            click.option(
                "--id", "record_id", metavar="COLUMN", help="names the records; by default id, rec_id, record_id, unique_id, or the line"
            ),
        ):
            command = option(command)
        return click.argument("records", type=_FILE, required=required)(command)

    return decorate


@match.command
@_records_options(required=False)
@click.option("--model", type=_FILE, required=True, metavar="FILE", help="where to save what was learnt")
@click.option("--truth", metavar="COLUMN", help="whose record it is: learn from that instead of without labels")
@click.option("--from-topics", is_flag=True, help="learn from the touchpoints in the channels' topics instead of a file")
@topology_option("its `matching` says what plays which role and which records meet; ")
@prefix_option
@late_bootstrap_option
def train(
    records: Path | None,
    model: Path,
    truth: str | None,
    from_topics: bool,
    record_id: str | None,
    config: Path | None,
    topology: Path | None,
    topic_prefix: str,
    bootstrap: Callable[[], str],
    output: Output,
) -> None:
    """Learn a model from RECORDS, or from the touchpoints of a live system, and save it.

    Without labels: how often strangers agree is counted in pairs drawn at random, how often one person's records agree is estimated from
    the pairs that share a block. The file is JSON and holds no names: frequent values appear by their digest.

    The topology's `matching` says which columns (or attributes of `profile`) play which role, and which records meet; without it the names of the
    columns do. With --from-topics every description of an identifier counts once, from the beginning of the topics to where they end now.
    """
    if from_topics == (records is not None):
        raise UsageError("expected RECORDS or --from-topics, and not both")
    if from_topics and (truth or record_id or config):
        raise UsageError("--truth, --id and --config are about a file: take them out, or name RECORDS instead of --from-topics")
    asked = load_own(topology, topic_prefix) if from_topics or topology is not None else None
    matching = None if asked is None else asked.matching
    blocks = DEFAULT_BLOCKS if matching is None or matching.blocks is None else matching.blocks
    if records is None:
        assert asked is not None
        table = _told(asked, bootstrap(), output)
    else:
        table = _table(records, truth, record_id, config, output, matching)
    trained_on = asked.name if records is None and asked is not None else Path(records or "").name
    with _steps(output) as step:
        learnt = (
            learn(table.records, blocks=blocks, trained_on=trained_on, progress=step)
            if truth is None
            else train_supervised(table.records, table.truth, blocks=blocks, trained_on=trained_on, progress=step)
        )
    try:
        model.write_bytes(to_json(learnt))
    except OSError as error:
        raise UsageError(f"the model cannot be written to {model}: {error.strerror}; name another file with --model") from None
    output.emit(
        {"record": "model", "file": str(model), "version": learnt.version, "hash": learnt.hash, "records": len(table.records)},
        f"{model}: model {learnt.version}, learnt from {counted(len(table.records), 'record')}",
    )


@match.command
@_records_options()
@click.option("--truth", required=True, metavar="COLUMN", help="whose record it is")
@click.option("--model", type=_FILE, metavar="FILE", help="of `match train`; by default one is learnt from RECORDS, without the truth")
@click.option("--worst", type=click.IntRange(min=0), default=10, show_default=True, help="so many errors are shown")
def evaluate(records: Path, truth: str, model: Path | None, worst: int, record_id: str | None, config: Path | None, output: Output) -> None:
    """Measure who is who in RECORDS where the truth is known.

    Pairs are those that score above acceptance, clusters the people that come out. Precision: what share of what was found is right. Recall: what
    share of what is right was found. Blocking recall: what share of the right pairs were compared at all; nothing can be found beyond it.
    B-cubed counts per record instead of per pair, so that one large person does not outweigh a hundred small ones.

    The worst errors follow, each with the bits that every attribute added or took.
    """
    table = _table(records, truth, record_id, config, output)
    with _steps(output) as step:
        chosen = load_model(model) if model else learn(table.records, trained_on=records.name, progress=step)
        step("scoring")
        report = measure(chosen, table.records, table.truth, worst=worst)
    if output.is_json:
        output.emit({"record": "evaluation", "model": chosen.version, **msgspec.to_builtins(report)})
        return
    _tell(report, output)


def _told(topology: Topology, bootstrap: str, output: Output) -> Table:
    """The descriptions in the channels' topics."""
    with output.progress("Reading touchpoints") as show:
        history = asyncio.run(history_of(topology, bootstrap, show))
    if len(history.records) < 2:
        raise UsageError(
            f"expected at least 2 descriptions of people in the touchpoints, found {len(history.records)}; do their profiles have the attributes "
            "that `matching.attributes` names?"
        )
    return Table(history.records, {}, {}, [])


def _table(
    records: Path, truth: str | None, record_id: str | None, config: Path | None, output: Output, matching: Matching | None = None
) -> Table:
    attributes = read_config(config).attributes
    if matching is not None and not attributes:
        attributes = named_columns(records, {**matching.roles, **matching.kinds})
    table = read_table(records, truth=truth, record_id=record_id, attributes=attributes)
    if len(table.records) < 2:
        raise UsageError(f"expected at least 2 records in {records}, found {len(table.records)}")
    output.note("Roles: " + ", ".join(f"{column} = {role}" for column, role in table.roles.items()))
    if table.ignored:
        output.note(f"Not compared: {', '.join(table.ignored)}")
    return table


@contextmanager
def _steps(output: Output) -> Iterator[Callable[[str], None]]:
    """A bar that moves with each step."""
    with output.progress("Matching", _STEPS) as show:
        done = 0

        def step(_what: str) -> None:
            nonlocal done
            done = min(done + 1, _STEPS)
            show(done)

        yield step


_STEPS = 6


def _tell(report: Report, output: Output) -> None:
    output.text(f"{counted(report.records, 'record')} of {report.people:,} people; found {report.people_found:,} people")
    output.text()
    rows = [("pairs", report.pairs), ("clusters", report.clusters), ("B-cubed", report.b_cubed)]
    output.table(("", "precision", "recall", "F1"), [(name, *_figures(quality)) for name, quality in rows])
    output.text()
    output.text(
        f"blocking recall {report.blocking_recall:.4f}: {report.compared:,} pairs were compared, {report.blocks_closed:,} blocks closed"
    )
    output.text(f"{report.in_review:,} pairs would go to review")
    for error in report.errors:
        output.text()
        output.text(_error(error))


def _figures(quality: Quality) -> tuple[str, str, str]:
    return f"{quality.precision:.4f}", f"{quality.recall:.4f}", f"{quality.f1:.4f}"


def _error(error: Error) -> str:
    what = "one person, taken for two" if error.missed else "two people, taken for one"
    explained = error.explanation
    lines = [f"{error.one} and {error.other}: {what}; {error.why} ({explained.score:+.1f} bits, probability {explained.probability:.3f})"]
    lines += [f"  {one.bits:+6.1f}  {one.feature}: {one.level} ({one.left} | {one.right})" for one in explained.evidence]
    lines.append(f"  {explained.prior:+6.1f}  before anything was compared")
    if explained.household > 0.05:
        lines.append(f"  {-explained.household:+6.1f}  two people who live together would agree in this as well")
    return "\n".join(lines)
