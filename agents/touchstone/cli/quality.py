"""`touchstone quality`: how complete, valid, consistent and old the data about customers are, by attribute and source."""

import asyncio
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path

import click

from touchstone.cli.bootstrap import late_bootstrap_option
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.rows import Rows
from touchstone.cli.times import time_option
from touchstone.cli.topology_options import prefix_option, topology_option
from touchstone.clock import SystemClock
from touchstone.contracts.codec import reading_codec
from touchstone.contracts.times import iso_text
from touchstone.customerfile.load import load_mapping
from touchstone.customerfile.source import open_customer_file
from touchstone.devkit.datasets import read_lines
from touchstone.errors import UsageError
from touchstone.intake.lines import prepare_line
from touchstone.model.output import Customer
from touchstone.observe.quality import AttributeQuality, exposition
from touchstone.quality.figures import GOLDEN, Figure, Quality
from touchstone.quality.said import SaidReader, crosswalk
from touchstone.runtime.client import read_topic
from touchstone.runtime.program import Record
from touchstone.simulate import simulate
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed
from touchstone.view import FinalView

_COLUMNS = ("attribute", "source", "customers", "complete", "valid", "agree", "of", "golden", "age", "oldest tenth")


def _forms(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"expected ATTRIBUTE=FORM, such as joined=date, found {value!r}")
    return dict(value.split("=", 1) for value in values)


@click.command
@click.argument("file", required=False)
@topology_option("names the topics, channels and kinds; ")
@click.option("--mapping", type=click.Path(path_type=Path, dir_okay=False), metavar="MAPPING", help="FILE is a customer file")
@time_option("--as-of", "compute ages at that time; by default now, of a FILE its latest receipt")
@click.option(
    "--form",
    "forms",
    multiple=True,
    callback=_forms,
    metavar="ATTRIBUTE=FORM",
    help="text, email, phone, date, past_date, number or /regular expression/; by default what the name says",
)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME", help="show only these attributes")
@click.option(
    "--sample", type=click.FloatRange(0, 1, min_open=True), default=1.0, metavar="SHARE", help="judge this share of the customers"
)
@click.option("--metrics", type=click.Path(path_type=Path, dir_okay=False), metavar="PATH", help="write the figures for Prometheus there")
@prefix_option
@late_bootstrap_option
@output_option
def quality(
    file: str | None,
    topology: Path | None,
    mapping: Path | None,
    as_of: int | None,
    forms: dict[str, str],
    attributes: tuple[str, ...],
    sample: float,
    metrics: Path | None,
    topic_prefix: str,
    bootstrap: Callable[[], str],
    output: Output,
) -> None:
    """Show how good the data about customers are, by attribute and source.

    Without FILE, of a live system: its customers and the touchpoints that its topics still hold. FILE is JSON Lines of touchpoints, or the
    name of a shipped data set, run through the offline twin; with --mapping it is a customer file, judged before it is sent.

    \b
    complete      share of the customers that have the attribute
    valid         share of the values that can be right, by their form
    agree, of     share of the customers in whom all sources say the same,
                  and of how many several sources speak
    golden        whose value is in the golden record, how often
    age           median, and what the oldest tenth exceeds, in days

    The first line of an attribute is the golden record. A source is held against the customers of whom it said anything at all; of each
    customer its last statement counts.

    \b
      touchstone quality
      touchstone quality customers.csv --mapping mapping.yaml
      touchstone quality --form vip=/[YN]/ --metrics quality.prom
    """  # noqa: D301 - \b is click's mark for lines to be kept
    if mapping is not None and file is None:
        raise UsageError("--mapping is for a customer file: name it as FILE")
    compiled = prefixed(load_topology(topology or default_topology_path()), topic_prefix)
    if file is not None:
        judged = of_file(file, mapping, compiled, as_of, forms, sample)
    else:
        as_of = SystemClock().now_ms() if as_of is None else as_of
        judged = asyncio.run(of_system(bootstrap(), compiled, as_of, forms, sample))
    found = judged.figures()
    if metrics is not None:
        _write(metrics, exposition([_gauged(one) for one in found if one.source == GOLDEN], judged.customers, named_attributes(compiled)))
    _tell([one for one in found if not attributes or one.attribute in attributes], judged, output)


