"""`touchstone explain`: why these are one person, or why not."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from touchstone.app import ordering_of
from touchstone.cli.bootstrap import filed_bootstrap_option, running_kafka
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
from touchstone.matching.judge import Explanation as Weights
from touchstone.matching.judge import Judge, probability
from touchstone.matching.records import Record
from touchstone.model.command import ACCEPT
from touchstone.model.component import Ruling
from touchstone.simulate import Twin
from touchstone.stewardship.effect import people
from touchstone.stewardship.excerpt import live_twin
from touchstone.stewardship.knowledge import knowledge
from touchstone.stewardship.names import Values, readable, values_of
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
@filed_bootstrap_option
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
    words = [first] if second is None else [first, second]
    _tell(words, topology, lambda keys: _twin(keys, file, topology, app, bootstrap), output)


def tell_why(words: Sequence[str], topology: Topology, app: str, kafka: str, output: Output) -> None:
    """Say of a live system why these identifiers, one or two as people write them, are one person, or why not.

    Raises:
        UsageError: one is no identifier, no worker has ever run, or the workers have another topology or hash key.
        Retriable: the brokers cannot be reached.
    """
    _tell(words, topology, lambda keys: asyncio.run(live_twin(topology, app, kafka, keys, lambda _: None)), output)


def _tell(words: Sequence[str], topology: Topology, twin_of: Callable[[set[str]], Twin], output: Output) -> None:
    keys = _keys(words, topology)
    twin = twin_of(set(keys))
    journeys = Journeys(topology, ordering_of(topology))
    known = knowledge(twin, journeys, set(keys))
    ids = {x: customer_id for customer_id, group in people(twin).items() for x in group}
    teller = _Teller(ids, values_of(twin) | dict(keys), journeys.alike, output)
    if len(keys) == 2:
        teller.tell_pair(why.explain(known, *keys))
    else:
        teller.tell_person(known, next(iter(keys)))


def _keys(words: Sequence[str], topology: Topology) -> dict[str, str]:
    kinds = {kind: kind for kind in topology.kinds} | dict(topology.kind_aliases)
    reader = CommandReader(topology, ordering_of(topology), reading_codec())
    keys: dict[str, str] = {}
    for wanted in (parse(word, kinds) for word in words):
        if wanted.kind is None:
            raise UsageError(
                f"expected kind:value, such as email:ada@x.org, found {wanted.text!r}; `touchstone inspect` shows those of an id"
            )
        try:
            keys |= reader.keys("identifier", [{"kind": wanted.kind, "value": wanted.value}], wanted.tenant or DEFAULT_TENANT)
        except RecordRejected as rejected:
            raise UsageError(f"{wanted.kind}: expected an identifier that touchpoints can have, found {rejected.reason}") from None
    return keys


def _twin(keys: set[str], file: Path | None, topology: Topology, app: str, bootstrap: str | None) -> Twin:
    if file is None:
        return asyncio.run(live_twin(topology, app, running_kafka(bootstrap), keys, lambda _: None))
    return told(lines_of(file), topology, lambda _: None)


class _Teller:
    """Says what was found. `values`: what the keys of identifiers stand for; `alike` explains likenesses, where the topology knows any."""

    def __init__(self, ids: Mapping[str, str], values: Values, alike: Judge | None, output: Output) -> None:
        self._ids, self._values, self._alike, self._output = ids, values, alike, output

    def tell_pair(self, explanation: Explanation) -> None:
        """Whether two identifiers are one person, and why."""
        first, second = explanation.first, explanation.second
        self._output.emit(
            {
                "first": self._word(first),
                "second": self._word(second),
                "verdict": explanation.verdict,
                "customers": [self._ids.get(first), self._ids.get(second)],
                "path": [self._step_row(step) for step in explanation.path],
                "kept_apart": [
                    msgspec.structs.asdict(r) | {"at": iso_text(r.at), "pair": list(map(self._word, r.pair))}
                    for r in explanation.kept_apart
                ],
                "nobody": {self._word(x): rule for x, rule in (explanation.nobody or {}).items()},
            }
        )
        self._output.text(f"{self._word(first)} and {self._word(second)} {_VERDICTS[explanation.verdict]}")
        for x in dict.fromkeys((first, second)):
            if x in self._ids:
                self._output.text(f"  {self._word(x)} is of customer {short(self._ids[x])}")
        self._tell_steps("The way from one to the other", list(explanation.path))
        for ruling in explanation.kept_apart:
            self._output.text(f"kept apart by the command {ruling.command} ({ruling.action}, {at(ruling.at)}): {self._pair(ruling)}")
        for x, rule in (explanation.nobody or {}).items():
            self._output.text(f"{self._word(x)} belongs to nobody ({rule}): {in_words(rule)}")

    def tell_person(self, known: Known, identifier: str) -> None:
        """What makes the person whose identifier this is, and what was refused."""
        group = members(known, identifier)
        if not group:
            self._output.fail(f"{self._word(identifier)} was never seen")
        paths = {x: why.explain(known, identifier, x).path for x in group[1:]}
        against = refused(known, identifier)
        self._output.emit(
            {
                "identifier": self._word(identifier),
                "customer": self._ids.get(identifier),
                "identifiers": [
                    {"identifier": self._word(x), "path": [self._step_row(step) for step in path]} for x, path in paths.items()
                ],
                "refused": [self._step_row(step) for step in against],
            }
        )
        self._output.text(
            f"{self._word(identifier)} is of customer {short(self._ids.get(identifier, '–'))}, with {counted(len(group) - 1, 'other identifier')}"
        )
        self._tell_steps("Why they are one", list({(s.left, s.right): s for path in paths.values() for s in path}.values()))
        self._tell_steps("What was refused", against)

    def _tell_steps(self, title: str, steps: list[Step]) -> None:
        if steps and not self._output.is_json:
            self._output.text()
            head = ("from", "to", "because", "first", "last", "touchpoint", "refused by")
            self._output.table(head, [self._cells(step) for step in steps], title=title)
            for rule in dict.fromkeys(step.refused for step in steps if step.refused is not None):
                self._output.text(f"{rule}: {in_words(rule)}")
            for step in steps:
                self._tell_likeness(step)

    def _tell_likeness(self, step: Step) -> None:
        if step.alike is None:
            return
        names = self._word(step.left), self._word(step.right)
        self._output.text()
        self._output.text(f"{names[0]} and {names[1]} look alike: {_odds(step.alike.score)}")
        explained = self._explained(step)
        if explained is not None:
            show_breakdown(explained, names, self._output, said_once(explained, *step.alike.values))

    def _cells(self, step: Step) -> tuple[str, ...]:
        words = {"sure": "seen together", "likely": "look alike", ACCEPT: f"accepted by {step.command}"}
        because = words.get(step.by, f"joined by {step.command}")
        return (
            self._word(step.left),
            self._word(step.right),
            because,
            at(step.first),
            at(step.last),
            step.touchpoint or "–",
            step.refused or "",
        )

    def _step_row(self, step: Step) -> dict[str, Any]:
        row = {
            "left": self._word(step.left),
            "right": self._word(step.right),
            "by": step.by,
            "first": iso_text(step.first),
            "last": iso_text(step.last),
            "touchpoint": step.touchpoint,
            "command": step.command,
            "refused": step.refused,
        }
        if step.alike is None:
            return row
        explained = self._explained(step)
        return row | {
            "score": step.alike.score,
            "probability": probability(step.alike.score),
            "comparison": None if explained is None else msgspec.to_builtins(explained),
        }

    def _explained(self, step: Step) -> Weights | None:
        """What makes the score of a likely step; None of any other, and where the records are gone."""
        if step.alike is None or self._alike is None or not all(step.alike.values):
            return None
        one, other = (Record(x, dict(values)) for x, values in zip((step.left, step.right), step.alike.values, strict=True))
        return self._alike.explain(one, other)

    def _pair(self, ruling: Ruling) -> str:
        return " | ".join(map(self._word, ruling.pair))

    def _word(self, key: str) -> str:
        return readable(key, self._values)


def _odds(score: float) -> str:
    return f"{score:+.1f} bits, probability {probability(score):.3f}"
