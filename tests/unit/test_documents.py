"""What the documents say is so: links lead somewhere, named tests exist, commands are commands, and examples come out as shown."""

import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from tests.documents import ROOT, Step, blocks, missing, steps
from touchstone.cli.main import cli, main
from touchstone.customerfile.load import load_mapping_text
from touchstone.model.output import Carried, Customer, DeadLetter, IdentityChange, Moment, Review
from touchstone.pipeline import OutputRecord
from touchstone.simulate import Twin
from touchstone.stewardship.names import values_of
from touchstone.topology.load import default_topology_path, load_text, load_topology

PACKAGE = ROOT / "agents" / "touchstone"
LOCAL = ("validate", "simulate")
"""Commands of the README that need no Kafka; the others are run in tests/kafka/test_readme.py."""


def documents() -> list[Path]:
    """Every page of the repository, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def name_of(path: Path) -> str:
    """How a page is called in the output of pytest."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", documents(), ids=name_of)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    """Links to other sites are left alone."""
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))

    dead = [
        link for link in links if "://" not in link and not link.startswith("#") and not (page.parent / link.partition("#")[0]).exists()
    ]

    assert not dead


def test_every_test_that_proves_a_promise_exists() -> None:
    """A promise without its test would be a wish."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/guarantees.md").read_text(encoding="utf-8"))

    gone = [f"{file}::{test}" for file, test in named if not (ROOT / file).exists() or f"def {test}(" not in (ROOT / file).read_text()]

    assert len(named) > 30
    assert not gone


@pytest.mark.parametrize("page", documents(), ids=name_of)
def test_every_command_that_is_shown_exists_with_its_options(page: Path) -> None:
    """Wherever a page says `touchstone …`, in a block or in a sentence."""
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"`touchstone ([a-z][^`\n]*)`", text) + re.findall(r"^(?:    |\$ )touchstone ([a-z][^\n]*)$", text, re.MULTILINE)

    wrong = [line for line in shown if (fault := fault_of(line)) is not None and fault]

    assert not wrong


def fault_of(line: str) -> str | None:
    """What is wrong with the words after `touchstone`; None where nothing is."""
    command: click.Command = cli
    for word in shlex.split(line, comments=True):
        if word == "&":
            break
        if word.startswith("--"):
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            if word.partition("=")[0] not in known:
                return f"{command.name} has no option {word}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z]+(\|[a-z]+)*", word):
            choices = [command.get_command(click.Context(command), name) for name in word.split("|")]
            if None in choices:
                return f"{command.name} has no command {word}"
            command = choices[0] or command
    return None


def test_every_make_target_that_is_shown_exists() -> None:
    """In any page."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for page in documents()
        for name in re.findall(r"`make ([a-z]+)|^    make ([a-z]+)", page.read_text(), re.MULTILINE)
        for name in name
        if name
    }

    assert named
    assert named <= targets


def test_every_file_that_the_way_of_an_event_names_exists() -> None:
    """`docs/how-it-works.md` names files below the package, the root of the repository, or beside the one named before."""
    text = (ROOT / "docs/how-it-works.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./]+\.(?:py|md|yaml))`", text)

    folder, gone = "", []
    for name in named:
        folder = name.rpartition("/")[0] if "/" in name else folder
        places = (PACKAGE / name, ROOT / name, PACKAGE / folder / name)
        if not any(place.exists() for place in places) and not list(PACKAGE.glob(f"*/{name}")):
            gone.append(name)

    assert not gone


def test_every_variable_of_the_environment_that_is_shown_is_read_somewhere() -> None:
    """By name, or by a name that it begins with (`…_FILE`)."""
    code = "\n".join(path.read_text(encoding="utf-8") for folder in ("agents", "tests") for path in (ROOT / folder).rglob("*.py"))
    named = {name for page in documents() for name in re.findall(r"TOUCHSTONE_[A-Z_]+", page.read_text(encoding="utf-8"))}

    assert len(named) > 3
    assert {name for name in named if f'"{name.removesuffix("_FILE")}"' not in code} == set()


def test_the_topology_of_the_readme_is_right() -> None:
    """It loads, with the channels and rules that it shows."""
    (shown,) = blocks("README.md", "yaml")

    topology = load_text(shown, "README.md")

    assert [rule.name for rule in topology.journeys[0].rules] == ["searched", "considered", "purchased", "abandoned"]


def test_the_mapping_of_the_page_on_customer_files_is_right() -> None:
    """It loads with the shipped topology."""
    (shown,) = blocks("docs/data-quality.md", "yaml")

    mapping = load_mapping_text(shown, "docs/data-quality.md", load_topology(default_topology_path()))

    assert list(mapping.written.profile) == ["city", "birth_date", "name", "first_name", "visits"]


