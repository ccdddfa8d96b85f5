"""An export as one page of HTML that a person can read anywhere: no script, nothing fetched, everything escaped."""

from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from touchstone.privacy.document import Export


def page_of(export: Export) -> str:
    """The page."""
    return _template().render(of=msgspec.to_builtins(export))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("touchstone.privacy"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"time": _time, "words": _words, "said": _said}
    return environment.get_template("export.html.j2")


def _time(written: str | None) -> str:
    """`2024-05-01T10:00:00.000Z` as `2024-05-01 10:00:00`; the page says once that all times are UTC."""
    return "" if written is None else written[:19].replace("T", " ")


def _words(value: Any) -> str:
    """A value as text: a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _said(text: str) -> str:
    """The value of an attribute, which a customer's record holds as its JSON text."""
    try:
        return _words(msgspec.json.decode(text))
    except msgspec.DecodeError:
        return text
