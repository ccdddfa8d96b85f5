"""The data sets are there, with their licences, and can be read."""

import gzip
import io
import sys
from pathlib import Path

import msgspec
import pytest

from touchstone.devkit.datasets import DATASETS, dataset_path, read_lines
from touchstone.errors import UsageError

COUNTS = {"adobe-luma": 23055, "snowplow-ecommerce": 833, "snowplow-web": 160, "snowplow-mobile": 130, "cfpb-complaints": 60}


@pytest.mark.parametrize("name", DATASETS)
def test_each_data_set_has_its_touchpoints_its_source_and_its_licence(name: str) -> None:
    """All touchpoints of the publisher, each a JSON object with an event id."""
    lines = list(read_lines(name))

    assert len(lines) == COUNTS[name]
    assert all("event_id" in msgspec.json.decode(line) for line in lines)
    folder = dataset_path(name).parent
    assert (folder / "LICENSE").stat().st_size > 1000
    assert "Licence:" in (folder / "SOURCE.md").read_text("utf-8")


def test_a_file_may_be_plain_or_gzip_whatever_its_name(tmp_path: Path) -> None:
    """Empty lines and line ends are left out; the last line needs none."""
    content = b'{"a": 1}\r\n\n{"b": 2}'
    (tmp_path / "plain.gz").write_bytes(content)
    (tmp_path / "packed").write_bytes(gzip.compress(content))

    assert list(read_lines(tmp_path / "plain.gz")) == list(read_lines(str(tmp_path / "packed"))) == [b'{"a": 1}', b'{"b": 2}']


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_standard_input_may_be_plain_or_gzip_and_empty_lines_are_left_out(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lines come out, without their ends."""
    content = b'{"a": 1}\r\n\n  \n{"b": 2}'
    given = gzip.compress(content) if packed else content
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(given))))

    assert list(read_lines("-")) == [b'{"a": 1}', b'{"b": 2}']


def test_neither_a_data_set_nor_a_file_is_the_users_mistake(tmp_path: Path) -> None:
    """The message lists the data sets."""
    with pytest.raises(UsageError, match=r"neither a file nor one of the data sets adobe-luma, "):
        list(read_lines("adobe-lune"))
    with pytest.raises(UsageError, match="neither a file"):
        list(read_lines(tmp_path))
    with pytest.raises(UsageError, match="there is no data set 'adobe-lune'"):
        dataset_path("adobe-lune")


def test_a_truncated_file_is_said_to_be_unreadable(tmp_path: Path) -> None:
    """What could be read is delivered first, then the user is told."""
    packed = tmp_path / "cut.jsonl.gz"
    packed.write_bytes(gzip.compress(b"{}\n" * 1000)[:-10])

    with pytest.raises(UsageError, match=r"cut\.jsonl\.gz cannot be read"):
        list(read_lines(packed))


def test_a_byte_order_mark_costs_no_touchpoint(tmp_path: Path) -> None:
    """Files that come from spreadsheets begin with one."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\xef\xbb\xbf{}\n{}\n")

    assert list(read_lines(str(file))) == [b"{}", b"{}"]