def local_steps() -> list[Step]:
    """The README's steps that need no Kafka."""
    return [step for step in steps("README.md") if step.command.startswith(tuple(f"touchstone {name}" for name in LOCAL))]


def test_the_readmes_first_steps_come_out_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The touchpoints as written there, the shipped topology, the offline twin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    write_files(tmp_path)

    for step in local_steps():
        with pytest.raises(SystemExit) as left:
            main(shlex.split(step.command)[1:])

        assert left.value.code == (1 if "simulate typo.jsonl" in step.command else 0), (
            "of a file that has no usable line nothing was simulated"
        )
        assert not missing(step, capsys.readouterr().out), step.command
    assert len(local_steps()) >= 2


def write_files(folder: Path) -> None:
    """What the README's commands write."""
    for step in steps("README.md"):
        if " > " in step.command.splitlines()[0]:
            subprocess.run(["bash", "-c", step.command], cwd=folder, check=True)


# -- docs/how-it-works.md --------------------------------------------------------------------------------------------------------


def test_the_way_of_an_event_is_as_told() -> None:
    """Every message, everything that is said and every row in `docs/how-it-works.md`, in its order, is what the stages do today."""
    (story,) = blocks("docs/how-it-works.md", "json")
    watched = Watched()

    for line in story.splitlines():
        watched.feed(line)

    for event in ("e1", "e2", "e3", "e4"):
        told = [words(line) for block in blocks("docs/how-it-works.md", f"trace {event}") for line in block.splitlines()]
        assert told == [words(short(line, watched.values)) for line in watched.trace[event]], event
    (rows,) = blocks("docs/how-it-works.md", "rows")
    assert [words(line)[:3] for line in rows.splitlines()] == [words(line) for line in watched.rows()]


def words(line: str) -> list[str]:
    """A line without its layout."""
    return line.split()


class Watched:
    """The offline twin, with everything that passes between the stages written down."""

    def __init__(self) -> None:
        self.trace: dict[str, list[str]] = {}
        self._now: list[str] = []
        self._twin = Twin(load_topology(default_topology_path()), self._said)
        out = self._twin._out
        hand_over = out.message

        def listen(stage: str, partition: int, message: Any) -> None:
            self._now.append(f"{stage} {type(message).__name__} {message.to}")
            hand_over(stage, partition, message)

        out.message = listen  # type: ignore[method-assign]  # the twin has no other place to listen

    def feed(self, line: str) -> None:
        """Take one touchpoint in."""
        self._now = self.trace[msgspec.json.decode(line)["event_id"]] = []
        self._twin.feed([line.encode()])

    @property
    def values(self) -> Mapping[str, str]:
        """What the keys stand for."""
        return values_of(self._twin)

    def rows(self) -> list[str]:
        """Stage, group and name of every row, as the page writes them."""
        (stores,) = self._twin.stores
        return [
            f"{stage} {short(group, self.values)} {short(name, self.values)}"
            for stage, store in stores.items()
            for group in store.groups()
            for name, _ in store.scan(group, "")
        ]

    def _said(self, record: OutputRecord) -> None:
        what = ""
        match record:
            case Moment():
                what = f"{record.action} {record.from_phase or 'start'} -> {record.to_phase} by {record.rule}"
            case Customer():
                what = record.status
            case IdentityChange():
                what = record.kind
        who = "" if isinstance(record, DeadLetter | Carried | Review) else record.customer_id
        self._now.append(f"SAID {type(record).__name__} {who} {what}")


def short(text: str, values: Mapping[str, str]) -> str:
    """Identifiers with their values and without the tenant, ids cut to 12 characters, the separator readable."""
    for key, value in values.items():
        text = text.replace(key, f"{key.partition(':')[0]}:{value}")
    without_tenant = text if re.match(r"tdefault/", text) else text.replace("default/", "")
    return re.sub(r"\b([a-z]?)([0-9a-f]{12})[0-9a-f]{20}\b", r"\1\2", without_tenant).replace("\x1f", "|")


# -- docs/decisions --------------------------------------------------------------------------------------------------------------


def decisions() -> list[Path]:
    """The pages, without their index."""
    return sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def test_every_decision_is_in_the_index_under_a_number_of_its_own() -> None:
    """Nothing is decided in silence."""
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")

    assert [page.name for page in decisions() if f"({page.name})" not in index] == []
    assert len({page.name[:4] for page in decisions()}) == len(decisions())


@pytest.mark.parametrize("page", decisions(), ids=name_of)
def test_a_decision_says_context_choice_consequences_and_alternatives(page: Path) -> None:
    """In that order."""
    assert re.findall(r"^## (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)[:4] == [
        "Context",
        "Choice",
        "Consequences",
        "Alternatives",
    ]
