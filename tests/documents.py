"""Reads what the documents show: commands with their output, code, links."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LEFT_OUT = "…"
"""Stands for text that is left out: whole lines, or a part of one."""


class Step(NamedTuple):
    """A command as a reader would type it, and the lines shown below it."""

    command: str
    shown: list[str]


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a language; `trace e1` is a language, too."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def steps(document: str) -> list[Step]:
    """The commands of all console blocks, in order; a here-document belongs to its command."""
    found: list[Step] = []
    for block in blocks(document, "console"):
        until: str | None = None
        for line in block.splitlines():
            if until is not None:
                found[-1] = Step(f"{found[-1].command}\n{line}", [])
                until = None if line == until else until
            elif line.startswith("$ "):
                found.append(Step(line[2:], []))
                word = re.search(r"<<'(\w+)'", line)
                until = word[1] if word else None
            else:
                found[-1].shown.append(line)
    return found


def missing(step: Step, output: str) -> list[str]:
    """The shown lines that are not among the lines of the output; spaces and order do not matter, what is left out neither."""
    lines = [_plain(line) for line in output.splitlines()]
    return [shown for shown in step.shown if _plain(shown) and not any(_like(shown).fullmatch(line) for line in lines)]


def _plain(line: str) -> str:
    return "" if line.strip() == LEFT_OUT else " ".join(line.split())


def _like(shown: str) -> re.Pattern[str]:
    return re.compile(r".*".join(re.escape(_plain(part)) + r"\s*" if _plain(part) else "" for part in shown.split(LEFT_OUT)))
