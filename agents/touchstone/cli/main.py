"""The command `touchstone`: its commands in the order of use, and what becomes of an error."""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click
from rich.text import Text

import touchstone
from touchstone.cli import exits
from touchstone.cli.groups import Lazy
from touchstone.cli.output import Output
from touchstone.errors import InvariantBroken, TopologyError, TouchstoneError, UsageError
from touchstone.observe.outage import announce

COMMANDS: Mapping[str, str] = {
    # One line a command, in the order in which one comes to use them: `x` is `x` in cli/x.py, and loaded when it is called.
    "demo": "See it work: a real Kafka, a worker killed, a moment taken back.",
    "validate": "Check a topology and show what it says.",
    "simulate": "See what would come out of touchpoints, without a broker.",
    "match": "Learn from records who is who; measure how well it works.",
    "verify": "Hold a live system against the offline twin, with kills.",
    "kafka": "Start, see or stop a Kafka on this machine.",
    "topics": "See and create the topics of a topology.",
    "schemas": "Compare, check and register Avro schemas.",
    "worker": "Run one worker; start more to share the work.",
    "produce": "Send touchpoints from a file to their channels.",
    "tail": "Show moments, customers and the like as they come.",
    "deadletters": "See what was refused; mend it, send it again, drop it.",
    "inspect": "Show one customer: who, where on the journey, and why.",
    "quality": "Show how complete, valid, consistent and old the data are.",
    "explain": "Show why identifiers are one person, or why not.",
    "identity": "Split, join, forbid, undo: a steward's last word.",
    "review": "See who looks alike but undecided; accept or reject it.",
    "export": "Give a person everything that is held about her.",
    "erase": "Forget a person, with a receipt; check a receipt.",
}


@click.group(
    cls=Lazy,
    modules=COMMANDS,
    package="touchstone.cli",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(touchstone.__version__, prog_name="touchstone")
@click.option("--debug", is_flag=True, envvar="TOUCHSTONE_DEBUG", help="show the traceback of an internal error")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Touchpoints in, moments of truth out; and back again when the truth changes.

    \b
    See it first:
      touchstone demo                      a real Kafka, a moment taken back
    \b
    Then your own events, without a broker:
      touchstone validate topology.yaml    is the topology right?
      touchstone simulate events.jsonl     what would come out?
    \b
    Then live:
      touchstone kafka start               a Kafka here; yours: --bootstrap
      touchstone topics apply              make the topics
      touchstone worker                    one process; more share the work
      touchstone produce events.jsonl      touchpoints in
      touchstone tail moments              moments of truth out
      touchstone inspect email:ada@x.org   one customer: who, where, and why

    Exit codes: 0 well, 1 failed or different, 2 asked wrongly, 70 a bug, 130 stopped with Ctrl-C. Every command takes --help; most take
    --output json.
    """  # noqa: D301 - \b is click's mark for lines to be kept
    context.ensure_object(Output).is_debug = debug


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave the process with its exit code; a user's mistake never shows a traceback."""
    output = Output()
    announce(lambda sentence: output.note(Text(sentence)))  # `worker` has a log of its own
    try:
        code = cli.main(arguments, prog_name="touchstone", standalone_mode=False, obj=output)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        _show(error, output)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        output.note("stopped")
        sys.exit(exits.INTERRUPTED)
    except (TopologyError, UsageError) as error:
        output.error(error)
        sys.exit(exits.USAGE)
    except InvariantBroken as error:
        _internal(error, output)
    except TouchstoneError as error:
        output.error(error)
        sys.exit(exits.FAILED)
    except BrokenPipeError:  # whoever read what we say has read enough: `touchstone tail moments | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more when it ends
        sys.exit(exits.UNHEARD)
    except Exception as error:  # noqa: BLE001 - the last resort: a line for the user instead of a traceback
        _internal(error, output)


def _show(error: click.ClickException, output: Output) -> None:
    if output.is_json:
        output.error(error.format_message())
    else:
        error.show()


def _internal(error: Exception, output: Output) -> NoReturn:
    """A bug of ours. The text of the error may hold a customer's data, so only its kind and place are shown unless asked for."""
    if output.is_debug:
        traceback.print_exception(error)
    frame = (traceback.extract_tb(error.__traceback__) or traceback.extract_stack())[-1]
    output.error(
        f"internal error: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}. This is a bug in touchstone "
        f"{touchstone.__version__}. Run it again as `touchstone --debug …` and report what it prints; look through it for personal data first"
    )
    sys.exit(exits.INTERNAL)
