"""A bar on the terminal. A module of its own, because its library is loaded only where somebody looks."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from touchstone.cli.output import Show


@contextmanager
def bar(console: Console, label: str, total: int | None) -> Iterator[Show]:
    """A bar while the block runs."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task(label, total=total)

    def show(done: int, of: int | None = None, /) -> None:
        progress.start()  # at the first step: what has nothing to do shows no bar; starting twice does nothing
        progress.update(task, completed=done, total=total if of is None else of)

    try:
        yield show
    finally:
        progress.stop()
