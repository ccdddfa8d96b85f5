"""`touchstone schemas`: what a schema registry holds, and what it should."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from touchstone.bundle import SCHEMAS
from touchstone.cli.groups import Suggesting
from touchstone.cli.output import Output, output_option
from touchstone.cli.topology_options import prefix_option, topology_option
from touchstone.contracts.compatibility import LEVELS, Version, breaks
from touchstone.contracts.registry import bundled_schemas
from touchstone.contracts.registry_client import URL, Registered, RegistryClient
from touchstone.errors import UsageError
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed
from touchstone.topology.subjects import Subject, subjects

_F = TypeVar("_F", bound=Callable[..., Any])


class Finding(NamedTuple):
    """What was found of one subject. `status`: missing, same, other (may be registered), breaks (may not)."""

    subject: Subject
    status: str
    id: int | None
    level: str | None
    why: tuple[str, ...]

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether `register` would change nothing."""
        return self.status == "same" and self.level == LEVELS[self.subject.record]


def _options(command: _F) -> _F:
    """Give a command what it needs to know which subjects in which registry are meant."""
    for option in (
        output_option,
        click.option("--registry", metavar="URL", help=f"the registry's API (default: {URL}), such as https://host:8081"),
        prefix_option,
        topology_option(),
    ):
        command = option(command)
    return command


@click.group(cls=Suggesting)
def schemas() -> None:
    """Compare, check and register the Avro schemas of a topology's topics.

    Each topic has a subject of its own, TOPIC-value: outputs always, channels with `format: avro`. Touchpoints are held BACKWARD_TRANSITIVE,
    outputs FULL_TRANSITIVE. A user and certificates are named as docs/operate.md says.
    """


@schemas.command
@_options
def check(topology: Path | None, topic_prefix: str, registry: str | None, output: Output) -> int:
    """Say whether the schemas of this version may be registered; changes nothing. Exit code 1 when one may not.

    Without a registry they are held against all versions that were released.
    """
    client = RegistryClient.from_environment(os.environ, registry)
    if client is None:
        return _check_released(output)
    found = [_look(client, subject) for subject in subjects(_load(topology, topic_prefix))]
    found = [_ask(client, finding) for finding in found]
    for finding in found:
        _show(finding, output)
    return 1 if any(finding.status == "breaks" for finding in found) else 0


@schemas.command
@_options
def register(topology: Path | None, topic_prefix: str, registry: str | None, output: Output) -> int:
    """Register what is missing and set the compatibility levels. If one schema would break what is there, nothing is registered at all."""
    client = _needed(registry)
    found = [_ask(client, _look(client, subject)) for subject in subjects(_load(topology, topic_prefix))]
    if any(finding.status == "breaks" for finding in found):
        for finding in found:
            _show(finding, output)
        output.note("nothing was registered")
        return 1
    for finding in found:
        _show(_register(client, finding), output)
    return 0


@schemas.command
@_options
def diff(topology: Path | None, topic_prefix: str, registry: str | None, output: Output) -> int:
    """Show what differs between this version and the registry; changes nothing. Exit code 1 when something does."""
    client = _needed(registry)
    found = [_look(client, subject) for subject in subjects(_load(topology, topic_prefix))]
    for finding in found:
        if not finding.is_as_it_should_be:
            _show(finding, output)
    if all(finding.is_as_it_should_be for finding in found):
        output.text(f"all {len(found)} subjects are as they should be")
        return 0
    return 1


def _load(topology: Path | None, prefix: str) -> Topology:
    return prefixed(load_topology(topology or default_topology_path()), prefix)


def _needed(url: str | None) -> RegistryClient:
    client = RegistryClient.from_environment(os.environ, url)
    if client is None:
        raise UsageError(f"expected the address of a schema registry in --registry or {URL}, found none")
    return client


def _document(subject: Subject) -> dict[str, Any]:
    return bundled_schemas().current(subject.record).document


