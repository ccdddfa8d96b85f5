"""Weights of evidence as bars of text: to the left what speaks against, to the right what speaks for."""

_WIDTH = 8
_FOR, _AGAINST, _MIDDLE = "█", "▒", "│"


def bar(bits: float, most: float) -> str:
    """A bar for one weight, where `most` is the heaviest of those that are shown together; what is not nothing is seen.

    >>> bar(4, 8), bar(-8, 8), bar(0.1, 8)
    ('        │████    ', '▒▒▒▒▒▒▒▒│        ', '        │█       ')
    """
    length = min(_WIDTH, max(1, round(_WIDTH * abs(bits) / most))) if bits and most > 0 else 0
    against, speaks_for = (_AGAINST * length, "") if bits < 0 else ("", _FOR * length)
    return f"{against:>{_WIDTH}}{_MIDDLE}{speaks_for:<{_WIDTH}}"


def bars(weights: list[float]) -> list[str]:
    """A bar for each, on one scale."""
    most = max(map(abs, weights), default=0.0)
    return [bar(bits, most) for bits in weights]
