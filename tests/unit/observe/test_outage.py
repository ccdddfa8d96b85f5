"""What is said of a Kafka that is away: once, once a minute, and once when it is back; nothing of the library's own words."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from touchstone.observe.logs import configure
from touchstone.observe.outage import SILENT_S, SPEAKER, Outage, announce, name_kafka

ELEVEN = 1_700_000_000.0
REFUSED = "Unable connect to node with id %s: %s"
NOBODY = "Unable to update metadata from %s"
ANSWERED = "Updated cluster metadata to %s"
RETRIED = "Got error produce response on topic-partition %s, retrying. Error: %s"


class Listener:
    """A log behind the filter, with a clock that is set by hand."""

    def __init__(self, level: int = logging.INFO) -> None:
        self.now = 100.0
        self.passed: list[logging.LogRecord] = []
        self._outage = Outage("kafka:9092", level, lambda: self.now, lambda: ELEVEN + self.now)

    def hear(
        self, words: str, *arguments: object, name: str = "aiokafka", level: int = logging.ERROR, silent_s: float | None = None
    ) -> str | None:
        """A library says this; what is left of it."""
        record = logging.LogRecord(name, level, "", 0, words, arguments, None)
        if silent_s is not None:
            setattr(record, SILENT_S, silent_s)
        if not self._outage.filter(record):
            return None
        self.passed.append(record)
        return record.getMessage()

    def complain_for(self, seconds: int) -> list[str]:
        """Eight times a second a connection is refused and nobody answers; what is said meanwhile."""
        said = []
        for _ in range(seconds * 8):
            said += [self.hear(REFUSED, 1, "refused"), self.hear(NOBODY, [1])]
            self.now += 0.125
        return [sentence for sentence in said if sentence is not None]

    def is_back(self) -> str | None:
        """A broker has answered."""
        return self.hear(ANSWERED, "brokers", name="aiokafka.cluster", level=logging.DEBUG)


@pytest.fixture
def log() -> Listener:
    """A log at its usual level."""
    return Listener()


def test_an_outage_is_one_sentence_with_the_address_and_since_when(log: Listener) -> None:
    """Hundreds of complaints in thirty seconds; the sentence carries the last of them, as a warning of ours."""
    said = log.complain_for(30)

    assert len(said) == 1
    assert said[0].startswith("Kafka at kafka:9092 is away since 2023-11-14T22:15:00Z: no broker answers")
    assert "Unable to update metadata from [1]" in said[0]
    assert (log.passed[0].name, log.passed[0].levelname) == (SPEAKER, "WARNING")


def test_once_a_minute_one_is_reminded_with_the_count_of_what_was_left_out(log: Listener) -> None:
    """Three minutes: the sentence and two reminders."""
    _, *reminders = log.complain_for(180)

    assert len(reminders) == 2
    assert reminders[0].startswith("Kafka at kafka:9092 is still away, for 61 s now")
    assert reminders[1].endswith("(959 lines like it were left out)")


def test_when_it_is_back_is_said_once_with_how_long_it_took(log: Listener) -> None:
    """The first client that finds a broker tells; the others have nothing to add."""
    log.complain_for(30)

    back, again = log.is_back(), log.is_back()

    assert back is not None
    assert back.startswith("Kafka at kafka:9092 is back after 30 s")
    assert again is None


def test_a_second_outage_is_said_anew(log: Listener) -> None:
    """With the time at which it began."""
    log.complain_for(30)
    log.is_back()

    (said,) = log.complain_for(5)

    assert "away since 2023-11-14T22:15:30Z" in said


def test_a_connection_that_is_closed_and_opened_again_is_not_worth_a_sentence(log: Listener) -> None:
    """Brokers close idle connections; in a second it is forgotten."""
    said = [log.hear("Failed fetch messages from %s: %s", 1, "closed"), log.hear(NOBODY, [1]), log.is_back()]
    log.now += 3_600

    assert said == [None, None, None]
    assert log.hear(NOBODY, [1]) is None


def test_one_broker_of_several_that_stays_away_is_said_after_half_a_minute(log: Listener) -> None:
    """Others answer: that is no outage, but somebody should know."""
    said = []
    for _ in range(40):
        said += [log.hear(REFUSED, 2, "refused"), log.is_back()]
        log.now += 1

    (sentence,) = [words for words in said if words is not None]
    assert sentence.startswith("a broker of Kafka at kafka:9092 has not been reached for 30 s; others answer")
    assert "node with id 2" in sentence


def test_a_refusal_at_the_begin_of_a_transaction_is_not_said_unless_it_lasts(log: Listener) -> None:
    """Brokers refuse the first records of a new producer until they have looked at its transaction; sent again they are taken."""
    at_each_start = []
    for _ in range(20):
        at_each_start.append(log.hear(RETRIED, "moments.v1-0", "NotEnoughReplicas", level=logging.WARNING))
        log.now += 6
    for_long = []
    for _ in range(120):
        for_long.append(log.hear(RETRIED, "moments.v1-0", "NotEnoughReplicas", level=logging.WARNING))
        log.now += 0.1

    assert at_each_start == [None] * 20
    (sentence,) = [words for words in for_long if words is not None]
    assert sentence.startswith("Kafka at kafka:9092 has refused records for 10 s; they are sent again")
    assert "NotEnoughReplicas" in sentence


def test_a_broker_that_is_silent_is_away_as_soon_as_the_worker_says_so(log: Listener) -> None:
    """The connection stands, so that the library notices nothing for a minute; whoever notices first is heard, the other adds nothing."""
    said = log.hear("no broker has answered for %.0f s", 15.0, name="touchstone.runtime.worker", silent_s=15.0)
    more = log.complain_for(10)
    back = log.hear("a broker answers again", name="touchstone.runtime.worker", silent_s=0.0)

    assert said is not None
    assert "away since 2023-11-14T22:14:45Z" in said
    assert more == []
    assert back is not None
    assert "is back after 25 s" in back


def test_at_debug_everything_is_shown_in_the_librarys_own_words() -> None:
    """Whoever looks for the reason sees each complaint, besides the sentences."""
    log = Listener(logging.DEBUG)

    said = log.complain_for(2)

    assert len(said) == 32
    assert sum("is away since" in words for words in said) == 1
    assert {record.levelname for record in log.passed if record.name == "aiokafka"} == {"DEBUG"}


def test_at_error_no_sentence_is_shown() -> None:
    """They are warnings: it goes on by itself."""
    assert Listener(logging.ERROR).complain_for(10) == []


def test_what_has_nothing_to_do_with_connections_passes_as_it_is(log: Listener) -> None:
    """The library's other warnings, and all of ours."""
    theirs = log.hear("Topic %s is not authorized for this client", "moments.v1", name="aiokafka.cluster")
    ours = log.hear("Unable to update metadata from %s", "somewhere else", name="touchstone.readside")

    assert theirs == "Topic moments.v1 is not authorized for this client"
    assert ours == "Unable to update metadata from somewhere else"


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging is global: give it back as it was."""
    root, theirs = logging.getLogger(), logging.getLogger("aiokafka")
    handlers, level, before = root.handlers[:], root.level, theirs.handlers[:]
    yield
    root.handlers[:], theirs.handlers[:] = handlers, before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_a_configured_log_has_the_address_and_hears_that_a_broker_is_back() -> None:
    """`configure` puts the filter first and lets the few lines through to it that say so."""
    stream = io.StringIO()
    configure(stream=stream, kafka="kafka:9092")
    silent = {SILENT_S: 15.0}

    logging.getLogger("touchstone.runtime.worker").warning("no broker has answered", extra=silent)
    logging.getLogger("aiokafka.consumer.group_coordinator").error("Group Coordinator Request failed: %s", "no")
    logging.getLogger("aiokafka.consumer.group_coordinator").info("Discovered coordinator %s for group %s", 1, "touchstone")

    away, back = (json.loads(line)["event"] for line in stream.getvalue().splitlines())
    assert away.startswith("Kafka at kafka:9092 is away since")
    assert back.startswith("Kafka at kafka:9092 is back after 15 s")


@pytest.mark.usefixtures("restored")
def test_a_command_says_the_sentences_only() -> None:
    """What else a library logs comes to a command as an error, and is said as such."""
    said: list[str] = []
    announce(said.append)
    name_kafka("kafka:9092")

    logging.getLogger("aiokafka").error("something else")
    for _ in range(3):
        logging.getLogger("aiokafka").warning(NOBODY, [1], extra={SILENT_S: 15.0})
    logging.getLogger("aiokafka.cluster").debug(ANSWERED, "brokers")

    away, back = said
    assert away.startswith("Kafka at kafka:9092 is away since")
    assert back.startswith("Kafka at kafka:9092 is back after")
