"""What the model refuses, in the words of the file's author: pydantic's errors as faults with places."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from touchstone.errors import Fault
from touchstone.topology.document import Node
from touchstone.topology.model import WrittenTopology

Location = tuple[str | int, ...]

_EXPECTED = {
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
}
_NAME = "a name: a letter, then letters, digits, `_` or `-`, at most 64"
_ATTRIBUTE = "an attribute such as `rating` or `context.campaign`"


def nearest(word: str, words: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest valid one, or else all of them."""
    known = sorted(set(words))
    close = difflib.get_close_matches(word[:128], known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if not known:
        return "none is defined"
    shown = ", ".join(f"`{one}`" for one in known[:20])
    return f"expected one of {shown}" + (f" and {len(known) - 20} more" if len(known) > 20 else "")


def is_like(word: str, other: str) -> bool:
    """Whether one may be the other, misspelt."""
    return bool(difflib.get_close_matches(word[:128], [other], n=1, cutoff=0.6))


def place(root: Node, location: Location) -> tuple[Node, int]:
    """The deepest node on the way to a location, and how many parts of the way lead there."""
    node = root
    for n, part in enumerate(location):
        child = node.child(part)
        if child is None and part == 0 and not isinstance(node.value, list):
            continue  # what stands alone is a list of one
        if child is None:
            return node, n
        node = child
    return node, len(location)


def explain(error: ErrorDetails, root: Node, file: str, model: type[BaseModel] = WrittenTopology) -> Fault:
    """One error of the model as a fault: expected, found, where, and the nearest valid word."""
    location: Location = error["loc"]
    is_key = location[-1:] == ("[key]",)
    location = location[:-1] if is_key else location
    node, depth = place(root, location)
    if error["type"] == "extra_forbidden":
        word = str(location[-1])
        beside = place(root, location[:-1])[0].value
        keys = _keys_at(location[:-1], model)
        valid = [key for key in keys if not isinstance(beside, dict) or key not in beside]
        there = [key for key in keys if key not in valid and is_like(word, key)]
        hint = nearest(word, valid)
        if there and not any(is_like(word, key) for key in valid):
            hint = f"did you mean `{there[0]}`, which is there already?"
        return Fault(f"unknown key `{word}`: {hint}", node.path, file, node.key_line, node.key_column)
    if error["type"] == "missing":
        return Fault(f"missing key `{location[-1]}`", node.path, file, node.line, node.column)
    line, column = (node.key_line, node.key_column) if is_key else (node.line, node.column)
    return Fault(_message(error, is_key=is_key), node.path or _joined(location[depth:]), file, line, column)


def doomed(error: ErrorDetails, root: Node) -> Node:
    """The smallest part of the document to leave out so that the rest can still be checked."""
    location: Location = error["loc"]
    wanted = location[:-1] if error["type"] == "missing" or location[-1:] == ("[key]",) else location
    return place(root, wanted)[0]


def details(error: ValidationError) -> Sequence[ErrorDetails]:
    """The errors of a validation, without links to pydantic's own pages."""
    return error.errors(include_url=False)


def _message(error: ErrorDetails, *, is_key: bool) -> str:
    kind, found, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind == "touchstone":
        return str(context["text"])
    if kind == "literal_error":
        valid = [word.strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        return f"unknown word {_shown(found)}: {nearest(str(found), valid)}"
    if kind in _EXPECTED:
        text = "the text " if isinstance(found, str) else ""
        return f"expected {_EXPECTED[kind]}, found {text}{_shown(found)}{_hint(kind, found)}"
    if kind == "string_pattern_mismatch":
        return f"expected {_form(str(context['pattern']))}, found {_shown(found)}"
    if kind in {"greater_than_equal", "less_than_equal"}:
        bound, how = (context["ge"], "least") if kind == "greater_than_equal" else (context["le"], "most")
        return f"expected at {how} {bound}, found {_shown(found)}"
    if kind in {"greater_than", "less_than"}:
        bound, how = (context["gt"], "more") if kind == "greater_than" else (context["lt"], "less")
        return f"expected {how} than {bound:g}, found {_shown(found)}"
    if kind in {"too_short", "too_long"}:
        bound, how = (context["min_length"], "least") if kind == "too_short" else (context["max_length"], "most")
        return f"expected at {how} {bound} {'entry' if bound == 1 else 'entries'}, found {context['actual_length']}"
    return f"{error['msg']}{' (as a key)' if is_key else ''}, found {_shown(found)}"


def _hint(kind: str, found: object) -> str:
    if kind == "string_type" and isinstance(found, int | float | None):
        return "; put it in quotes"
    if kind == "model_type" and found is None:
        return "; write `{}` for the defaults"
    if kind == "list_type" and isinstance(found, str):
        return f"; write `[{found}]`"
    return ""


def _form(pattern: str) -> str:
    if pattern.startswith("^[A-Za-z]["):
        return _NAME
    if pattern.startswith("^[A-Za-z0-9_-]["):
        return "the name of a topic: letters, digits, `.`, `_` or `-`, at most 249"
    if pattern.startswith("^[^."):
        return _ATTRIBUTE
    return "one line of text, at most 128 characters, without blanks at its ends"


def _shown(found: object) -> str:
    if found is None:
        return "nothing"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, list):
        return "a list"
    if isinstance(found, dict):
        return "a mapping"
    text = f"`{found}`" if isinstance(found, str) else str(found)
    return text if len(text) <= 60 else f"{text[:57]}…`"


def _joined(location: Location) -> str:
    return ".".join(str(part) for part in location)


def _keys_at(location: Location, model: type[BaseModel]) -> list[str]:
    kind: Any = model
    for part in location:
        kind = _bare(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = next((field.annotation for name, field in kind.model_fields.items() if part in {name, field.alias}), None)
        else:
            kind = get_args(kind)[-1] if get_args(kind) else None
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or name for name, field in kind.model_fields.items()]
    return []


def _bare(kind: Any) -> Any:
    """An annotation without what is said about it: neither `Annotated` nor `None`."""
    while get_origin(kind) is Annotated or type(None) in get_args(kind):
        kind = next(one for one in get_args(kind) if one is not type(None))
    return kind
