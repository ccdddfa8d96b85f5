"""What is said of a Kafka that is away: aiokafka complains of every attempt, fifty times a second, where one sentence is enough."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

SPEAKER = "touchstone.kafka"
"""The logger under whose name the sentences stand."""

SILENT_S = "kafka_silent_s"
"""A field of a record of our own that says for how long no broker has answered; 0 when one answers again."""

_NOBODY = ("Unable to update metadata from", 'Unable connect to "')
"""What aiokafka says when none of the brokers that it knows has answered."""
_NODE = ("Unable connect to node with id",)
_CHATTER = (
    *_NODE,
    "Unable to request metadata from",
    "Failed fetch messages from",
    "Failed fetch offsets from",
    "Cannot send ",
    "Could not send ",
    "Got error produce response: %s",
    "FindCoordinator Request failed",
    "No broker metadata found",
)
_REFUSED = ("Got error produce response on topic-partition",)
"""A broker answers a new producer's first records with NotEnoughReplicas or an unknown error until it has checked its transaction (KIP-890);
aiokafka sends them again at once. Of a partition that really lacks replicas the same is said for as long as that lasts."""
_ANSWERED = ("Updated cluster metadata to", "Discovered coordinator")
"""Said once each time a broker is found again, below WARNING."""

_COORDINATOR = "aiokafka.consumer.group_coordinator"
"""At every start it calls a coordinator that is still being elected an error; what matters of it ends the worker with an error of our own."""
_HINTS = {"aiokafka.cluster": logging.DEBUG, _COORDINATOR: logging.INFO, "aiokafka.producer.sender": logging.INFO}

_REMIND_S = 60.0


def listen() -> None:
    """Let aiokafka say that a broker has been found again: a few lines an hour. Whoever listens drops what else comes at these levels."""
    for name, level in _HINTS.items():
        logging.getLogger(name).setLevel(level)


def announce(say: Callable[[str], None]) -> None:
    """For commands, which have no log: only the sentences are said; what else aiokafka logs comes as an error too."""
    handler = _Announcer(say)
    handler.addFilter(Outage())
    handler.addFilter(lambda record: record.name == SPEAKER)
    logging.getLogger("aiokafka").handlers[:] = [handler]
    listen()


def name_kafka(address: str) -> None:
    """The address is known now, for the sentences that are announced."""
    for handler in logging.getLogger("aiokafka").handlers:
        for heard in handler.filters:
            if isinstance(heard, Outage):
                heard.kafka = address


class _Announcer(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        self._say(record.getMessage())


@dataclass(slots=True)
class _Complaints:
    """Of one kind. They are worth a sentence when they have gone on for `patience_s`; after `gap_s` without any they begin anew."""

    patience_s: float
    gap_s: float
    began: float = 0.0
    last: float | None = None
    said: float | None = None
    held: int = 0

    def hold(self, now: float, *, since: float | None = None) -> None:
        """One more, which is left out."""
        if self.last is None or (self.said is None and now - self.last > self.gap_s):
            self.began, self.held = now, 0
        self.began = self.began if since is None else min(self.began, since)
        self.last = now
        self.held += 1

    def is_due(self, now: float) -> bool:
        """Whether it is time for a sentence: the first one, or a reminder."""
        if self.said is None:
            return now - self.began >= self.patience_s
        return now - self.said >= _REMIND_S

    def tell(self, now: float) -> int:
        """The sentence is said now; returns how many lines were left out since the one before, besides the one whose place it takes."""
        held, self.said, self.held = self.held - 1, now, 0
        return max(0, held)

    def forget(self) -> None:
        """It is over."""
        self.last, self.said, self.held = None, None, 0


class Outage(logging.Filter):
    """Puts a sentence in the place of a library's complaints about connections: when Kafka is away, once a minute while it is, when it is back.

    Everything else of them becomes DEBUG. What lasts less than a second, such as a broker that closes an idle connection, is not worth a
    sentence. The library's other lines, and all of ours, pass as they are.

    Args:
        kafka: the address, as the user gave it.
        level: the least important level to let through.
        now: a clock that never goes back, in seconds.
        wall: the time of day, in seconds since 1970.
    """

    def __init__(
        self,
        kafka: str = "",
        level: int = logging.INFO,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.kafka = kafka
        self._level = level
        self._now = now
        self._wall = wall
        self._lock = threading.Lock()  # the group's consumer has a thread of its own
        self._away = _Complaints(patience_s=1.0, gap_s=60.0)
        self._node = _Complaints(patience_s=30.0, gap_s=10.0)
        self._refused = _Complaints(patience_s=10.0, gap_s=5.0)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line passes, perhaps with other words."""
        is_theirs = record.name.startswith("aiokafka")
        if is_theirs or hasattr(record, SILENT_S):
            with self._lock:
                sentence = self._hear(record, str(record.msg))
            if sentence is not None:
                record.name, record.msg, record.args, record.exc_info, record.exc_text = SPEAKER, sentence, (), None, None
                _set_level(record, logging.WARNING)
            elif not is_theirs or record.name == _COORDINATOR or str(record.msg).startswith((*_NOBODY, *_CHATTER, *_REFUSED)):
                _set_level(record, logging.DEBUG)
            elif record.levelno < logging.WARNING:
                return False
        return record.levelno >= self._level

    def _hear(self, record: logging.LogRecord, words: str) -> str | None:
        """What is to be said in the place of this line; None for nothing."""
        now = self._now()
        silent_s: float | None = getattr(record, SILENT_S, None)
        if words.startswith(_ANSWERED) or silent_s == 0:
            return self._back(now)
        if words.startswith(_REFUSED):
            self._refused.hold(now)
            if not self._refused.is_due(now):
                return None
            return f"{self._name} has refused records for {now - self._refused.began:.0f} s; they are sent again. {_last(record, self._refused.tell(now))}"
        is_nobody = silent_s is not None or words.startswith(_NOBODY)
        if not is_nobody and not words.startswith(_CHATTER):
            return None
        self._away.hold(now, since=None if silent_s is None else now - silent_s)
        if is_nobody and self._away.is_due(now):
            return self._gone(record, now)
        if words.startswith(_NODE) and self._away.said is None:
            self._node.hold(now)
            if self._node.is_due(now):
                told = _last(record, self._node.tell(now))
                return f"a broker of {self._name} has not been reached for {now - self._node.began:.0f} s; others answer. {told}"
        return None

    def _gone(self, record: logging.LogRecord, now: float) -> str:
        seconds, is_first = now - self._away.began, self._away.said is None
        last = _last(record, self._away.tell(now))
        self._node.forget()
        if is_first:
            since = datetime.fromtimestamp(self._wall() - seconds, UTC)
            return f"{self._name} is away since {since:%Y-%m-%dT%H:%M:%SZ}: no broker answers; it is tried again until one does. {last}"
        return f"{self._name} is still away, for {seconds:.0f} s now. {last}"

    def _back(self, now: float) -> str | None:
        seconds, held, was_said = now - self._away.began, self._away.held, self._away.said is not None
        self._away.forget()
        return f"{self._name} is back after {seconds:.0f} s; {_lines(held)} left out" if was_said else None

    @property
    def _name(self) -> str:
        return f"Kafka at {self.kafka}" if self.kafka else "Kafka"


def _last(record: logging.LogRecord, held: int) -> str:
    """What the library said last, and how much it said besides."""
    text = record.getMessage()
    return f"The last of it: {text}" + (f" ({_lines(held)} left out)" if held else "")


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'} like it {'was' if count == 1 else 'were'}"


def _set_level(record: logging.LogRecord, level: int) -> None:
    record.levelno, record.levelname = level, logging.getLevelName(level)
