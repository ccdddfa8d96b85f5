"""`touchstone explain`: why these are one person, or why not."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from touchstone.app import ordering_of
from touchstone.cli.bootstrap import given_bootstrap_option, running_kafka
from touchstone.cli.breakdown import said_once, show_breakdown
from touchstone.cli.dossier import parse
from touchstone.cli.groups import Suggesting
from touchstone.cli.lines import at, short
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.rules import in_words
from touchstone.cli.topology_options import app_options
from touchstone.cli.twins import lines_of, told
from touchstone.contracts.codec import reading_codec
from touchstone.contracts.times import iso_text
from touchstone.errors import RecordRejected, UsageError
from touchstone.identity import explanation as why
from touchstone.identity.explanation import Explanation, Known, Step, members, refused
from touchstone.intake.command import CommandReader
from touchstone.intake.touchpoint import DEFAULT_TENANT
from touchstone.journey.policy import Journeys
from touchstone.matching.records import Record
from touchstone.matching.score import Explanation as Weights
from touchstone.matching.score import Scorer, probability
from touchstone.model.command import ACCEPT
from touchstone.model.component import Ruling
from touchstone.simulate import Twin
from touchstone.stewardship.effect import people
from touchstone.stewardship.excerpt import live_twin
from touchstone.stewardship.knowledge import knowledge
from touchstone.topology.compile import Topology

_VERDICTS = {
    "one": "are one person",
    "two": "are not one person",
    "unrelated": "are not one person: nothing leads from one to the other",
    "unknown": "cannot be compared: one of them was never seen",
}


@click.group("explain", cls=Suggesting)
def explain() -> None:
    """Show why something is as it is."""


@explain.command("identity")
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="of the people in this file of touchpoints instead")
@app_options
@given_bootstrap_option
@output_option
def identity_command(
    first: str, second: str | None, file: Path | None, topology: Topology, app: str, bootstrap: str | None, output: Output
) -> None:
    """Show why the identifiers A and B are one person, or why not; of A alone, everything that makes the person, and what was refused.

    It is read from the state of the workers (their changelogs), or told from a file. A path leads from claim to claim: two identifiers seen
    together, when first and last, in which touchpoint (the last that is still held), or joined by a steward. A claim that a rule
    refused is shown with that rule.

    \b
      touchstone explain identity user_id:u1 device_id:app7
      touchstone explain identity email:ada@x.org --file events.jsonl
    """  # noqa: D301 - \b is click's mark for lines to be kept
    keys = _keys([first] if second is None else [first, second], topology)
    twin = _twin(set(keys), file, topology, app, bootstrap)
    journeys = Journeys(topology, ordering_of(topology))
    known = knowledge(twin, journeys, set(keys))
    scorer = None if journeys.alike is None else journeys.alike.scorer
    ids = {x: customer_id for customer_id, group in people(twin).items() for x in group}
    if len(keys) == 2:
        _tell_pair(why.explain(known, *keys), ids, output, scorer)
    else:
        _tell_person(known, keys[0], ids, output, scorer)


def _keys(words: list[str], topology: Topology) -> list[str]:
    kinds = {kind: kind for kind in topology.kinds} | dict(topology.kind_aliases)
    reader = CommandReader(topology, ordering_of(topology).strength, reading_codec())
    keys: list[str] = []
    for wanted in (parse(word, kinds) for word in words):
        if wanted.kind is None:
            raise UsageError(
                f"expected kind:value, such as email:ada@x.org, found {wanted.text!r}; `touchstone inspect` shows those of an id"
            )
        try:
            keys += reader.keys("identifier", [{"kind": wanted.kind, "value": wanted.value}], wanted.tenant or DEFAULT_TENANT)
        except RecordRejected as rejected:
            raise UsageError(f"{wanted.kind}: expected an identifier that touchpoints can have, found {rejected.reason}") from None
    return keys


def _twin(keys: set[str], file: Path | None, topology: Topology, app: str, bootstrap: str | None) -> Twin:
    if file is None:
        return asyncio.run(live_twin(topology, app, running_kafka(bootstrap), keys, lambda _: None))
    return told(lines_of(file), topology, lambda _: None)


def _tell_pair(explanation: Explanation, ids: Mapping[str, str], output: Output, scorer: Scorer | None) -> None:
    first, second = explanation.first, explanation.second
    output.emit(
        {
            "first": _word(first),
            "second": _word(second),
            "verdict": explanation.verdict,
            "customers": [ids.get(first), ids.get(second)],
            "path": [_step_row(step, scorer) for step in explanation.path],
            "kept_apart": [
                msgspec.structs.asdict(r) | {"at": iso_text(r.at), "pair": list(map(_word, r.pair))} for r in explanation.kept_apart
            ],
            "nobody": {_word(x): rule for x, rule in (explanation.nobody or {}).items()},
        }
    )
    output.text(f"{_word(first)} and {_word(second)} {_VERDICTS[explanation.verdict]}")
    for x in dict.fromkeys((first, second)):
        if x in ids:
            output.text(f"  {_word(x)} is of customer {short(ids[x])}")
    _tell_steps("The way from one to the other", list(explanation.path), output, scorer)
    for ruling in explanation.kept_apart:
        output.text(f"kept apart by the command {ruling.command} ({ruling.action}, {at(ruling.at)}): {_pair(ruling)}")
    for x, rule in (explanation.nobody or {}).items():
        output.text(f"{_word(x)} belongs to nobody ({rule}): {in_words(rule)}")


def _tell_person(known: Known, identifier: str, ids: Mapping[str, str], output: Output, scorer: Scorer | None) -> None:
    group = members(known, identifier)
    if not group:
        output.fail(f"{_word(identifier)} was never seen")
    paths = {x: why.explain(known, identifier, x).path for x in group[1:]}
    against = refused(known, identifier)
    output.emit(
        {
            "identifier": _word(identifier),
            "customer": ids.get(identifier),
            "identifiers": [{"identifier": _word(x), "path": [_step_row(step, scorer) for step in path]} for x, path in paths.items()],
            "refused": [_step_row(step, scorer) for step in against],
        }
    )
    output.text(f"{_word(identifier)} is of customer {short(ids.get(identifier, '–'))}, with {counted(len(group) - 1, 'other identifier')}")
    _tell_steps("Why they are one", list({(s.left, s.right): s for path in paths.values() for s in path}.values()), output, scorer)
    _tell_steps("What was refused", against, output, scorer)


def _tell_steps(title: str, steps: list[Step], output: Output, scorer: Scorer | None) -> None:
    if steps and not output.is_json:
        output.text()
        head = ("from", "to", "because", "first", "last", "touchpoint", "refused by")
        output.table(head, [_cells(step) for step in steps], title=title)
        for rule in dict.fromkeys(step.refused for step in steps if step.refused is not None):
            output.text(f"{rule}: {in_words(rule)}")
        for step in steps:
            explained = _explained(step, scorer)
            if step.alike is not None:
                output.text()
                output.text(f"{_word(step.left)} and {_word(step.right)} look alike: {_odds(step.alike.score)}")
            if step.alike is not None and explained is not None:
                unsaid = said_once(explained, *step.alike.values)
                show_breakdown(explained, (_word(step.left), _word(step.right)), output, unsaid)


def _cells(step: Step) -> tuple[str, ...]:
    words = {"sure": "seen together", "likely": "look alike", ACCEPT: f"accepted by {step.command}"}
    because = words.get(step.by, f"joined by {step.command}")
    return _word(step.left), _word(step.right), because, at(step.first), at(step.last), step.touchpoint or "–", step.refused or ""


def _step_row(step: Step, scorer: Scorer | None) -> dict[str, Any]:
    row = {
        "left": _word(step.left),
        "right": _word(step.right),
        "by": step.by,
        "first": iso_text(step.first),
        "last": iso_text(step.last),
        "touchpoint": step.touchpoint,
        "command": step.command,
        "refused": step.refused,
    }
    if step.alike is None:
        return row
    explained = _explained(step, scorer)
    return row | {
        "score": step.alike.score,
        "probability": probability(step.alike.score),
        "comparison": None if explained is None else msgspec.to_builtins(explained),
    }


def _explained(step: Step, scorer: Scorer | None) -> Weights | None:
    """What makes the score of a likely step; None of any other, and where the records are gone."""
    if step.alike is None or scorer is None or not all(step.alike.values):
        return None
    one, other = (Record(x, dict(values)) for x, values in zip((step.left, step.right), step.alike.values, strict=True))
    return scorer.explain(one, other)


def _odds(score: float) -> str:
    return f"{score:+.1f} bits, probability {probability(score):.3f}"


def _pair(ruling: Ruling) -> str:
    return " | ".join(map(_word, ruling.pair))


def _word(key: str) -> str:
    return key.removeprefix(f"{DEFAULT_TENANT}/")
