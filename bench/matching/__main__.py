"""`python -m bench.matching`: every set, every tool; print one table, store one JSON."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.matching.crowd import crowd
from bench.matching.invented import Invention, invented
from bench.matching.measure import agreement, quality
from bench.matching.published import labels_of_fake_1000, published
from bench.matching.result import Report, Result
from bench.matching.sheet import Laid, Sheet, clusters_in, published_ids_in, truth_in
from bench.matching.tool import TOOLS, TOUCHSTONE, Tool, run
from bench.report import machine
from touchstone.errors import Unavailable

RESULTS = Path(__file__).parents[1] / "results"
_PATIENCE_S = 900.0


def main() -> int:
    """Run what was asked for; 1 when Touchstone misses what was promised, or could not run."""
    asked = _arguments()
    sheets = _sheets(asked)
    if asked.list:
        print("\n".join(f"{sheet.name:24}{sheet.of}" for sheet in sheets))
        return 0
    ran_on, report = machine(), Report()
    path = asked.store or RESULTS / f"matching-{time.strftime('%Y%m%dT%H%M%S')}.json"
    tools = dict(_present([tool for tool in TOOLS if asked.tools is None or tool.name in asked.tools], report))
    for sheet in sheets:
        with tempfile.TemporaryDirectory(prefix="touchstone-matching-") as folder:
            _compare(sheet, Laid(Path(folder)), tools, report, asked)
        report.store(ran_on, path)  # after every set: whoever loses patience keeps what was measured
    report.show(ran_on)
    own = [result for result in report.results if result.is_promised]
    is_missing = TOUCHSTONE in tools and len(own) < len(sheets)
    return int(is_missing or any(result.is_reached is False for result in own))


def _compare(sheet: Sheet, laid: Laid, tools: Mapping[Tool, Path], report: Report, asked: argparse.Namespace) -> None:
    try:
        laid.write(sheet)
    except Unavailable as error:
        report.absent.append(f"{sheet.name}: {error}")
        return
    for tool, python in tools.items():
        if asked.tools is None and tool.most_records is not None and laid.records > tool.most_records:
            report.absent.append(f"{tool.name} on {sheet.name}: {tool.reason}")
            continue
        print(f"{sheet.name}: {tool.name}", file=sys.stderr)
        try:
            report.results += _results(sheet, laid, tool, python, asked.patience)
        except (Unavailable, ValueError) as error:
            report.absent.append(f"{tool.name} on {sheet.name}: {error}")


def _results(sheet: Sheet, laid: Laid, tool: Tool, python: Path, patience_s: float) -> Iterator[Result]:
    told, folder = run(tool, python, laid.folder, patience_s)
    truth, found = truth_in(laid.folder), clusters_in(folder)
    labels = agreement(_labels(laid.folder), found) if sheet.recipe == "fake_1000" else None
    usual = quality(truth, found)
    yield Result(sheet, laid.records, laid.people, tool.name, usual, told, labels, is_promised=tool is TOUCHSTONE)
    others = [quality(truth, clusters_in(folder, path.name)) for path in sorted(folder.glob("clusters-*.csv"))]
    if others:
        best = max([usual, *others], key=lambda other: other.pairs.f1)
        yield Result(sheet, laid.records, laid.people, f"{tool.name}, best threshold", best)


def _labels(folder: Path) -> Iterator[tuple[str, str, bool]]:
    record = published_ids_in(folder)
    return ((record[left], record[right], is_one) for left, right, is_one in labels_of_fake_1000())


def _present(tools: Sequence[Tool], report: Report) -> Iterator[tuple[Tool, Path]]:
    """Those that can be had, each with its Python."""
    for tool in tools:
        try:
            yield tool, tool.python()
        except Unavailable as error:
            report.absent.append(f"{tool.name}: {error}")


def _sheets(asked: argparse.Namespace) -> list[Sheet]:
    """What was named; else all but the largest. The quick ones are small and of both kinds."""
    quick = [sheet for sheet in published() if sheet.name == "senzing"] + [
        Invention("people, quick", "300 invented records", 300, ("de", "jp-native")).sheet()
    ]
    sheets = quick if asked.quick else [*published(), crowd(), *invented()]
    if asked.sets is None:
        return [sheet for sheet in sheets if asked.list or not sheet.is_large]
    unknown = sorted(set(asked.sets) - {sheet.name for sheet in sheets})
    if unknown:
        raise SystemExit(f"there is no set {', '.join(map(repr, unknown))}; --list names those there are")
    return [sheet for sheet in sheets if sheet.name in asked.sets]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it runs, on two small sets; the figures mean nothing")
    parser.add_argument("--sets", nargs="+", metavar="SET", help="only these (default: all but the largest)")
    parser.add_argument(
        "--tools", nargs="+", choices=[tool.name for tool in TOOLS], help="only these; the peers are installed the first time"
    )
    parser.add_argument("--list", action="store_true", help="name the sets and end")
    parser.add_argument("--patience", type=float, default=_PATIENCE_S, metavar="S", help="stop a tool after so long (default: %(default)s)")
    parser.add_argument("--store", type=Path, metavar="FILE", help="where the JSON goes (default: bench/results/, which git ignores)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
