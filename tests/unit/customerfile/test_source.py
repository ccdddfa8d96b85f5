"""The rows of a file: any encoding, any delimiter, whatever is torn."""

import gzip
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from touchstone.customerfile.model import WrittenFile
from touchstone.customerfile.refused import RefusedRows
from touchstone.customerfile.source import CustomerFile, Row, open_customer_file
from touchstone.errors import UsageError

Opened = Callable[..., CustomerFile]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens a file with a content; at the end of the test it is closed."""
    with ExitStack() as stack:

        def open_(content: bytes, encoding: str | None = None, **how: Any) -> CustomerFile:
            path = tmp_path / "customers.csv"
            path.write_bytes(content)
            return stack.enter_context(open_customer_file(str(path), WrittenFile(**how), encoding))

        yield open_


def cells(file: CustomerFile) -> list[dict[str, Any]]:
    """The cells of all rows."""
    return [dict(row.cells) for row in file.rows()]


NAMES = "number;name\n1;Jürgen Müller\n2;Zoë Çelik\n"


@pytest.mark.parametrize(
    ("content", "encoding", "is_guess"),
    [
        (NAMES.encode(), "utf-8", False),
        (NAMES.encode("utf-8-sig"), "utf-8-sig", False),
        (NAMES.encode("utf-16"), "utf-16", False),
        (NAMES.encode("cp1252"), "cp1252", True),
        (gzip.compress(NAMES.encode()), "utf-8", False),
    ],
    ids=["utf-8", "byte order mark", "utf-16", "cp1252", "gzip"],
)
def test_the_encoding_is_found_out(opened: Opened, content: bytes, encoding: str, is_guess: bool) -> None:
    """And named, because a guess may be wrong."""
    file = opened(content)

    assert cells(file) == [{"number": "1", "name": "Jürgen Müller"}, {"number": "2", "name": "Zoë Çelik"}]
    assert (file.encoding.name, file.encoding.is_guess) == (encoding, is_guess)


def test_cyrillic_and_japanese_exports_are_read_as_what_they_are(opened: Opened) -> None:
    """Of the likely encodings the one in which the text is a language."""
    russian = "номер;имя;город\n" + "".join(f"{n};Анна Каренина;Санкт-Петербург\n" for n in range(30))
    japanese = "番号;名前;市\n" + "".join(f"{n};山田太郎さん;東京都のまち\n" for n in range(30))

    assert cells(opened(russian.encode("cp1251")))[0]["имя"] == "Анна Каренина"
    assert cells(opened(japanese.encode("shift_jis")))[0]["名前"] == "山田太郎さん"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_the_delimiter_is_found_out(opened: Opened, delimiter: str) -> None:
    """Also where cells hold other candidates, quotes and line ends."""
    rows = [["number", "name", "note"], ["1", '"Ada, Countess"', '"she said ""yes; no"""'], ["2", "Bob", '"two\nlines"']]
    file = opened("\n".join(delimiter.join(row) for row in rows).encode())

    assert file.delimiter == delimiter
    assert cells(file) == [
        {"number": "1", "name": "Ada, Countess", "note": 'she said "yes; no"'},
        {"number": "2", "name": "Bob", "note": "two\nlines"},
    ]


def test_a_file_of_one_column_has_no_delimiter_to_find(opened: Opened) -> None:
    """A list of e-mail addresses, say."""
    assert cells(opened(b"email\nada@x.org\nbob@x.org\n")) == [{"email": "ada@x.org"}, {"email": "bob@x.org"}]


def test_a_torn_row_says_why_and_the_others_are_read(opened: Opened) -> None:
    """With the line in which it begins, also behind rows of several lines."""
    file = opened(b'a,b\n1,"x\ny"\n2\n\n3,x,y\n4,z\n')

    assert [(row.number, row.fault) for row in file.rows()] == [
        (2, ""),
        (4, "expected 2 cells, found 1"),
        (6, "expected 2 cells, found 3"),
        (7, ""),
    ]


def test_a_quote_that_is_never_closed_does_not_eat_the_file(opened: Opened) -> None:
    """The csv module gives up after 128 KiB; what follows is read again."""
    file = opened(b'a,b\n1,"x\n' + b"5,y\n" * 60_000, delimiter=",")

    rows = list(file.rows())

    assert rows[0].fault.startswith("this is no CSV that can be read")
    assert rows[-1].cells == {"a": "5", "b": "y"}


def test_json_lines_have_fields_for_columns(opened: Opened) -> None:
    """Those of inner objects by their way."""
    file = opened(b'{"number": 1, "address": {"city": "Ulm"}}\n\n{torn\n[1]\n')

    one, torn, no_object = file.rows()
    assert one.cells == {"number": 1, "address.city": "Ulm"}
    assert (torn.number, torn.fault) == (3, "expected a JSON object on one line, found text that is not")
    assert no_object.fault == "expected a JSON object, found list"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"ada@x.org,Ada\nbob@x.org,Bob\n", "begins with a row of values"),
        (b"name,mail,name\nA,B,C\n", "two columns of the name `name`"),
    ],
    ids=["empty", "no header", "twice"],
)
def test_a_header_that_is_none_is_refused_without_a_word_of_it(opened: Opened, content: bytes, message: str) -> None:
    """Values are not repeated."""
    with pytest.raises(UsageError, match=message) as refused:
        opened(content)

    assert "ada@x.org" not in str(refused.value)


def test_columns_may_be_named_by_the_mapping(opened: Opened) -> None:
    """For a file that begins with its first row."""
    file = opened(b"ada@x.org,Ada\nbob@x.org,Bob\n", columns=["email", "name"])

    assert [row["name"] for row in cells(file)] == ["Ada", "Bob"]


def test_an_unknown_encoding_or_file_is_said(opened: Opened, tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(UsageError, match="there is no encoding 'klingon'"):
        opened(b"a,b\n", "klingon")
    with pytest.raises(UsageError, match="there is no encoding 'base64'"):
        opened(b"a,b\n", "base64")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        open_customer_file(str(tmp_path / "none.csv")).__enter__()


def test_refused_rows_are_kept_byte_for_byte_for_their_owner_alone(opened: Opened, tmp_path: Path) -> None:
    """With the header, bytes of another encoding included, so that they can be mended and produced again."""
    content = b'a,b\r\n1,"x\r\ny"\r\n2,\xff\xfe\r\n3,z'
    file = opened(content, "utf-8")
    kept = tmp_path / "refused.csv"

    with RefusedRows(kept, file) as refused:
        for row in file.rows():
            refused.add(row)

    assert kept.read_bytes() == content + b"\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is the file itself"):
        RefusedRows(tmp_path / "customers.csv", file)


def test_a_long_file_is_never_in_memory(tmp_path: Path) -> None:
    """Three hundred thousand rows, 20 MB, pass through; the process has hardly grown."""
    path = tmp_path / "customers.csv"
    with path.open("w") as out:
        out.write("number,name,mail\n")
        out.writelines(f"{n},Somebody with a name of some length {n},somebody.{n}@example.org\n" for n in range(300_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = 0
    last = Row(0, {}, "")

    with open_customer_file(str(path)) as file:
        for row in file.rows():
            seen, last = seen + 1, row

    assert (seen, last.number) == (300_000, 300_001)
    assert path.stat().st_size > 20_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 12 * 1024
