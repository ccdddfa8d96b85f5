"""`touchstone validate`: is the topology right, and what does it say?"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from touchstone.cli.output import Output, output_option
from touchstone.matching.choice import model_of
from touchstone.topology.attributes import Attributes, Survival
from touchstone.topology.compile import IdentifierKind, Journey, Matching, Rule, Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.quantity import duration_text
from touchstone.topology.reference import json_schema


@click.command
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--schema", is_flag=True, help="print the JSON Schema of a topology, for your editor, and check nothing")
@output_option
def validate(file: Path | None, schema: bool, output: Output) -> None:
    """Check a topology and show what it says.

    FILE is the topology; without it, the one that ships with touchstone. All faults are named at once, each with file, line and column and
    the nearest valid word. Nothing is connected to and nothing is changed.

    Exit code 0 when the topology is right, 2 when it is not.
    """
    if schema:
        click.echo(json_schema(), nl=False)
        return
    path = file or default_topology_path()
    topology = load_topology(path)
    if topology.matching is not None:
        model_of(topology.matching)  # the file was looked into already; whether its features are ours is seen only here
    if output.is_json:
        output.emit(_record(path, topology))
        return
    output.text(f"{path}: topology `{topology.name}`, version {topology.version}, fingerprint {topology.fingerprint}")
    output.text()
    output.table(
        ("channel", "topic", "media", "format", "aliases"),
        [(c.name, c.topic, c.media or "–", c.format, _of(c.name, topology.channel_aliases)) for c in topology.channels.values()],
    )
    output.text()
    output.table(
        ("identifier", "unites", "per person", "form", "aliases"),
        [_identifier(kind, topology) for kind in topology.kinds.values()],
    )
    for journey in topology.journeys:
        output.text()
        _show_journey(journey, output)
    if topology.outputs:
        output.text()
        output.table(
            ("output", "topic", "journeys", "kinds", "phases", "purpose"),
            [(o.name, o.topic, _words(o.journeys), _words(o.kinds), _words(o.phases), o.purpose or "–") for o in topology.outputs],
        )
    if topology.consents:
        output.text()
        output.table(
            ("purpose", "on conflict", "assumed"),
            [(name, one.rule, "granted" if one.assumed else "denied") for name, one in topology.consents.items()],
        )
    if topology.attributes is not None:
        output.text()
        output.table(("attribute", "survives by", "values"), list(_attributes(topology.attributes)))
    if topology.matching is not None:
        output.text()
        _show_matching(topology.matching, output)
    output.text("\nNo faults.")


def _show_matching(matching: Matching, output: Output) -> None:
    model = model_of(matching)
    what = f"model {model.version}, learnt from {model.trained_on}" if matching.model is not None else "nothing was learnt yet"
    output.text(
        f"matching: one person from probability {model.accept:g} on, for review from {model.review:g}; {what}; "
        f"at most {matching.neighbours} neighbours, blocks of at most {matching.limit} records"
    )
    output.table(
        ("compared", "of", "as"),
        [
            *((attribute, "the profile", role) for attribute, role in matching.roles.items()),
            *((kind, "the identifiers", role) for kind, role in matching.kinds.items()),
        ],
    )
    blocks = "the default ones" if matching.blocks is None else "; ".join(" and ".join(block) for block in matching.blocks)
    output.text(f"meet where they agree in: {blocks}")


def _show_journey(journey: Journey, output: Output) -> None:
    dormant = f"; dormant after {duration_text(journey.dormant_ms)} of silence" if journey.dormant_ms is not None else ""
    output.text(f"journey {journey.name}: {' → '.join(journey.phases)}{dormant}")
    output.table(
        ("rule", "from", "fires on", "to"),
        [(rule.name, _words(rule.from_phases, journey.phases, "before it"), _cause(rule), rule.to) for rule in journey.rules],
    )


def _identifier(kind: IdentifierKind, topology: Topology) -> tuple[str, ...]:
    unites = "one person each" if kind.unique else f"up to {kind.persons} people" if kind.persons > 1 else "nobody who is somebody"
    per_person = "any number" if kind.per_person is None else str(kind.per_person)
    return kind.name, unites, per_person, kind.normalise, _of(kind.name, topology.kind_aliases)


def _attributes(attributes: Attributes) -> Iterator[tuple[str, str, str]]:
    for name, rule in attributes.named.items():
        yield name, _criteria(rule), "several, each from when until when" if rule.multi else "one"
    if attributes.others is not None:
        yield "any other", _criteria(attributes.others), "one"
    for one in attributes.derived:
        yield one.name, f"derived: {one.how}{f' of {one.of}' if one.of else ''}", "list" if one.how == "collect" else "one"


def _criteria(rule: Survival) -> str:
    return ", then ".join(" ".join(one.rule.split("_")) + (f" {' before '.join(one.ranks)}" if one.ranks else "") for one in rule.by)


def _cause(rule: Rule) -> str:
    match = rule.match
    parts = [_words(match.types, none="any touchpoint")]
    if match.channels is not None:
        parts.append(f"on {_words(match.channels)}")
    parts += [f"with {'.'.join(c.path)} {c.operator.replace('_', ' ')} {json.dumps(c.value)}" for c in match.where]
    if rule.absence_ms is not None:
        return f"no {' '.join(parts)} for {duration_text(rule.absence_ms)}"
    if rule.count > 1:
        parts.insert(0, f"{rule.count} ×")
    if rule.after is not None:
        parts.append(f"after {_words(rule.after)}")
    if rule.within_ms is not None:
        parts.append(f"within {duration_text(rule.within_ms)}")
    return " ".join(parts)


def _words(words: Iterable[str] | None, order: Iterable[str] = (), none: str = "all") -> str:
    if words is None:
        return none
    chosen = set(words)
    return ", ".join([word for word in order if word in chosen] or sorted(chosen))


def _of(name: str, aliases: Mapping[str, str]) -> str:
    return ", ".join(alias for alias, owner in aliases.items() if owner == name)


def _record(path: Path, topology: Topology) -> dict[str, Any]:
    """The summary for programs."""
    return {
        "file": str(path),
        "name": topology.name,
        "version": topology.version,
        "fingerprint": topology.fingerprint,
        "channels": [{"name": c.name, "topic": c.topic, "media": c.media, "format": c.format} for c in topology.channels.values()],
        "identifiers": [
            {"name": k.name, "rank": k.rank, "unique": k.unique, "persons": k.persons, "per_person": k.per_person, "normalise": k.normalise}
            for k in topology.kinds.values()
        ],
        "journeys": [
            {
                "name": j.name,
                "phases": j.phases,
                "dormant_ms": j.dormant_ms,
                "rules": [{"name": r.name, "from": _chosen(r, j), "to": r.to, "fires_on": _cause(r)} for r in j.rules],
            }
            for j in topology.journeys
        ],
        "outputs": [{"name": o.name, "topic": o.topic, "purpose": o.purpose} for o in topology.outputs],
        "consent": [{"purpose": name, "on_conflict": one.rule, "assumed": one.assumed} for name, one in topology.consents.items()],
        "attributes": []
        if topology.attributes is None
        else [{"name": name, "survives_by": how, "values": values} for name, how, values in _attributes(topology.attributes)],
        "matching": None if topology.matching is None else _matching_record(topology.matching),
        "faults": [],
    }


def _matching_record(matching: Matching) -> dict[str, Any]:
    model = model_of(matching)
    return {
        "attributes": dict(matching.roles),
        "identifiers": dict(matching.kinds),
        "blocks": matching.blocks,
        "block_limit": matching.limit,
        "accept": model.accept,
        "review": model.review,
        "neighbours": matching.neighbours,
        "model": None if matching.model is None else model.version,
    }


def _chosen(rule: Rule, journey: Journey) -> list[str] | None:
    return None if rule.from_phases is None else [phase for phase in journey.phases if phase in rule.from_phases]
