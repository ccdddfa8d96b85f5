"""What will become of a line, asked of the pipeline's own intake: refused, short of an identifier whose kind is misspelt, or well."""

from collections import Counter

from touchstone.cli.output import SHOWN_FINDINGS, Finding, counted
from touchstone.clock import SystemClock
from touchstone.contracts import reasons
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.lines import Prepared, kinds_of
from touchstone.intake.misspelt import found, meant, shown
from touchstone.intake.touchpoint import Accepted
from touchstone.model.message import IdentityMessage
from touchstone.model.output import DeadLetter
from touchstone.observe.metrics import Counts
from touchstone.runtime.program import Record
from touchstone.topology.compile import Topology


class Judge:
    """Looks at one line after the other and keeps what it finds.

    `refused` counts lines that become dead letters, `misspelt` those that lose an identifier because its kind is all but a known one.
    A kind that resembles none is no finding, it may be meant for others; `left_out` counts those by the word.
    """

    def __init__(self, topology: Topology, file: str) -> None:
        self._intake = Intake(topology, Ordering(topology.kinds), Counts())
        self._kinds = (*topology.kinds, *topology.kind_aliases)
        self._messages: list[IdentityMessage] = []
        self._now = SystemClock().now_ms()
        self._file = file
        self.findings: list[Finding] = []
        self.refused = self.misspelt = self.looked_at = 0
        self.left_out: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Lines with a finding."""
        return self.refused + self.misspelt

    def __str__(self) -> str:
        parts = (("dead letters", self.refused), ("misspelt kinds of identifiers", self.misspelt))
        what = ", ".join(f"{name}: {count:,}" for name, count in parts if count)
        return f"{self.total:,} of {counted(self.looked_at, 'line')} should be mended ({what})"

    def look(self, number: int, line: bytes, prepared: Prepared) -> DeadLetter | None:
        """Look at one line of the file, as it is or would be sent; the dead letter that would become of it, if one would."""
        self.looked_at += 1
        taken = self._intake.take_any(
            Record(prepared.topic, 0, number, self._now, prepared.key, prepared.value, prepared.headers), self._messages
        )
        self._messages.clear()
        if isinstance(taken, DeadLetter):
            self.refused += 1
            self._note(number, taken.reason, taken.detail)
            return taken
        if isinstance(taken, Accepted) and any(reason == reasons.UNKNOWN_KIND for _, reason, _ in taken.ignored):
            self._look_at_kinds(number, line)
        return None

    def _look_at_kinds(self, number: int, line: bytes) -> None:
        unknown = [kind for kind in kinds_of(line) if kind not in self._kinds]
        near = [kind for kind in unknown if meant(kind, self._kinds)]
        if near:
            self.misspelt += 1
            self._note(number, reasons.UNKNOWN_KIND, f"identifiers: expected a kind of the topology, {found(near[0], self._kinds)}")
        self.left_out.update(shown(kind) or "another word" for kind in unknown if kind not in near)

    def _note(self, number: int, reason: str, detail: str) -> None:
        if len(self.findings) < SHOWN_FINDINGS:
            self.findings.append(Finding(self._file, number, reason, detail))
