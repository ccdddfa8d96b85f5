"""What a log line looks like, and what it never holds."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from touchstone.observe.logs import HIDDEN, Fewer, configure


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is global: give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_a_line_is_one_json_object_with_level_time_and_fields() -> None:
    """Machines read: event, level, logger, at, and the fields."""
    stream = io.StringIO()
    configure(stream=stream)

    structlog.get_logger("touchstone.runtime").info("restored", partition=3, records=1200)

    line = json.loads(stream.getvalue())
    assert line["event"] == "restored"
    assert line["level"] == "info"
    assert line["logger"] == "touchstone.runtime"
    assert line["partition"] == 3
    assert line["at"].endswith("Z")


def test_lines_of_the_libraries_look_the_same_and_start_at_warning() -> None:
    """What aiokafka says is shown as JSON too, but not its chatter; children of its loggers included."""
    stream = io.StringIO()
    configure("debug", stream=stream)

    logging.getLogger("aiokafka.consumer.fetcher").debug("fetched %s", 7)
    logging.getLogger("faust.transport").info("joined")
    logging.getLogger("recordlinkage").info("comparing - initialize Compare class")  # says so of every record that is compared
    logging.getLogger("aiokafka.conn").warning("lost %s", "node 1")

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "lost node 1"
    assert not logging.getLogger("aiokafka.consumer.fetcher").isEnabledFor(logging.DEBUG)


def test_a_level_hides_what_lies_below_it() -> None:
    """At `warning` no information is shown."""
    stream = io.StringIO()
    configure("warning", stream=stream)

    structlog.get_logger().info("not shown")
    structlog.get_logger().warning("shown")

    assert len(stream.getvalue().splitlines()) == 1


def test_personal_values_are_hidden_in_both_forms() -> None:
    """Fields with personal names and e-mail addresses in any text are replaced; the rest stays."""
    for form in ("json", "console"):
        stream = io.StringIO()
        configure(form=form, stream=stream)

        structlog.get_logger().info("no place for ada@x.org here", identifiers=["default/email:ada@x.org"], topic="moments.v1")
        logging.getLogger("someone").error("cannot read %s", "bob@y.org")

        assert "ada@" not in stream.getvalue()
        assert "bob@" not in stream.getvalue()
        assert stream.getvalue().count(HIDDEN) == 3
        assert "moments.v1" in stream.getvalue()


def test_an_exception_is_shown_without_the_values_of_its_variables() -> None:
    """The traceback names files and lines; what was being processed is not in it, on a terminal either."""
    for stream in (io.StringIO(), Terminal()):
        configure(stream=stream)
        secret = "+49 30 " + "1234567"

        try:
            secret.index("nowhere")
        except ValueError:
            structlog.get_logger().exception("stopped")

        assert "ValueError: substring not found" in stream.getvalue()
        assert "1234567" not in stream.getvalue()


def test_a_terminal_gets_colours_unless_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is respected."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = Terminal()
    configure(stream=coloured)
    structlog.get_logger().info("hello")

    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    configure(stream=plain)
    structlog.get_logger().info("hello")

    assert "\x1b[" in coloured.getvalue()
    assert "\x1b[" not in plain.getvalue()
    assert "hello" in plain.getvalue()


def test_configuring_again_does_not_double_the_lines() -> None:
    """The last configuration counts alone."""
    stream = io.StringIO()
    configure(stream=io.StringIO())
    configure(stream=stream)

    structlog.get_logger().info("once")

    assert len(stream.getvalue().splitlines()) == 1


def test_a_library_that_repeats_itself_is_cut_short_and_counted() -> None:
    """While a broker is away, aiokafka says so fifty times a second; three lines in ten seconds are enough, and the count of the others."""
    now = 0.0
    fewer = Fewer(lambda: now)

    def complain(node: int) -> logging.LogRecord | None:
        record = logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, "Unable connect to node with id %s", (node,), None)
        return record if fewer.filter(record) else None

    passed = [complain(number) for number in range(50)]
    now = 11.0
    later = complain(7)

    assert [record is not None for record in passed] == [True] * 3 + [False] * 47
    assert later is not None
    assert later.getMessage() == "Unable connect to node with id 7 (and 47 more like it)"


def test_our_own_lines_all_pass() -> None:
    """What Touchstone says itself it says once; nothing of it may be missing."""
    fewer = Fewer(lambda: 0.0)
    record = logging.LogRecord("touchstone.runtime.worker", logging.WARNING, "", 0, "same words", (), None)

    assert all(fewer.filter(record) for _ in range(20))