def _look(client: RegistryClient, subject: Subject) -> Finding:
    """Compare one subject."""
    versions = client.versions(subject.name)
    if not versions:
        return Finding(subject, "missing", None, None, ())
    number = client.id_of(subject.name, json.dumps(_document(subject)))
    level = client.level(subject.name)
    why: list[str] = []
    if number is None:
        why = [*_broken(subject, versions), *_changes(_document(subject), versions[-1])]
    if level != LEVELS[subject.record]:
        why.append(f"compatibility level is {level or 'not set'}, expected {LEVELS[subject.record]}")
    status = "same" if number is not None else "breaks" if _broken(subject, versions) else "other"
    return Finding(subject, status, number, level, tuple(why))


def _ask(client: RegistryClient, finding: Finding) -> Finding:
    """What the registry itself says of it; its level may be another than ours."""
    if finding.status != "other":
        return finding
    objection = client.objection(finding.subject.name, json.dumps(_document(finding.subject)))
    if objection is None:
        return finding
    return finding._replace(status="breaks", why=(*finding.why, f"the registry says: {objection}"))


def _register(client: RegistryClient, finding: Finding) -> Finding:
    """The level is set before a schema that has predecessors, so that the registry judges by it; a new subject takes it afterwards only."""
    name, level = finding.subject.name, LEVELS[finding.subject.record]
    if finding.status != "missing" and finding.level != level:
        client.set_level(name, level)
    number = client.register(name, json.dumps(_document(finding.subject)))
    if finding.status == "missing":
        client.set_level(name, level)
    return Finding(finding.subject, "same" if finding.is_as_it_should_be else "registered", number, level, ())


def _broken(subject: Subject, versions: list[Registered]) -> list[str]:
    older = []
    for version in versions:
        try:
            document = json.loads(version.schema)
        except ValueError:
            document = None
        if not isinstance(document, dict) or document.get("type") != "record":
            return [f"version {version.version} is no Avro record"]
        older.append(Version(f"version {version.version}", document))
    return breaks(subject.record, _document(subject), older)


def _changes(new: dict[str, Any], latest: Registered) -> list[str]:
    """The fields that differ from the latest version; none where it is no record."""
    try:
        before = {field["name"]: field for field in json.loads(latest.schema)["fields"]}
    except (ValueError, KeyError, TypeError):
        return []
    after = {field["name"]: field for field in new["fields"]}
    return [
        *(f"{name} is new since version {latest.version}" for name in after if name not in before),
        *(f"{name} of version {latest.version} is gone" for name in before if name not in after),
        *(f"{name} has changed since version {latest.version}" for name in after if name in before and after[name] != before[name]),
    ]


def _check_released(output: Output) -> int:
    bad = 0
    for name in sorted(LEVELS):
        document = bundled_schemas().current(name).document
        why = breaks(name, document, released(name))
        bad += bool(why)
        output.emit({"record": name, "status": "breaks" if why else "compatible", "why": why}, f"{name}: {'; '.join(why) or 'compatible'}")
    return 1 if bad else 0


def released(record: str) -> list[Version]:
    """All versions of a record type that were ever released."""
    files = [(path, json.loads(path.read_text(encoding="utf-8"))) for path in sorted((SCHEMAS / "released").glob("*.avsc"))]
    return [Version(f"release {path.stem.rpartition('-')[2]}", document) for path, document in files if document["name"] == record]


def _show(finding: Finding, output: Output) -> None:
    subject = finding.subject
    row = {"subject": subject.name, "record": subject.record, "status": finding.status, "id": finding.id, "level": finding.level}
    words = {
        "missing": "is not there",
        "same": f"is there as {finding.id}",
        "registered": f"is registered as {finding.id}",
        "other": "has another version, and this one may be added",
        "breaks": "may not be replaced by this version",
    }[finding.status]
    output.emit(
        {**row, "why": list(finding.why)}, f"{subject.name} ({subject.record}) {words}" + "".join(f"\n  {why}" for why in finding.why)
    )
