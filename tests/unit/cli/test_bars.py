"""Weights of evidence as bars."""

from hypothesis import given
from hypothesis import strategies as st

from touchstone.cli.bars import bar, bars

WEIGHTS = st.floats(-1e6, 1e6)


@given(st.lists(WEIGHTS, max_size=6))
def test_every_bar_points_where_its_weight_does_and_the_heaviest_fills_its_side(weights: list[float]) -> None:
    """Law: all are equally wide; what is not nothing is seen; nothing is longer than what is heavier."""
    drawn = bars(weights)

    for bits, one in zip(weights, drawn, strict=True):
        against, speaks_for = one.split("│")
        assert len(one) == 17
        assert ("▒" in against, "█" in speaks_for) == (bits < 0, bits > 0)
    if any(weights):
        heaviest = max(range(len(weights)), key=lambda n: abs(weights[n]))
        assert drawn[heaviest].count("█") + drawn[heaviest].count("▒") == 8


def test_against_is_left_and_for_is_right() -> None:
    """Both grow from the middle."""
    assert bar(-2, 4) == "    ▒▒▒▒│        "
    assert bar(2, 4) == "        │████    "
    assert bar(0, 4) == "        │        "
