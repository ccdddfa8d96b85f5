"""YAML text as a tree in which every key and value knows its place.

The tree is plain: strings, numbers, true, false, nothing, lists, mappings with text as keys. What a definition does not need and what
can hurt (tags, merge keys, several documents, aliases that multiply) is refused here, with its place.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.nodes import Node as YamlNode
from ruamel.yaml.reader import ReaderError

from touchstone.errors import Fault

MAX_BYTES = 1_048_576  # the shipped topology has some 10 KiB; reading 1 MiB takes seconds
MAX_DEPTH = 40  # the deepest key of a topology lies at 8
MAX_VALUES = 100_000  # counted after aliases are followed: nine lines of nested aliases can mean a billion values

Scalar = str | int | float | bool | None

_TAG = "tag:yaml.org,2002:"


@dataclass(slots=True, eq=False)
class Node:
    """A value with its place. `line` and `column` count from 1; the key's are those of the value where there is no key."""

    value: "Scalar | list[Node] | dict[str, Node]"
    path: str
    line: int
    column: int
    key_line: int = 0
    key_column: int = 0

    def child(self, part: str | int) -> "Node | None":
        """The value under a key or at an index; None where there is none."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def without(self, doomed: set[int]) -> "Node":
        """The same tree without the nodes whose `id` is given, and without lists of which nothing remains; all keep place and path."""
        value = self.value
        if isinstance(value, dict):
            kept = {key: node.without(doomed) for key, node in value.items() if id(node) not in doomed}
            value = {key: node for key, node in kept.items() if node.value != [] or value[key].value == []}
        elif isinstance(value, list):
            value = [node.without(doomed) for node in value if id(node) not in doomed]
        return Node(value, self.path, self.line, self.column, self.key_line, self.key_column)


def read(text: str, file: str) -> tuple[Node | None, list[Fault]]:
    """Read one YAML document. Returns its tree (None where there is none to speak of) and what is wrong with it as YAML."""
    if len(text) > MAX_BYTES:
        return None, [Fault(f"expected at most {MAX_BYTES // 1024} KiB, found {len(text) // 1024} KiB", "", file, 1, 1)]
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the parser merely dislikes, such as an anchor given twice, is no fault
            root = yaml.compose(text)
    except ReaderError as error:
        return None, [_unreadable(error, text, file)]
    except MarkedYAMLError as error:
        return None, [_syntax(error, file)]
    except (YAMLError, ValueError, AssertionError, RecursionError, AttributeError, IndexError, KeyError, TypeError) as error:
        # the parser has a few ways of its own to fall over what is no YAML; they carry no place
        return None, [Fault(f"this is no YAML that can be read: {type(error).__name__}", "", file, 1, 1)]
    if root is None:
        found = "nothing but comments" if text.strip() else "an empty file"
        return None, [Fault(f"expected a topology, found {found}; start with `version: 1` and `name: ...`", "", file, 1, 1)]
    reading = _Reading(file)
    try:
        return reading.node(root, "", 0), reading.faults
    except _TooMuchError as error:
        return None, [*reading.faults, error.fault]


def _unreadable(error: ReaderError, text: str, file: str) -> Fault:
    before = text[: error.position]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return Fault(f"the character U+{int(error.character):04X} is not allowed in YAML; take it out", "", file, line, column)


def _syntax(error: MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = " ".join(str(part).strip() for part in (error.context, error.problem) if part)
    hint = "; indent with spaces, not tabs" if "\\t" in said else ""
    hint = hint or ("; put text that holds `: ` in quotes" if "mapping values are not allowed" in said else "")
    return Fault(f"not valid YAML: {said.splitlines()[0] if said else 'it cannot be read'}{hint}", "", file, line, column)


class _TooMuchError(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


class _Reading:
    """One walk from YAML's nodes to ours, collecting faults on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self._left = MAX_VALUES

    def node(self, node: YamlNode, path: str, depth: int) -> Node:
        self._left -= 1
        if depth > MAX_DEPTH:
            raise _TooMuchError(self._fault(node, path[:80], f"nested deeper than {MAX_DEPTH}, or an alias contains itself"))
        if self._left < 0:
            raise _TooMuchError(self._fault(node, path, f"more than {MAX_VALUES} values: aliases (*name) multiply what they stand for"))
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        value: Scalar | list[Node] | dict[str, Node]
        if isinstance(node, ScalarNode):
            value = self._scalar(node, path)
        elif str(node.tag) not in {f"{_TAG}map", f"{_TAG}seq"}:
            value = None
            self.faults.append(self._tagged(node, path))
        elif isinstance(node, MappingNode):
            value = dict(self._entries(node, path, depth))
        else:
            value = [self.node(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(node.value)]
        return Node(value, path, line, column, line, column)

    def _entries(self, node: MappingNode, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.faults.append(self._fault(key_node, path, "expected a word as key, found a list or mapping"))
                continue
            key = str(key_node.value)
            inside = f"{path}.{key}" if path else key
            if str(key_node.tag) == f"{_TAG}merge":
                self.faults.append(self._fault(key_node, inside, "merge keys (<<) are not supported: write the keys out"))
            elif key in seen:
                self.faults.append(self._fault(key_node, inside, f"duplicate key `{key}`: it stands in line {seen[key]} already"))
            else:
                seen[key] = key_node.start_mark.line + 1
                value = self.node(value_node, inside, depth + 1)
                value.key_line, value.key_column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
                if value.value is None and not value_node.value:  # nothing stands there: YAML gives it the place of what comes next
                    value.line, value.column = value.key_line, value.key_column
                yield key, value

    def _scalar(self, node: ScalarNode, path: str) -> Scalar:
        text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
        try:
            if tag in {"str", "timestamp", "value"}:
                return text
            if tag == "null":
                return None
            if tag == "bool":
                return text.lower() in {"true", "yes", "on", "y"}
            if tag == "int":
                return _integer(text.replace("_", ""))
            if tag == "float":
                return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self.faults.append(self._fault(node, path, f"expected a number, found {text[:40]!r}; put text in quotes"))
            return None
        self.faults.append(self._tagged(node, path))
        return None

    def _tagged(self, node: YamlNode, path: str) -> Fault:
        tag = str(node.tag).removeprefix(_TAG)[:60]
        return self._fault(node, path, f"the tag {tag} is not supported: write plain text, numbers, lists and mappings")

    def _fault(self, node: YamlNode, path: str, message: str) -> Fault:
        return Fault(message, path, self.file, node.start_mark.line + 1, node.start_mark.column + 1)


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    return sign * (int(digits, 0) if digits[:2].lower() in {"0x", "0o", "0b"} else int(digits))
