"""topology.yaml -> Topology, or all its faults at once."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from touchstone import bundle
from touchstone.errors import Fault, TopologyError, UsageError
from touchstone.topology.check import check
from touchstone.topology.check_matching import model_in
from touchstone.topology.compile import Topology, compile_topology
from touchstone.topology.document import MAX_BYTES, Node, read
from touchstone.topology.explain import details, doomed, explain, is_like, place
from touchstone.topology.findings import Findings
from touchstone.topology.model import WrittenTopology

_MOST_FAULTS = 200
# What stands in for a missing key of the document itself, so that the rest is checked all the same.
_STAND_INS: dict[str, int | str | dict[str, Node]] = {"version": 1, "name": "unnamed", "channels": {}, "identifiers": {}}


def default_topology_path() -> Path:
    """The shipped topology: the repository's own file in a clone or an editable install, the package's copy in a wheel."""
    return bundle.TOPOLOGY.resolve()


def load_topology(path: Path) -> Topology:
    """Read, check and compile a topology file.

    Raises:
        UsageError: The file does not exist or cannot be read.
        TopologyError: The definition is wrong; it holds all faults, in the order of the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"no topology at {path}: expected a YAML file; leave it out to use the shipped one") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"the topology {path} cannot be read: {why}; expected a YAML file") from error
    name = str(path)
    if len(content) > MAX_BYTES:
        raise TopologyError([Fault(f"expected a file of at most {MAX_BYTES // 1024} KiB, found more", "", name, 1, 1)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig", "replace")) + 1
        fault = Fault("expected UTF-8, found other bytes; save the file as UTF-8", "", name, before.count(b"\n") + 1, column)
        raise TopologyError([fault]) from None
    return load_text(text, name)


def load_text(text: str, file: str) -> Topology:
    """Check and compile a topology given as text; `file` is the name its faults are reported under, and where the path of a model begins.

    Raises:
        TopologyError: The definition is wrong; it holds all faults, in the order of the file.
    """
    root, faults = read(text, file)
    written, model = None, None
    if root is not None:
        written, model, more = _validate(root, file, faults)
        faults = faults + more
    if faults or written is None:
        raise TopologyError(_in_order(faults))
    return compile_topology(written, model)


def _validate(root: Node, file: str, known: list[Fault]) -> tuple[WrittenTopology | None, bytes | None, list[Fault]]:
    """What of the document the model accepts, the matching model that it names, and everything that is wrong with both."""
    if not isinstance(root.value, dict):
        message = "expected a mapping with version, name, channels, identifiers, ..., found something else"
        return None, None, [Fault(message, "", file, root.line, root.column)]
    places = {(fault.line, fault.column) for fault in known}
    faults: list[Fault] = []
    left_out: list[str] = [fault.path for fault in known]
    written = None
    while written is None:
        try:
            written = WrittenTopology.model_validate(root.plain())
        except ValidationError as error:
            found = details(error)
            explained = [
                explain(one, root, file)
                for one in found[: _MOST_FAULTS + 1]
                if not (_follows(one, root, left_out) or _is_misspelt(one, found))
            ]
            faults += [fault for fault in explained if (fault.line, fault.column) not in places]
            parts = [doomed(one, root) for one in found]
            missing = [str(one["loc"][0]) for one in found if one["type"] == "missing" and len(one["loc"]) == 1]
            left_out += [part.path for part in parts] + missing
            root = _without(root, parts, set(missing))
    findings = Findings(root, file, [path for path in left_out if path])
    check(written, findings)
    model = model_in(written, file, findings)
    return written, model, faults + findings.faults


def _follows(error: ErrorDetails, root: Node, left_out: list[str]) -> bool:
    """Whether a key is missing, or too little stands under it, only because a value was refused before."""
    if error["type"] == "too_short":
        key = place(root, error["loc"])[0].path
    elif error["type"] == "missing":
        key = f"{place(root, error['loc'][:-1])[0].path}.{error['loc'][-1]}".removeprefix(".")
    else:
        return False
    return any(path == key or path.startswith((f"{key}.", f"{key}[")) for path in left_out)


def _is_misspelt(error: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """Whether a key is missing only because it stands there misspelt, which is said already."""
    where, key = error["loc"][:-1], str(error["loc"][-1])
    return error["type"] == "missing" and any(
        one["type"] == "extra_forbidden" and one["loc"][:-1] == where and is_like(str(one["loc"][-1]), key) for one in found
    )


def _without(root: Node, parts: list[Node], missing: set[str]) -> Node:
    remaining = root.without({id(part) for part in parts})
    if isinstance(remaining.value, dict):
        for key in set(_STAND_INS) - set(remaining.value):
            if key in missing or any(part.path == key for part in parts):
                remaining.value[key] = Node(_STAND_INS[key], key, root.line, root.column, root.line, root.column)
    return remaining


def _in_order(faults: list[Fault]) -> list[Fault]:
    ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
    if len(ordered) <= _MOST_FAULTS:
        return ordered
    last = ordered[_MOST_FAULTS - 1]
    rest = Fault("more faults follow; mend these first", "", last.file, last.line, last.column)
    return [*ordered[: _MOST_FAULTS - 1], rest]
