"""What `produce` reads and says before anything is sent."""

from collections import Counter

import pytest

from touchstone.cli.output import Output
from touchstone.cli.produce import Sent, _tell, shift_to
from touchstone.errors import UsageError


@pytest.mark.parametrize(
    ("lines", "latest"),
    [
        ([b'{"occurred_at": 5}', b'{"occurred_at": 9}', b"garbage", b"[]"], 9),
        ([b'{"occurred_at": 5, "received_at": 7}', b'{"occurred_at": 6}'], 7),
        ([b'{"occurred_at": 1925000000000, "sent_at": 1925000000000, "received_at": 30}', b'{"occurred_at": 4}'], 30),
        ([b'{"occurred_at": 5, "attributes": {"received_at": "1970-01-01T00:00:01Z"}}'], 1000),
        ([b'{"occurred_at": "1970-01-01T00:00:02Z", "properties": {}}'], 2000),
    ],
    ids=["occurred", "received counts first", "a clock in the future does not count", "received among attributes", "text"],
)
def test_the_latest_time_is_moved_to_now(lines: list[bytes], latest: int) -> None:
    """All lines move by one amount: from the latest receipt, or occurrence where none is stated, to now."""
    assert shift_to(lines, 1_000_000) == 1_000_000 - latest


def test_nothing_to_shift_is_said() -> None:
    """Lines without any time cannot be moved."""
    with pytest.raises(UsageError, match="found no time in any line"):
        shift_to([b"{}", b"garbage"], 0)


def test_the_summary_counts_by_topic_and_names_what_becomes_a_dead_letter(capsys: pytest.CaptureFixture[str]) -> None:
    """How many, where to, how fast, and what was no touchpoint."""
    _tell(Sent(Counter({"touchpoints.web.v1": 1500, "touchpoints.app.v1": 500}), 2, 4.0), 86_400_000, Output())

    said = capsys.readouterr().out
    assert "2,000 sent and acknowledged in 4.0 s (500 a second)" in said
    assert "moved by 1 day" in said
    assert "2 lines are no JSON object" in said
    assert said.index("touchpoints.app.v1") < said.index("touchpoints.web.v1")
