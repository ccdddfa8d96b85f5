"""The time of the journeys follows the sources, waits for the slowest, and never goes back."""

from typing import Literal

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from touchstone.runtime.batch import End
from touchstone.runtime.broker_time import BrokerTime
from touchstone.runtime.sources import Barrier, JourneyClock, OwnSources, Statement, decode_statement, encode_statement
from touchstone.runtime.transport import Answers

WEB, APP = TopicPartition("web", 0), TopicPartition("app", 0)


def says(*sources: tuple[TopicPartition, int | None, bool]) -> Statement:
    """A statement about sources."""
    return Statement([(tp.topic, tp.partition, time, at_end) for tp, time, at_end in sources], [])


def brokers_since(appended_ms: int, monotonic_s: float = 0.0) -> BrokerTime:
    """Brokers that said it was then at that moment of the monotonic clock."""
    broker_time = BrokerTime()
    broker_time.heard(appended_ms, monotonic_s)
    return broker_time


@pytest.mark.parametrize("mode", ["wall", "event"])
def test_there_is_no_time_before_every_source_has_reported(mode: Literal["wall", "event"]) -> None:
    """One silent source is enough: it might hold something older."""
    clock = JourneyClock(mode, [WEB, APP])

    clock.read(says((WEB, 100, True)))

    assert clock.compute() is None


def test_a_source_that_lags_holds_the_wall_clock_back() -> None:
    """The time is that of the slowest source."""
    clock = JourneyClock("wall", [WEB, APP])

    clock.read(says((WEB, 1_000, True), (APP, 400, False)))

    assert clock.compute() == 400


def test_a_source_of_which_nothing_was_read_yet_stops_the_clock() -> None:
    """A backlog of unknown age could hold anything."""
    clock = JourneyClock("wall", [WEB, APP])

    clock.read(says((WEB, 1_000, True), (APP, None, False)))

    assert clock.compute() is None


def test_event_time_ends_at_the_latest_time_seen_anywhere() -> None:
    """When all history is read, everything that can have happened by its last event has happened."""
    clock = JourneyClock("event", [WEB, APP])

    clock.read(says((WEB, 1_000, True), (APP, None, True)))

    assert clock.compute() == 1_000


def test_event_time_waits_for_a_source_that_is_not_at_its_end() -> None:
    """The end of one channel's history says nothing about another's."""
    clock = JourneyClock("event", [WEB, APP])

    clock.read(says((WEB, 1_000, True), (APP, 300, False)))

    assert clock.compute() == 300


STATEMENTS = st.lists(
    st.tuples(st.sampled_from([WEB, APP]), st.one_of(st.none(), st.integers(0, 50)), st.booleans()), min_size=1, max_size=30
)


@given(STATEMENTS, st.sampled_from(["wall", "event"]))
def test_time_never_goes_back(statements: list[tuple[TopicPartition, int | None, bool]], mode: Literal["wall", "event"]) -> None:
    """Law: whatever the owners say in whatever order, the time does not fall."""
    clock = JourneyClock(mode, [WEB, APP])
    before: int | None = None

    for statement in statements:
        clock.read(says(statement))
        now = clock.compute()
        assert before is None or (now is not None and now >= before)
        before = now


def test_what_was_reached_before_a_restart_is_remembered() -> None:
    """A clock that only read the topic knows at least the time that some partition has been advanced to."""
    clock = JourneyClock("event", [WEB])

    clock.read(Statement([], [(3, 700)]))

    assert clock.compute() == 700
    assert clock.reached == {3: 700}


def test_a_source_at_its_end_counts_as_a_second_before_the_last_fetch() -> None:
    """What was appended earlier would have been in that fetch; the fetch, not the present, is what is known."""
    own = OwnSources("wall", brokers_since(0))
    own.assign([WEB], lambda _: None)
    own.advance(WEB, 5_000)

    assert own.state({WEB: 10}, {WEB: End(10, 9.0)}) == [("web", 0, 8_000, True)]
    assert own.state({WEB: 9}, {WEB: End(10, 9.5)}) == [("web", 0, 8_000, False)]


def test_nothing_is_said_of_a_source_whose_end_is_unknown() -> None:
    """Before the first fetch the owner cannot tell an empty source from a backlog."""
    own = OwnSources("wall", brokers_since(0))
    own.assign([WEB], lambda _: None)

    assert own.state({WEB: 0}, {}) == []


def test_the_time_of_a_source_at_its_end_is_the_brokers_and_unknown_before_they_were_heard() -> None:
    """The brokers said 70 s, five seconds before the last fetch; a source whose time nobody knows yet says so."""
    told, untold = OwnSources("wall", brokers_since(70_000, 4.0)), OwnSources("wall", BrokerTime())
    told.assign([WEB], lambda _: None)
    untold.assign([WEB], lambda _: None)

    assert told.state({WEB: 10}, {WEB: End(10, 9.0)}) == [("web", 0, 74_000, True)]
    assert untold.state({WEB: 10}, {WEB: End(10, 9.0)}) == [("web", 0, None, True)]


def test_a_new_time_waits_for_messages_that_were_on_their_way() -> None:
    """A time that became known at 10.0 is acted on when what a fetch found is read that was sent later; the first answer to come was not."""
    barrier = Barrier()
    inner = TopicPartition("app.journey", 0)

    stale = barrier.pass_through(50, 10.0, [inner], {inner: 7}, {inner: End(7, 9.9)}, None)
    under_way = barrier.pass_through(50, 10.2, [inner], {inner: 7}, {inner: End(7, 10.1)}, None)
    behind = barrier.pass_through(50, 10.3, [inner], {inner: 7}, {inner: End(9, 10.2)}, None)
    passed = barrier.pass_through(60, 10.4, [inner], {inner: 9}, {inner: End(20, 10.3)}, None)

    assert (stale, under_way, behind, passed) == (None, None, None, 50)


def test_a_busy_internal_topic_does_not_stop_the_time() -> None:
    """The end that must be passed is fixed when the time becomes known; what comes later does not matter."""
    barrier = Barrier()
    inner = TopicPartition("app.journey", 0)
    now: int | None = None

    for step in range(1, 20):
        ends = {inner: End(step + 1, step - 0.5)}
        now = barrier.pass_through(step * 10, float(step), [inner], {inner: step}, ends, now)

    assert now is not None
    assert now >= 130


def test_an_answer_is_known_since_the_last_look_without_it() -> None:
    """Whatever the wall clock does meanwhile: its stamps only tell two answers apart."""
    answers = Answers()

    known = [
        answers.told(WEB, stamp, now) for stamp, now in ((5_000, 1.0), (5_000, 2.0), (90_000_000, 3.0), (90_000_000, 4.0), (7_000, 5.0))
    ]

    assert known == [0.0, 0.0, 2.0, 2.0, 4.0]


def test_a_statement_survives_its_encoding() -> None:
    """Encoding is a round trip."""
    statement = Statement([("web", 0, None, True), ("app", 1, 5, False)], [(0, 17)])

    assert decode_statement(encode_statement(statement)) == statement
