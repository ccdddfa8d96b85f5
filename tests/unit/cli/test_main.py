"""What becomes of an error at the command line."""

from collections.abc import Iterator

import click
import msgspec
import pytest

from touchstone.cli.main import cli, main
from touchstone.cli.output import Output, output_option
from touchstone.errors import Fault, InvariantBroken, Retriable, TopologyError, Unavailable, UsageError

FAULTS = [Fault("unknown key 'form'; did you mean 'from'?", "journeys.purchase.rules[2]", "topology.yaml", 12, 9), Fault("no rank", "x")]


@pytest.fixture
def failing() -> Iterator[list[BaseException]]:
    """A command `fail` that raises what is put into the list."""
    errors: list[BaseException] = []

    @click.command("fail")
    @output_option
    def fail(output: Output) -> None:
        raise errors.pop()

    cli.add_command(fail)
    yield errors
    del cli.commands["fail"]


def run(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("there is no file x"), 2, "error: there is no file x"),
        (Unavailable("no Java"), 1, "error: no Java"),
        (Retriable("the broker is busy"), 1, "error: the broker is busy"),
        (click.BadParameter("too small"), 2, "too small"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
    ids=["usage", "unavailable", "busy", "option", "ctrl-c"],
)
def test_an_error_is_one_clear_line_and_an_exit_code(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    """The code tells a program who has to act, the line tells the user."""
    failing.append(error)

    assert run("fail") == code

    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert "Traceback" not in told.err


def test_all_faults_of_a_topology_are_printed_with_their_places(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    """All at once, in the form that editors understand."""
    failing.append(TopologyError(FAULTS))

    assert run("fail") == 2

    told = capsys.readouterr().err.splitlines()
    assert told == [
        "topology.yaml:12:9: journeys.purchase.rules[2]: unknown key 'form'; did you mean 'from'?",
        "x: no rank",
        "error: the topology has 2 faults",
    ]


def test_a_program_gets_its_errors_as_json_too(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with the faults as objects."""
    failing.append(TopologyError(FAULTS[:1]))

    assert run("fail", "--output", "json") == 2

    told = msgspec.json.decode(capsys.readouterr().err)
    assert told["error"] == "the topology has 1 fault"
    assert told["faults"][0]["line"] == 12


@pytest.mark.parametrize("error", [KeyError("ada@x.org"), InvariantBroken("ada@x.org has no root")], ids=["unexpected", "invariant"])
def test_a_bug_says_where_it_is_but_nothing_personal(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    """Exit code 70; the text of the exception is for those who ask for it."""
    failing.append(error)

    assert run("fail") == 70

    told = capsys.readouterr().err
    assert f"internal error: {type(error).__name__} at test_main.py:" in told
    assert "--debug" in told
    assert "ada@x.org" not in told


def test_debug_shows_the_traceback_of_a_bug(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reports it can look for themselves."""
    failing.append(KeyError("root"))

    assert run("--debug", "fail") == 70

    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("nothing-like-it",), ("kafka", "start", "--port", "none"), ("kafka", "stop", "--loud")])
def test_a_command_line_that_makes_no_sense_is_code_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """With click's own hint at what is possible."""
    assert run(*arguments) == 2

    assert "Error: " in capsys.readouterr().err


@pytest.mark.parametrize("address", ["kafka", "kafka:abc", ":9092", "kafka:9092,", "a b:9092"])
def test_an_address_that_is_none_is_said_before_anything_is_tried(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Code 2, with the form that is expected."""
    assert run("tail", "moments", "--bootstrap", address) == 2

    assert (
        f"expected HOST:PORT as the address of Kafka, such as 127.0.0.1:9092 (several with commas between), found {address}"
        in capsys.readouterr().err
    )


def test_a_kafka_that_is_not_there_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """The address, what was found, and what to do; nothing of the library's."""
    assert run("tail", "moments", "--bootstrap", "127.0.0.1:1") == 1

    said = capsys.readouterr().err
    assert "expected to reach Kafka at 127.0.0.1:1, found nobody who listens there" in said
    assert "touchstone kafka start" in said
    assert "Error" not in said


def test_help_teaches_the_order_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    """First see it, then try your own events, then run it."""
    assert run("--help") == 0

    text = capsys.readouterr().out
    places = [text.index(f"touchstone {word}") for word in ("demo", "validate", "simulate", "kafka start", "worker", "tail")]
    assert places == sorted(places)


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """As a user reports it with a bug."""
    assert run("--version") == 0

    assert capsys.readouterr().out.startswith("touchstone, version ")


@pytest.mark.parametrize("words", [("review", "show"), ("identity", "split"), ("explain", "identity"), ("export",), ("erase",)])
def test_only_what_starts_a_kafka_says_that_it_would(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """A command about a live system looks for the Kafka that runs."""
    assert run(*words, "--help") == 0
    assert "instead of starting one" not in " ".join(capsys.readouterr().out.split())
    assert run("demo", "--help") == 0
    assert "instead of starting one" in " ".join(capsys.readouterr().out.split())