def of_file(
    file: str, mapping: Path | None, topology: Topology, as_of: int | None = None, forms: dict[str, str] | None = None, sample: float = 1.0
) -> Quality:
    """The quality of what a file says, through the offline twin."""
    lines = list(read_lines(file)) if mapping is None else _mapped(file, mapping, topology)
    simulation = simulate(lines, topology, as_of=as_of)
    customers = list(FinalView(simulation.records).customers.values())
    judged = Quality(_sampled(customers, sample), simulation.as_of, forms)
    reader = SaidReader(topology, crosswalk(topology, customers))
    for offset, line in enumerate(lines):
        prepared = prepare_line(line, topology)
        said = reader.read(Record(prepared.topic, 0, offset, 0, prepared.key, prepared.value, prepared.headers))
        if said is not None:
            judged.hear(said)
    return judged


async def of_system(bootstrap: str, topology: Topology, as_of: int, forms: dict[str, str] | None = None, sample: float = 1.0) -> Quality:
    """The quality of what a live system knows.

    Raises:
        UsageError: a topic does not exist.
        Retriable: Kafka cannot be reached.
    """
    codec, view = reading_codec(), FinalView()
    async for record in read_topic(bootstrap, [topology.topics.customers]):
        if record.value is not None:
            view.apply(codec.decode_record(record.value))
    customers = list(view.customers.values())
    judged = Quality(_sampled(customers, sample), as_of, forms)
    reader = SaidReader(topology, crosswalk(topology, customers), codec)
    async for record in read_topic(bootstrap, sorted({channel.topic for channel in topology.channels.values()})):
        said = reader.read(record)
        if said is not None:
            judged.hear(said)
    return judged


def named_attributes(topology: Topology) -> frozenset[str]:
    """The attributes of the golden record that the topology names: under `attributes`, and in rules as `profile.…`."""
    where = (one for journey in topology.journeys for rule in journey.rules for one in rule.match.where)
    asked = {".".join(one.path[1:]) for one in where if one.path[0] == "profile"}
    golden = topology.attributes
    return frozenset(asked if golden is None else asked | set(golden.named) | {one.name for one in golden.derived})


def _mapped(file: str, mapping: Path, topology: Topology) -> list[bytes]:
    loaded = load_mapping(mapping, topology)
    with open_customer_file(file, loaded.written.file) as opened:
        return [line for _, line in Rows(opened, loaded, topology).lines()]


def _sampled(customers: Iterable[Customer], share: float) -> list[Customer]:
    """The same customers each time: those whose id has a small hash."""
    return [
        one for one in customers if int.from_bytes(blake2b(one.customer_id.encode(), digest_size=4).digest(), "big") < share * (1 << 32)
    ]


def _gauged(figure: Figure) -> AttributeQuality:
    return AttributeQuality(figure.attribute, figure.completeness, figure.validity, figure.agreement, figure.age_days_median)


def _write(path: Path, page: bytes) -> None:
    """Whole or not at all: the collector may read at any time."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_bytes(page)
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"--metrics {path} cannot be written: {error.strerror}") from error


def _tell(figures: list[Figure], judged: Quality, output: Output) -> None:
    if output.is_json:
        for one in figures:
            shares = {"completeness": one.completeness, "validity": one.validity, "agreement": one.agreement}
            output.emit({**one._asdict(), "source": one.source or None, **shares, "as_of": iso_text(judged.as_of)})
        return
    if not figures:
        output.text(f"{counted(judged.customers, 'customer')}, and no attribute of them is known")
        return
    output.table(_COLUMNS, map(_row, figures), title=f"{counted(judged.customers, 'customer')} at {iso_text(judged.as_of)}, ages in days")


def _row(one: Figure) -> tuple[object, ...]:
    is_golden = one.source == GOLDEN
    shares = (_percent(one.completeness), _percent(one.validity), _percent(one.agreement))
    age = (one.age_days_median, one.age_days_p90)
    return (
        one.attribute if is_golden else "",
        one.source,
        one.customers,
        *shares,
        one.compared or "",
        "" if is_golden else one.golden,
        *age,
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
