"""mapping.yaml -> the mapping, or all its faults at once, each with line, column and the nearest valid word."""

from collections.abc import Collection, Iterator
from pathlib import Path

from pydantic import ValidationError

from touchstone.customerfile.model import WrittenMapping
from touchstone.errors import Fault, MappingError, UsageError
from touchstone.topology.compile import Topology
from touchstone.topology.document import MAX_BYTES, Node, read
from touchstone.topology.explain import Location, details, explain, nearest, place


class LoadedMapping:
    """A mapping that is right by itself and by the topology; `require` holds it against a file's columns."""

    def __init__(self, written: WrittenMapping, root: Node, file: str) -> None:
        self.written = written
        self._root = root
        self._file = file

    def require(self, columns: Collection[str]) -> None:
        """Every column that is named must be there.

        Raises:
            MappingError: with every one that is not, where it stands in the mapping.
        """
        faults = []
        for location, column in named_columns(self.written):
            if column not in columns:
                at = place(self._root, location)[0]
                text = f"the file has no column `{column}`: {nearest(column, columns)}"
                faults.append(Fault(text, at.path, self._file, at.line, at.column))
        if faults:
            raise MappingError(_in_order(faults))


def load_mapping(path: Path, topology: Topology) -> LoadedMapping:
    """Read and check a mapping file.

    Raises:
        UsageError: The file does not exist or cannot be read.
        MappingError: The mapping is wrong; it holds all faults, in the order of the file.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: expected UTF-8, found other bytes; save the mapping as UTF-8") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"the mapping {path} cannot be read: {why}; expected a YAML file. A first one: "
            "`touchstone produce customers.csv --suggest-mapping > mapping.yaml`"
        ) from error
    return load_mapping_text(text, str(path), topology)


def load_mapping_text(text: str, file: str, topology: Topology) -> LoadedMapping:
    """As `load_mapping`, of a text; `file` is the name its faults are reported under."""
    root, faults = read(text, file)
    if root is None or not isinstance(root.value, dict):
        found = Fault("expected a mapping with source, occurred_at, identifiers, ..., found something else", "", file, 1, 1)
        raise MappingError(faults if faults and text.strip() else [found])
    try:
        written = WrittenMapping.model_validate(root.plain())
    except ValidationError as error:
        faults += [explain(one, root, file, WrittenMapping) for one in details(error)]
        raise MappingError(_in_order(faults)) from None
    faults += _unknown(written, root, file, topology)
    if faults:
        raise MappingError(_in_order(faults))
    return LoadedMapping(written, root, file)


def named_columns(written: WrittenMapping) -> Iterator[tuple[Location, str]]:
    """Every column that a mapping names, with the place where it does."""
    for name in ("source", "channel", "type", "occurred_at"):
        column = getattr(written, name).column
        if column is not None:
            yield (name, "column"), column
    for number, column in enumerate(written.row_key or ()):
        yield ("row_key", number), column
    for kind, parts in written.identifiers.items():
        for number, part in enumerate(parts):
            yield ("identifiers", kind, number, "column"), part.column
    for name, attribute in written.profile.items():
        if attribute.column is not None:
            yield ("profile", name, "column"), attribute.column
        for number, column in enumerate(attribute.columns or ()):
            yield ("profile", name, "columns", number), column
    for purpose, consent in written.consents.items():
        yield ("consents", purpose, "column"), consent.column


def _unknown(written: WrittenMapping, root: Node, file: str, topology: Topology) -> Iterator[Fault]:
    """What the topology does not know: kinds of identifiers, the channel."""
    kinds = topology.kinds.keys() | topology.kind_aliases.keys()
    for kind in written.identifiers:
        if kind not in kinds:
            at = place(root, ("identifiers", kind))[0]
            text = f"unknown kind of identifier `{kind}`: {nearest(kind, kinds)}"
            yield Fault(text, at.path, file, at.key_line, at.key_column)
    channel = written.channel.constant
    channels = topology.channels.keys() | topology.channel_aliases.keys()
    if channel is not None and channel not in channels:
        at = place(root, ("channel", "constant"))[0]
        where = (at.line, at.column) if "channel" in (root.value if isinstance(root.value, dict) else {}) else (1, 1)
        yield Fault(f"unknown channel `{channel}`: {nearest(channel, channels)}", "channel", file, *where)


def _in_order(faults: Collection[Fault]) -> list[Fault]:
    return sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
