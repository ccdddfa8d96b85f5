"""Faults that concern several keys: aliases, topics, guards, outputs, times. Journeys, attributes and matching have
their own: check_journey.py, check_attributes.py, check_matching.py.

The checks run on whatever of the document the model accepts, so that one misspelt key does not hide the other faults.
"""

import re
from collections.abc import Mapping

from touchstone.topology.check_attributes import check_attributes
from touchstone.topology.check_journey import check_journey
from touchstone.topology.check_matching import check_matching
from touchstone.topology.explain import Location
from touchstone.topology.findings import Findings
from touchstone.topology.model import LARGEST_PROFILE, LARGEST_RECORD, WrittenChannel, WrittenIdentifier, WrittenTopology, WrittenType
from touchstone.topology.quantity import duration_text

_NAMES_PHASES = re.compile(r"^[^.\[]*$|^[^.]*\.phases")
"""Lost places under `journeys` that may have defined a phase: a whole journey, or its phases."""


def check(topology: WrittenTopology, found: Findings) -> None:
    """Write down every fault that spans several keys."""
    for group in ("channels", "identifiers"):
        if not getattr(topology, group) and not found.lost((group,)):
            found.at((group,), f"expected at least one of the {group}, found none")
    _check_aliases("channels", topology.channels, found)
    _check_aliases("identifiers", topology.identifiers, found)
    _check_aliases("types", topology.types, found)
    _check_topics(topology, found)
    _check_guards(topology.identifiers, found)
    _check_sizes(topology, found)
    if topology.lateness > topology.retention:
        found.at(("lateness",), f"expected at most the retention of {duration_text(topology.retention)}: nothing older is folded in at all")
    for name, journey in topology.journeys.items():
        check_journey(("journeys", name), journey, topology, found)
    check_attributes(topology, found)
    check_matching(topology, found)
    _check_outputs(topology, found)


def _check_aliases(
    group: str, named: Mapping[str, WrittenChannel] | Mapping[str, WrittenIdentifier] | Mapping[str, WrittenType], found: Findings
) -> None:
    owner: dict[str, str] = {}
    for name, entry in named.items():
        for n, alias in enumerate(entry.aliases):
            location: Location = (group, name, "aliases", n)
            if alias == name:
                found.at(location, f"`{alias}` is the name itself, not an alias of it; take it out")
            elif alias in named:
                found.at(
                    location,
                    f"the alias `{alias}` hides {group}.{alias} (line {found.line_of((group, alias))}), which has that name; rename one",
                )
            elif alias in owner:
                found.at(location, f"duplicate alias `{alias}`: {group}.{owner[alias]} has it already")
            else:
                owner[alias] = name


def _check_topics(topology: WrittenTopology, found: Findings) -> None:
    owner: dict[str, str] = {}
    named: list[tuple[str, Location]] = [(getattr(topology.topics, kind), ("topics", kind)) for kind in _own(topology)]
    named += [(channel.topic or f"touchpoints.{name}.v1", ("channels", name, "topic")) for name, channel in topology.channels.items()]
    named += [(output.topic, ("outputs", name, "topic")) for name, output in topology.outputs.items()]
    for topic, location in named:
        here = ".".join(str(part) for part in location)
        if topic in owner:
            found.at(location, f"the topic `{topic}` is already that of {owner[topic]}; each needs its own")
        else:
            owner[topic] = here


def _own(topology: WrittenTopology) -> list[str]:
    """The topics that are no channel's, by what they hold; that of the reviews exists only where something is compared."""
    return [kind for kind in type(topology.topics).model_fields if kind != "reviews" or topology.matching is not None]


def _check_guards(kinds: Mapping[str, WrittenIdentifier], found: Findings) -> None:
    """The guard must let through all that `persons` and `per_person` allow, or honest identifiers become generic."""
    stronger: dict[str, int] = {}  # kind -> values a person may have, of this kind and the stronger ones
    for name, kind in kinds.items():
        values = 1 if kind.unique else kind.per_person
        if values is not None:
            stronger[name] = values
        for other, count in stronger.items():
            if kind.guard.stronger < kind.persons * count:
                allowed = f"{kind.persons} people with {count} {other} each"
                where: Location = ("identifiers", name, "guard", "stronger")
                found.at(where, f"expected at least {kind.persons * count} ({allowed} are allowed), found {kind.guard.stronger}")
                break
        if kind.unique and kind.per_person not in {None, 1}:
            found.at(
                ("identifiers", name, "per_person"),
                f"a unique kind has one value per person, found {kind.per_person}; take one of the two out",
            )


def _check_sizes(topology: WrittenTopology, found: Findings) -> None:
    """State and outputs are records too: with more than this they would not fit into what brokers take."""
    for name, most in (("record", LARGEST_RECORD), ("profile", LARGEST_PROFILE)):
        size = getattr(topology.limits, name)
        if size > most:
            found.at(("limits", name), f"expected at most {most // 1024}KiB, found {size // 1024}KiB")


def _check_outputs(topology: WrittenTopology, found: Findings) -> None:
    journeys = found.names("journeys", topology.journeys)
    for name, output in topology.outputs.items():
        for n, journey in enumerate(output.journeys or ()):
            if journey not in journeys:
                found.unknown(("outputs", name, "journeys", n), "journey", journey, journeys)
        chosen = [topology.journeys[journey] for journey in output.journeys or topology.journeys if journey in topology.journeys]
        phases = {phase for journey in chosen for phase in journey.phases}
        for n, phase in enumerate(output.phases or ()):
            if phase not in phases and not any(_NAMES_PHASES.search(path) for path in found.lost(("journeys",))):
                found.unknown(("outputs", name, "phases", n), "phase", phase, phases)
        purposes = found.names("consent", topology.consent)
        if output.purpose is not None and purposes and output.purpose not in purposes:
            found.unknown(("outputs", name, "purpose"), "purpose", output.purpose, purposes)
