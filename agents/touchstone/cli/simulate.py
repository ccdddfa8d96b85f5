"""`touchstone simulate`: what would come out of these touchpoints?"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import click
from rich.text import Text

from touchstone.cli.lines import RECORD_NAMES, line
from touchstone.cli.output import SHOWN_FINDINGS, Finding, Output, Show, counted, output_option
from touchstone.cli.times import time_option
from touchstone.cli.topology_options import topology_option
from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.reasons import REASONS
from touchstone.contracts.times import iso_text
from touchstone.devkit.datasets import STANDARD_INPUT, read_numbered
from touchstone.errors import UsageError
from touchstone.hash_key import secret_from
from touchstone.model.component import NEVER
from touchstone.model.output import Carried, DeadLetter, IdentityChange, Moment
from touchstone.observe.metrics import IGNORED_IDENTIFIERS, LATE, WITHHELD
from touchstone.pipeline import OutputRecord
from touchstone.simulate import LINES_AT_ONCE, Simulation
from touchstone.simulate import simulate as run
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology

_RECORD_OF = {"moments": "moment", "outputs": "carried", "customers": "customer", "reviews": "review"}
_OF_KAFKA = ("letter_id", "topic", "partition", "offset", "occurred_at")
"""What a dead letter says of its record in Kafka; here there is none."""


@click.command
@click.argument("file")
@topology_option("what to tell it by; ")
@click.option("--shuffle", type=int, metavar="SEED", help="another order of arrival; the end must be the same")
@time_option("--as-of", "let time pass until then; by default until the latest receipt")
@click.option("--log", is_flag=True, help="what is said after each touchpoint, in its order, instead of the summary")
@output_option
def simulate(file: str, topology: Path | None, shuffle: int | None, as_of: int | None, log: bool, output: Output) -> None:
    """See what would come out of touchpoints, without a broker.

    FILE is JSON Lines, one touchpoint a line, plain or gzip; `-` reads standard input; the name of a shipped data set (adobe-luma,
    snowplow-ecommerce, …) takes that. The same code runs as in a worker, in memory, so nothing is sent and nothing is kept.

    Text shows a summary. --output json shows the final view: the moments that stand, the active customers, the reviews, the dead letters, one JSON
    object a line, each with `record` (moment, carried, customer, review, deadletter) and the fields of its contract. Of a dead letter both name file and
    line.

    --log shows everything that is said on the way, as it is said: what follows from each touchpoint before the next one is read, also
    what a later one takes back, and identity changes (record: identity). A worker reads many touchpoints at a time and leaves out what
    is overtaken among them, so it says less on the way; what stands in the end is the same.

    Exit code 1 when every line became a dead letter: then nothing was simulated.

    \b
      touchstone simulate adobe-luma
      touchstone simulate events.jsonl --log
      touchstone simulate events.jsonl --as-of 2024-06-01T00:00:00Z
    """  # noqa: D301 - \b is click's mark for lines to be kept
    source = _Source(file, load_topology(topology or default_topology_path()), shuffle, as_of)
    if log:
        simulation = source.run(output, at_once=1, heard=lambda record: _log(record, source, output))
    else:
        simulation = source.run(output)
        _tell_the_end(simulation, source, output)
    if 0 < source.count == len(simulation.final["deadletters"]):
        output.fail(
            f"expected touchpoints in {source.file}, found none that can be used: {_every_one(source.count)} became a dead letter, for the "
            "reasons above. Is it the right file, and the topology that knows its channels (--topology)?"
        )


def _every_one(lines: int) -> str:
    return "its only line" if lines == 1 else f"each of its {lines:,} lines"


def _tell_the_end(simulation: Simulation, source: "_Source", output: Output) -> None:
    """What is so in the end, in the form that was asked for."""
    if output.is_json:
        for section, name in _RECORD_OF.items():
            for row in simulation.final.get(section, ()):
                output.emit({"record": name, **row})
        for finding, letter in source.letters(simulation):
            output.emit(_letter_row(finding, letter))
    else:
        _tell(simulation, source, output)


class _Source:
    """The lines of a file on their way into the twin; knows afterwards where each of them stood."""

    def __init__(self, file: str, topology: Topology, shuffle: int | None, as_of: int | None) -> None:
        self.file = "standard input" if file == STANDARD_INPUT else file
        self._topology, self._as_of = topology, as_of
        self._numbers: list[int] = []
        self._lines: Iterable[tuple[int, bytes]] = read_numbered(file)
        if shuffle is not None:
            lines = list(self._lines)
            Random(shuffle).shuffle(lines)  # noqa: S311 - reproducible, not secret
            self._lines = lines

    @property
    def count(self) -> int:
        """Lines that were read."""
        return len(self._numbers)

    def run(self, output: Output, *, at_once: int = LINES_AT_ONCE, heard: Callable[[OutputRecord], None] = lambda _: None) -> Simulation:
        """Run them through the twin.

        Raises:
            UsageError: the end that was asked for lies before the end of the file.
        """
        secret = secret_from(os.environ)
        if at_once == 1:  # the log shows how far it is
            simulation = run(self._read(), self._topology, as_of=self._as_of, lines_at_once=1, heard=heard, secret=secret)
        else:
            lines = list(self._read())
            with output.progress("Simulating", len(lines)) as show:
                simulation = run(lines, self._topology, as_of=self._as_of, progress=_adding(show), secret=secret)
        if self._as_of is not None and simulation.as_of > self._as_of:
            raise UsageError(
                f"--as-of {iso_text(self._as_of)} lies before the latest receipt, {iso_text(simulation.as_of)}: time cannot go back; "
                "take a later time, or a file that ends earlier"
            )
        return simulation

    def finding(self, letter: DeadLetter) -> Finding:
        """Where the line stands that was refused, and why it was."""
        return Finding(self.file, self._numbers[letter.offset], letter.reason, letter.detail)

    def letters(self, simulation: Simulation) -> list[tuple[Finding, DeadLetter]]:
        """All dead letters in the order of the file."""
        letters = [record for record in simulation.records if isinstance(record, DeadLetter)]
        return sorted(((self.finding(letter), letter) for letter in letters), key=lambda pair: pair[0])

    def _read(self) -> Iterator[bytes]:
        for number, text in self._lines:
            self._numbers.append(number)
            yield text


def _adding(show: Show) -> Callable[[int], None]:
    done = 0

    def add(more: int) -> None:
        nonlocal done
        done += more
        show(done)

    return add


def _log(record: OutputRecord, source: _Source, output: Output) -> None:
    if isinstance(record, DeadLetter):
        finding = source.finding(record)
        output.emit(
            _letter_row(finding, record),
            Text.assemble(f"{finding.file}:{finding.line}  ", (finding.reason, "bold red"), f"  {finding.detail}"),
        )
    elif isinstance(record, Carried):
        said = to_json_dict(record.moment)
        output.emit({"record": "carried", "output": record.output, **said}, Text.assemble(line(record.moment), f"  on {record.output}"))
    else:
        output.emit({"record": RECORD_NAMES[type(record)], **to_json_dict(record)}, line(record))


def _letter_row(finding: Finding, letter: DeadLetter) -> dict[str, object]:
    """A dead letter for programs: where a record would lie in Kafka, and when, nobody knows here."""
    stated = {name: value for name, value in to_json_dict(letter).items() if name not in _OF_KAFKA}
    return {"record": "deadletter", "file": finding.file, "line": finding.line, **stated}


def _tell(simulation: Simulation, source: _Source, output: Output) -> None:
    """The summary: how much, who stands where, which rules fired, what was taken back, what could not be used."""
    final, until = simulation.final, "nothing was received" if simulation.as_of == NEVER else f"as of {iso_text(simulation.as_of)}"
    output.text(f"{source.file}: {counted(source.count, 'touchpoint')}, {until}")
    output.text()
    output.table(
        ("", "count"),
        [
            ("customers", len(final["customers"])),
            ("moments that stand", len(final["moments"])),
            *(
                (f"moments carried by {name}", number)
                for name, number in sorted(Counter(row["output"] for row in final["outputs"]).items())
            ),
            *((f"moments withheld from {name}", number) for name, number in _counted(simulation, WITHHELD.name)),
            *((f"late touchpoints: {channel}", number) for channel, number in _counted(simulation, LATE.name)),
            *((f"identifiers left out: {what}", number) for what, number in _counted(simulation, IGNORED_IDENTIFIERS.name)),
            *(
                (f"reviews: {status}", number)
                for status, number in sorted(Counter(row["status"] for row in final.get("reviews", ())).items())
            ),
            ("dead letters", len(final["deadletters"])),
        ],
    )
    _tell_the_way(simulation, output)
    standing: Counter[tuple[str, ...]] = Counter(
        (each["journey"], _phase(each)) for customer in final["customers"] for each in customer["journeys"]
    )
    _table("Where they stand", ("journey", "phase", "customers"), standing, output)
    fired: Counter[tuple[str, ...]] = Counter(
        (m["journey"], m["rule"], m["kind"], f"{m['from_phase'] or 'start'} → {m['to_phase'] or m['rule']}") for m in final["moments"]
    )
    _table("Moments that stand", ("journey", "rule", "kind", "step", "moments"), fired, output)
    _tell_letters([finding for finding, _ in source.letters(simulation)], output)
    output.note("")
    output.note("What is said after each touchpoint: --log. For programs: --output json. Other rules: --topology FILE.")


def _tell_the_way(simulation: Simulation, output: Output) -> None:
    """What was said and overtaken depends on how much is read at a time; it must not be taken for a property of the touchpoints."""
    moments = [record for record in simulation.records if isinstance(record, Moment)]
    changes = Counter(record.kind for record in simulation.records if isinstance(record, IdentityChange))
    corrections = Counter(moment.corrects for moment in moments if moment.action == "retract")
    rows = [
        *((f"moments taken back ({cause or 'other'})", number) for cause, number in sorted(corrections.items(), key=str)),
        *((f"identity changes: {kind}", number) for kind, number in sorted(changes.items())),
    ]
    if rows:
        output.text()
        output.table(("", "count"), rows, title=f"On the way, {LINES_AT_ONCE} touchpoints at a time (another portion, other counts)")


def _tell_letters(findings: Sequence[Finding], output: Output) -> None:
    if not findings:
        return
    letters: Counter[tuple[str, ...]] = Counter((finding.reason, REASONS[finding.reason]) for finding in findings)
    _table("Dead letters", ("reason", "meaning", "records"), letters, output)
    output.text()
    for finding in findings[:SHOWN_FINDINGS]:
        output.text(str(finding))
    if len(findings) > SHOWN_FINDINGS:
        output.text(f"… and {len(findings) - SHOWN_FINDINGS:,} more; --output json names all")


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
