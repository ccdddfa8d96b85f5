"""Why two records have their score, attribute by attribute: what each says, how far they agree, and the weight of that as a bar."""

from collections.abc import Iterable, Mapping

from touchstone.cli.bars import bars
from touchstone.cli.output import Output
from touchstone.matching.judge import Explanation

_WORTH_A_LINE = 0.05


def show_breakdown(explained: Explanation, names: tuple[str, str], output: Output, unsaid: Iterable[tuple[str, str, str]] = ()) -> None:
    """A table for people. `unsaid`: attribute and values where only one of the two says anything, which weighs nothing."""
    weights = [each.bits for each in explained.evidence]
    *drawn, before, together = bars([*weights, explained.prior, -explained.household])
    rows = [
        (each.feature, each.left, each.right, each.level, f"{each.bits:+.1f}", mark)
        for each, mark in zip(explained.evidence, drawn, strict=True)
    ]
    rows += [(*one, "said once", "", "") for one in unsaid]
    rows.append(("", "", "", "before anything was compared", f"{explained.prior:+.1f}", before))
    if explained.household > _WORTH_A_LINE:
        rows.append(("", "", "", "who live together agree in this as well", f"{-explained.household:+.1f}", together))
    rows.append(("", "", "", "together", f"{explained.score:+.1f}", ""))
    output.table(("attribute", *names, "they", "bits", "against │ for"), rows)


def said_once(explained: Explanation, one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What only one of two records says, in its order."""
    compared = {each.feature for each in explained.evidence}
    return [(column, one.get(column, ""), other.get(column, "")) for column in dict.fromkeys((*one, *other)) if column not in compared]
