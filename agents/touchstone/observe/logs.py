"""Log lines: JSON for machines, colours for a terminal, nothing personal in either.

Faust, mode and aiokafka log through the standard library; their lines take the same way and look the same, from WARNING on.
"""

import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
"""What `configure` takes as level."""

HIDDEN = "[hidden]"
"""What a personal value is replaced with."""

# Below WARNING these speak of every fetch and every heartbeat; aiokafka's DEBUG lines alone cost 10 % of a worker's CPU.
# At every start it calls a coordinator that is still being elected an error; what matters of it ends the worker with an error of our own.
_NOISY = "aiokafka.consumer.group_coordinator"
_QUIET = ("faust", "mode", "aiokafka", "kafka", "aiohttp", "asyncio", "urllib3", "jgo")

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


def configure(level: str = "info", form: Literal["auto", "json", "console"] = "auto", stream: TextIO | None = None) -> None:
    """Send every log line of this process to one stream in one form; may be called again.

    Args:
        level: the least important level to show, one of `LEVELS`.
        form: `auto` takes `console` on a terminal and `json` elsewhere.
        stream: where to; standard error when None.
    """
    target = stream or sys.stderr
    console = form == "console" or (form == "auto" and target.isatty())
    shared = _shared()
    handler = logging.StreamHandler(target)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(console, target)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)
    logging.getLogger(_NOISY).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


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
