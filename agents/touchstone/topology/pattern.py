"""Regular expressions that an operator may write: small, and without the forms that can run for ever."""

import re
import warnings

MAX_LENGTH = 200
MAX_REPEATS = 2
"""Parts of a pattern that repeat without end: each multiplies the work by the length of the value, which may be 512."""
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?[:a-zA-Z<=!#]*)?|\)|[*+?]|\{[0-9,]*\}|.", re.DOTALL)


def as_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern; case does not matter, and it is searched for: `^` and `$` tie it to the ends of the value.

    Raises:
        ValueError: It is longer than 200 characters, no regular expression, repeats without end in more than two places, or repeats a group
            that itself repeats or chooses: such a pattern can take longer than the universe on a value of fifty characters.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"expected a regular expression of at most {MAX_LENGTH} characters, found {len(text)}")
    if _may_explode(text):
        raise ValueError(
            f"the regular expression {text!r} repeats a group that repeats or chooses inside, or repeats without end in more than two places, "
            "which can run for ever; write it flat"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python will read otherwise one day is refused today
            return re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(f"not a regular expression: {error}") from error


def _may_explode(text: str) -> bool:
    """Whether a repeated group holds a repetition or a choice, more than two parts repeat, or anything refers back to a group."""
    if sum(piece[0] in "*+" or (piece[0] == "{" and piece.endswith(",}")) for piece in _TOKEN.findall(text)) > MAX_REPEATS:
        return True
    varies = [False]  # per open group: does it hold something that can match in several ways
    closed_varies = False
    for piece in _TOKEN.findall(text):
        if piece.startswith("(?P=") or (len(piece) == 2 and piece[0] == "\\" and piece[1] in "123456789"):
            return True
        if piece.startswith("("):
            varies.append(False)
            closed_varies = False
        elif piece == ")":
            closed_varies = varies.pop() if len(varies) > 1 else False
            varies[-1] = varies[-1] or closed_varies
        elif piece[0] in "*+?{" and piece != "{":
            if closed_varies and piece != "?":
                return True
            varies[-1] = True
            closed_varies = False
        else:
            varies[-1] = varies[-1] or piece == "|"
            closed_varies = False
    return False
