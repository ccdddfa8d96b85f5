"""How the demo shows what goes on: one picture that changes where somebody looks, a line now and then where not."""

import time
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from touchstone.cli.lines import line
from touchstone.cli.output import Output
from touchstone.devkit.audience import Tally

_EVERY_S = 2.0
_BAR_WIDTH = 48


class Scene(NamedTuple):
    """What is to be seen now, all of one look, so that what is sent and not read is on its way.

    `sent` counts what Kafka holds, `read` what the workers have committed; `rate` is touchpoints read a second just now; `note` says what
    is special.
    """

    total: int
    sent: int
    read: int
    rate: float
    note: str = ""


class Stage:
    """Where the demo speaks and shows. With --output json it keeps still."""

    def __init__(self, output: Output, tally: Tally) -> None:
        self._output = output
        self._tally = tally
        self._live: Live | None = None
        self._shown_at = 0.0
        self._shown = ""

    def __enter__(self) -> Self:
        """From here on there is a picture."""
        if self._output.stdout.is_terminal and not self._output.is_json:
            self._live = Live(console=self._output.stdout, transient=True, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The picture goes; what was said stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, text: RenderableType = "") -> None:
        """A line that stays."""
        self._output.text(text)

    def show(self, scene: Scene) -> None:
        """The picture of now; a line where there is no terminal, if the last one is some time ago."""
        if self._live is not None:
            self._live.update(self._picture(scene))
        elif time.monotonic() - self._shown_at >= _EVERY_S and (words := self._words(scene)) != self._shown:
            self._shown_at, self._shown = time.monotonic(), words
            self._output.text(words)

    def _words(self, scene: Scene) -> str:
        parts = [
            f"{scene.sent:,} of {scene.total:,} touchpoints sent, {scene.read:,} read and committed ({scene.rate:,.0f}/s now)",
            f"heard so far: {', '.join(f'{count:,} {what}' for what, count in self._counts())}",
            scene.note,
        ]
        return "; ".join(filter(None, parts))

    def _picture(self, scene: Scene) -> RenderableType:
        bars = Table.grid(padding=(0, 2))
        for what, done in (("sent", scene.sent), ("committed", scene.read)):
            bars.add_row(what, ProgressBar(scene.total, done, width=_BAR_WIDTH), f"{done:,} of {scene.total:,}")
        figures = Table.grid(padding=(0, 3))
        counts = [*self._counts(), ("touchpoints/s now", round(scene.rate))]
        figures.add_row(*(Text(f"{count:,}", style="bold", justify="right") for _, count in counts))
        figures.add_row(*(Text(what, style="dim", justify="right") for what, _ in counts))
        latest = [Text.assemble("  ", line(moment), overflow="ellipsis", no_wrap=True) for moment in self._tally.latest]
        note = [Text(scene.note, style="bold yellow")] if scene.note else []
        return Group(Text(), bars, Text(), figures, Text(), *latest, *note)

    def _counts(self) -> list[tuple[str, int]]:
        tally = self._tally
        return [
            ("people", tally.people),
            ("merges", tally.changes["merged"]),
            ("moments", len(tally.standing)),
            ("taken back", tally.taken_back),
            ("dead letters", len(tally.view.deadletters)),
        ]
