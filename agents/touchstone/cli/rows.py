"""The rows of a customer file on their way to becoming touchpoints: which are taken, and of the others by which column and why."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from touchstone.cli.judge import Judge
from touchstone.cli.output import SHOWN_FINDINGS, Finding, Show, counted
from touchstone.cli.sending import SHOW_EVERY, Line
from touchstone.customerfile.convert import Converter, RowRefused
from touchstone.customerfile.load import LoadedMapping
from touchstone.customerfile.source import CustomerFile, Row
from touchstone.intake.lines import prepare_line
from touchstone.topology.compile import Topology


class Rows:
    """Makes lines of rows, one after the other, and keeps count. Nothing here holds a value of a customer.

    `refused` counts rows by (column, reason), `left_out` cells of attributes that could not be read and need not be; `findings` are the
    first refusals with their lines.
    """

    def __init__(self, file: CustomerFile, mapping: LoadedMapping, topology: Topology, occurred_at: int | None = None) -> None:
        if file.columns is not None:
            mapping.require(file.columns)
        self._file = file
        self._topology = topology
        self._judge = Judge(topology, file.name)
        self.refused: Counter[tuple[str, str]] = Counter()
        self.left_out: Counter[tuple[str, str]] = Counter()
        self.findings: list[Finding] = []
        self.read = 0
        self._converter = Converter(mapping.written, occurred_at, lambda column, reason: self.left_out.update([(column, reason)]))

    def lines(
        self, limit: int | None = None, show: Show = lambda _done, _total=None, /: None, refused: Callable[[Row], None] = lambda _: None
    ) -> Iterator[Line]:
        """The touchpoints of the first `limit` rows; `refused` is handed each row of which none is made.

        Raises:
            UsageError: the file cannot be read to its end.
        """
        for row in itertools.islice(self._file.rows(), limit):
            self.read += 1
            if self.read % SHOW_EVERY == 0:
                show(*self._file.progress())
            try:
                line = self._line(row)
            except RowRefused as why:
                self.refused[why.column, why.reason] += 1
                if len(self.findings) < SHOWN_FINDINGS:
                    where = f"column {why.column}: " if why.column else ""
                    self.findings.append(Finding(self._file.name, row.number, why.reason, f"{where}{why}"))
                refused(row)
            else:
                yield row.number, line

    def _line(self, row: Row) -> bytes:
        """What the pipeline's own intake would take."""
        line = self._converter.line(row)
        letter = self._judge.look(row.number, line, prepare_line(line, self._topology))
        if letter is not None:
            raise RowRefused("", letter.reason, letter.detail)
        return line

    def __str__(self) -> str:
        return f"{self.refused.total():,} of {counted(self.read, 'row')} {'was' if self.refused.total() == 1 else 'were'} refused"

    def told(self) -> dict[str, Any]:
        """What a program wants to know."""
        return {
            "rows": self.read,
            "refused": self.refused.total(),
            "refused_by": [_counted(*one) for one in self.refused.most_common()],
            "cells_left_out": [_counted(*one) for one in self.left_out.most_common()],
        }


def _counted(what: tuple[str, str], count: int) -> dict[str, Any]:
    return {"column": what[0] or None, "reason": what[1], "rows": count}
