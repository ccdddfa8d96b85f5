"""`touchstone simulate`: what would come out of these touchpoints?"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random

import click

from touchstone.cli.lines import RECORD_NAMES, line
from touchstone.cli.output import Output, output_option
from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.reasons import REASONS
from touchstone.contracts.times import iso_text, milliseconds
from touchstone.devkit.datasets import read_lines
from touchstone.errors import UsageError
from touchstone.model.component import NEVER
from touchstone.model.output import IdentityChange, Moment
from touchstone.observe.metrics import IGNORED_IDENTIFIERS, LATE
from touchstone.simulate import LINES_AT_ONCE, Simulation
from touchstone.simulate import simulate as run
from touchstone.topology.load import default_topology_path, load_topology

_RECORD_OF = {"moments": "moment", "customers": "customer", "deadletters": "deadletter"}


def _time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return milliseconds(int(value) if value.isdecimal() else value)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


@click.command
@click.argument("file")
@click.option("--topology", type=click.Path(path_type=Path), metavar="FILE", help="what to tell it by; by default the shipped topology")
@click.option("--shuffle", type=int, metavar="SEED", help="another order of arrival; the end must be the same")
@click.option(
    "--as-of", callback=_time, metavar="TIME", help="let time pass until then (2024-05-01T10:00:00Z); by default until the latest receipt"
)
@click.option("--log", is_flag=True, help="everything that is said on the way, in its order, as after each touchpoint")
@output_option
def simulate(file: str, topology: Path | None, shuffle: int | None, as_of: int | None, log: bool, output: Output) -> None:
    """See what would come out of touchpoints, without a broker.

    FILE is JSON Lines, one touchpoint a line, plain or gzip; `-` reads standard input; the name of a shipped data set (adobe-luma,
    snowplow-ecommerce, …) takes that. The same code runs as in a worker, in memory, so nothing is sent and nothing is kept.

    Text shows a summary. --output json shows the final view: the moments that stand, the active customers, the dead letters, one JSON
    object a line, each with `record` (moment, customer, deadletter) and the fields of its contract. --log shows instead everything
    that was said on the way, with what was taken back and with identity changes (record: identity).

    \b
      touchstone simulate adobe-luma
      touchstone simulate events.jsonl --log
      touchstone simulate events.jsonl --as-of 2024-06-01T00:00:00Z
    """  # noqa: D301 - \b is click's mark for lines to be kept
    compiled = load_topology(topology or default_topology_path())
    lines = list(read_lines(file))
    if shuffle is not None:
        Random(shuffle).shuffle(lines)  # noqa: S311 - reproducible, not secret
    done = 0
    with output.progress("Simulating", len(lines)) as show:

        def progress(more: int) -> None:
            nonlocal done
            done += more
            show(done)

        simulation = run(lines, compiled, as_of=as_of, lines_at_once=1 if log else LINES_AT_ONCE, progress=progress)
    if as_of is not None and simulation.as_of > as_of:
        raise UsageError(
            f"--as-of {iso_text(as_of)} lies before the latest receipt, {iso_text(simulation.as_of)}: time cannot go back; "
            "take a later time, or a file that ends earlier"
        )
    if log:
        for record in simulation.records:
            output.emit({"record": RECORD_NAMES[type(record)], **to_json_dict(record)}, line(record))
    elif output.is_json:
        for section, name in _RECORD_OF.items():
            for row in simulation.final[section]:
                output.emit({"record": name, **row})
    else:
        _tell(simulation, file, len(lines), output)


def _tell(simulation: Simulation, file: str, touchpoints: int, output: Output) -> None:
    """The summary: how much, who stands where, which rules fired, what was taken back, what could not be used."""
    final, until = simulation.final, "nothing was received" if simulation.as_of == NEVER else f"as of {iso_text(simulation.as_of)}"
    output.text(f"{file}: {touchpoints:,} touchpoints, {until}")
    output.text()
    moments = [record for record in simulation.records if isinstance(record, Moment)]
    changes = Counter(record.kind for record in simulation.records if isinstance(record, IdentityChange))
    corrections = Counter(moment.corrects for moment in moments if moment.action == "retract")
    output.table(
        ("", "count"),
        [
            ("customers", len(final["customers"])),
            ("moments that stand", len(final["moments"])),
            *((f"moments taken back ({cause or 'other'})", count) for cause, count in sorted(corrections.items(), key=str)),
            *((f"identity changes: {kind}", count) for kind, count in sorted(changes.items())),
            *((f"late touchpoints: {channel}", count) for channel, count in _counted(simulation, LATE.name)),
            *((f"identifiers left out: {what}", count) for what, count in _counted(simulation, IGNORED_IDENTIFIERS.name)),
            ("dead letters", len(final["deadletters"])),
        ],
    )
    standing: Counter[tuple[str, ...]] = Counter(
        (each["journey"], _phase(each)) for customer in final["customers"] for each in customer["journeys"]
    )
    _table("Where they stand", ("journey", "phase", "customers"), standing, output)
    fired: Counter[tuple[str, ...]] = Counter(
        (m["journey"], m["rule"], m["kind"], f"{m['from_phase'] or 'start'} → {m['to_phase'] or m['rule']}") for m in final["moments"]
    )
    _table("Moments that stand", ("journey", "rule", "kind", "step", "moments"), fired, output)
    letters: Counter[tuple[str, ...]] = Counter((row["reason"], REASONS[row["reason"]]) for row in final["deadletters"])
    _table("Dead letters", ("reason", "meaning", "records"), letters, output)
    output.note("")
    output.note("Everything that was said, in its order: --log. For programs: --output json. Other rules: --topology FILE.")


def _phase(standing: dict[str, object]) -> str:
    return f"{standing['phase']}, dormant" if standing["dormant"] else str(standing["phase"])


def _counted(simulation: Simulation, name: str) -> Iterable[tuple[str, int]]:
    return sorted((" ".join(labels), count) for metric, labels, count in simulation.counted if metric.name == name)


def _table(title: str, columns: tuple[str, ...], counted: Mapping[tuple[str, ...], int], output: Output) -> None:
    if counted:
        output.text()
        output.table(
            columns, [(*what, count) for what, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))], title=title
        )
