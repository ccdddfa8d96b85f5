"""`touchstone review`: who looks alike, but not enough to be one person; a steward looks, and says yes or no."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.text import Text

from touchstone.app import ordering_of
from touchstone.cli.bootstrap import filed_bootstrap_option, running_kafka
from touchstone.cli.breakdown import said_once, show_breakdown
from touchstone.cli.groups import Suggesting
from touchstone.cli.identity import accept, reject
from touchstone.cli.lines import at, short
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.rules import in_words
from touchstone.cli.topology_options import app_options
from touchstone.cli.twins import lines_of, told
from touchstone.contracts.json_form import to_json_dict
from touchstone.intake.touchpoint import DEFAULT_TENANT
from touchstone.matching.judge import judge_of
from touchstone.model.output import Review
from touchstone.pipeline import OutputRecord
from touchstone.simulate import Twin
from touchstone.stewardship.comparison import Comparison, Side, compare_sides
from touchstone.stewardship.excerpt import live_twin
from touchstone.stewardship.names import Values, readable, values_of
from touchstone.stewardship.reviews import Reviews, keys_of, last_words, meant, read_reviews, require_matching, waiting, words_of
from touchstone.topology.compile import Topology

_F = TypeVar("_F", bound=Callable[..., Any])
_STATUSES = ("open", "accepted", "rejected", "settled", "withdrawn")
_FEATURES_SHOWN = 3


@click.group(cls=Suggesting)
def review() -> None:
    """See who looks alike but undecided, and answer.

    Two whose descriptions resemble each other, but less than acceptance asks for, or whom something else kept from being one, are never united by
    themselves: they wait here. An answer is a command like those of `touchstone identity`: it is shown before it is done, holds against later
    evidence, and can be undone.

    With --file it is about the people in a file of touchpoints, and nothing is sent.
    """


def _source_options(command: _F) -> _F:
    for option in (
        output_option,
        filed_bootstrap_option,
        app_options,
        click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="of the people in this file of touchpoints instead"),
    ):
        command = option(command)
    return command


@review.command("list")
@click.option(
    "--status", type=click.Choice([*_STATUSES, "all"]), default="open", show_default=True, help="open ones wait for an answer; or all"
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="so many at most, the likeliest first")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="from this probability on")
@_source_options
def list_command(
    status: str, limit: int, min_score: float, file: Path | None, topology: Topology, app: str, bootstrap: str | None, output: Output
) -> None:
    """List the reviews, the likeliest first.

    \b
      touchstone review list
      touchstone review list --status all --min-score 0.5 --output json
      touchstone review list --file events.jsonl
    """  # noqa: D301 - \b is click's mark for lines to be kept
    del app  # the reviews are on a topic of the topology's own
    reviews = _of_file(file, topology)[0] if file is not None else asyncio.run(read_reviews(topology, running_kafka(bootstrap)))
    found = waiting(reviews, status=None if status == "all" else status, min_score=min_score)
    if output.is_json:
        for each in found[:limit]:
            output.emit({"record": "review", **to_json_dict(each)})
        return
    if not found:
        output.text(f"no {'' if status == 'all' else f'{status} '}reviews" + (f" from {min_score:g} on" if min_score else ""))
        return
    output.table(
        ("review", "probability", "one", "other", "status", "why undecided", "speaks most", "found"),
        [
            (
                short(each.review_id),
                round(each.score, 3),
                *_words(each),
                each.status,
                each.why,
                _most(each.evidence),
                at(each.detected_at),
            )
            for each in found[:limit]
        ],
    )
    if len(found) > limit:
        output.note(f"{counted(len(found) - limit, 'more review')}; --limit shows them")


@review.command("show")
@click.argument("review_id", metavar="REVIEW")
@_source_options
def show_command(review_id: str, file: Path | None, topology: Topology, app: str, bootstrap: str | None, output: Output) -> None:
    """Show the two people of a review side by side, with what speaks for one person and what against.

    REVIEW is its id, of which the first 6 characters are enough. The values come from the state of the workers (or from the file), in the
    form in which they are compared; the topic of the reviews names none. A bar to the right speaks for one person, to the left against;
    its length is the weight in bits: ten bits are a thousand to one.

    \b
      touchstone review show 5e7a90
      touchstone review show 5e7a90 --file events.jsonl --output json
    """  # noqa: D301 - \b is click's mark for lines to be kept
    require_matching(topology)
    assert topology.matching is not None
    if file is not None:
        reviews, twin = _of_file(file, topology)
        chosen = meant(review_id, reviews)
    else:
        kafka = running_kafka(bootstrap)
        chosen = meant(review_id, asyncio.run(read_reviews(topology, kafka)))
        twin = asyncio.run(live_twin(topology, app, kafka, keys_of(chosen, ordering_of(topology)), lambda _: None))
    one, other = keys_of(chosen, ordering_of(topology))
    comparison = compare_sides(twin, one, other, judge_of(topology.matching))
    values = values_of(twin) | dict(zip((one, other), (each["value"] for each in chosen.identifiers), strict=True))
    output.emit(_record(chosen, comparison, values))
    if not output.is_json:
        _tell(chosen, comparison, values, output)


review.add_command(accept)
review.add_command(reject)


def _of_file(file: Path, topology: Topology) -> tuple[Reviews, Twin]:
    require_matching(topology)
    said: list[OutputRecord] = []
    twin = told(lines_of(file), topology, said.append)
    return last_words(said), twin


def _words(of: Review) -> list[str]:
    return [word.removeprefix(f"{DEFAULT_TENANT}/") for word in words_of(of)]


def _most(evidence: Sequence[dict[str, Any]]) -> str:
    heaviest = sorted(evidence, key=lambda each: -abs(each["bits"]))[:_FEATURES_SHOWN]
    return ", ".join(f"{each['attribute']} {each['bits']:+.1f}" for each in heaviest)


def _record(chosen: Review, comparison: Comparison, values: Values) -> dict[str, Any]:
    explained = comparison.explanation
    return {
        "record": "comparison",
        "review": to_json_dict(chosen),
        "sides": [_side(side, values) for side in (comparison.one, comparison.other)],
        "is_open": comparison.is_open,
        "comparison": None if explained is None else msgspec.to_builtins(explained),
    }


def _side(side: Side, values: Values) -> dict[str, Any]:
    return {
        "identifier": readable(side.identifier, values),
        "customer": side.customer_id,
        "identifiers": sorted(readable(x, values) for x in side.members),
        "values": dict(side.values),
        "descriptions": side.described,
    }


def _tell(chosen: Review, comparison: Comparison, values: Values, output: Output) -> None:
    answered = f" by the command {chosen.command}" if chosen.command else ""
    output.text(
        Text.assemble(("Review ", "bold"), (chosen.review_id, "bold cyan"), f"  {chosen.status}{answered}, found {at(chosen.detected_at)}")
    )
    output.text(f"probability {chosen.score:.3f} that they are one person, by model {chosen.model}")
    output.text(f"undecided because of {chosen.why}: {in_words(chosen.why)}")
    sides = (comparison.one, comparison.other)
    output.text()
    output.table(
        ("", *(readable(side.identifier, values) for side in sides)),
        [
            ("customer", *(short(side.customer_id or "–") for side in sides)),
            ("also", *("\n".join(sorted(readable(x, values) for x in side.members - {side.identifier})[:10]) for side in sides)),
        ],
    )
    explained = comparison.explanation
    if explained is None:
        output.text("\nWhat was compared is not there any more: it was erased, or described anew.")
        return
    output.text()
    unsaid = said_once(explained, comparison.one.values, comparison.other.values)
    show_breakdown(explained, (readable(comparison.one.identifier, values), readable(comparison.other.identifier, values)), output, unsaid)
    if not comparison.is_open:
        output.text("They met only in blocks that are closed now: this counts no more.")
    if chosen.status == "open":
        output.note(f"to answer: touchstone review accept|reject {short(chosen.review_id)} --who … --why …")
