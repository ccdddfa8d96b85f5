"""Log lines: JSON for machines, colours for a terminal, nothing personal in either.

Faust, mode and aiokafka log through the standard library; their lines take the same way and look the same, from WARNING on.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from touchstone.observe.outage import Outage, listen

LEVELS = ("debug", "info", "warning", "error")
"""What `configure` takes as level."""

HIDDEN = "[hidden]"
"""What a personal value is replaced with."""

# Below WARNING these speak of every fetch and every heartbeat; aiokafka's DEBUG lines alone cost 10 % of a worker's CPU.
_QUIET = ("faust", "mode", "aiokafka", "kafka", "aiohttp", "asyncio", "urllib3", "jgo", "recordlinkage")

_WINDOW_S = 10.0
_PASS = 3
"""So many lines of a library with the same words in so many seconds."""

_PERSONAL = frozenset(
    {"identifier", "identifiers", "value", "profile", "properties", "context", "consents", "attributes", "key", "email", "phone", "name"}
)
_ADDRESS = re.compile(r"[^\s@\"'<>=:,]+@[^\s@\"'<>,]+\.[A-Za-z]{2,}")


def hide_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace what may be personal: values under personal names, and anything that looks like an e-mail address.

    This is the second line of defence: our own code does not log such values. Texts of foreign exceptions may carry them.
    """
    for name, value in event.items():
        if name in _PERSONAL:
            event[name] = HIDDEN
        elif isinstance(value, str) and "@" in value:
            event[name] = _ADDRESS.sub(HIDDEN, value)
    return event


def configure(
    level: str = "info", form: Literal["auto", "json", "console"] = "auto", stream: TextIO | None = None, *, kafka: str = ""
) -> None:
    """Send every log line of this process to one stream in one form; may be called again.

    Args:
        level: the least important level to show, one of `LEVELS`.
        form: `auto` takes `console` on a terminal and `json` elsewhere.
        stream: where to; standard error when None.
        kafka: the address of Kafka, for the sentence that says that it is away (observe/outage.py).
    """
    target = stream or sys.stderr
    console = form == "console" or (form == "auto" and target.isatty())
    shared = _shared()
    handler = logging.StreamHandler(target)
    handler.addFilter(Outage(kafka, logging.getLevelNamesMapping()[level.upper()]))
    handler.addFilter(Fewer())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(console, target)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)
    listen()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class Fewer(logging.Filter):
    """Lets a library say the same thing a few times, then once in a while with how often it was said meanwhile.

    A library that tries again fifty times a second says so each time (seen by tests/fault/): the log would fill the disk, and hide what
    matters. What aiokafka says of a Kafka that is away never comes here (observe/outage.py). Our own lines all pass.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._seen: dict[tuple[str, str], tuple[float, int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line passes."""
        if not record.name.startswith(_QUIET):
            return True
        now, key = self._now(), (record.name, str(record.msg))
        since, passed, held = self._seen.get(key, (now, 0, 0))
        if now - since >= _WINDOW_S:
            if held:
                record.msg = f"{record.msg} (and {held} more like it)"
            since, passed, held = now, 0, 0
        if passed == _PASS:
            self._seen[key] = since, passed, held + 1
            return False
        self._seen[key] = since, passed + 1, held
        return True


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        # Text only: a traceback with local variables would show the touchpoint that was being processed.
        structlog.processors.format_exc_info,
        hide_personal,
    ]


def _rendering(console: bool, target: TextIO) -> Sequence[Processor]:
    if not console:
        return [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    colours = target.isatty() and not os.environ.get("NO_COLOR")
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.dev.ConsoleRenderer(colors=colours, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback),
    ]
