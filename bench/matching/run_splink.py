"""A peer: Splink, set up as its authors do in the examples of its documentation. Runs in an environment of its own: `run_splink FOLDER`.

FEBRL and fake_1000 have an example each; everything else follows the one for 50,000 people. Nothing is labelled. The clusters are those at
a probability of 0.95, as there. What it would have found at other thresholds lies beside them: with the truth at hand one can choose among
them afterwards, and the table has that in a line of its own.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, __version__, block_on

from bench.matching.sheet import RECORD_ID, Task, records_path, task_in, write_clusters
from bench.matching.told import Clock, folder_asked_for, tell

THRESHOLD = 0.95
ALSO = (0.5, 0.8, 0.9, 0.99, 0.999)
"""The other thresholds, told to files of their own."""
_SMALL, _FEWER_PAIRS = 20_000, 1e6
"""The authors' examples of a few thousand records draw fewer random pairs."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an author decides about a set."""

    blocking: list[Any]
    comparisons: list[Any]
    sure: list[Any]
    recall_of_sure: float
    training: list[Any]
    random_pairs: float
    without_frequencies: bool = True


def main() -> int:
    """Learn, predict and cluster."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    folder, clock = folder_asked_for(), Clock()
    task = task_in(folder)
    frame = _records(folder, task)
    recipe = {"febrl": _febrl, "fake_1000": _fake_1000, "people": _people}[task.recipe](task)
    settings = SettingsCreator(
        unique_id_column_name=RECORD_ID,
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=recipe.blocking,
        comparisons=recipe.comparisons,
    )
    linker = Linker(frame, settings, DuckDBAPI())
    linker.training.estimate_probability_two_random_records_match(recipe.sure, recall=recipe.recall_of_sure)
    linker.training.estimate_u_using_random_sampling(max_pairs=recipe.random_pairs if len(frame) > _SMALL else _FEWER_PAIRS, seed=1)
    for rule in recipe.training:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=recipe.without_frequencies
        )
    clock.learned()
    predicted = linker.inference.predict(threshold_match_probability=min(ALSO))
    write_clusters(folder, _clusters(linker, predicted, THRESHOLD))
    told = clock.told(__version__)
    for threshold in ALSO:
        write_clusters(folder, _clusters(linker, predicted, threshold), f"clusters-{threshold}.csv")
    tell(told)
    return 0


def _clusters(linker: Linker, predicted: Any, threshold: float) -> list[tuple[str, str]]:
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=threshold)
    frame = found.as_pandas_dataframe()[[RECORD_ID, "cluster_id"]]
    return list(frame.itertuples(index=False, name=None))


def _records(folder: Path, task: Task) -> pd.DataFrame:
    frame = pd.read_csv(records_path(folder), dtype=str, keep_default_na=False).replace("", None)
    if task.recipe == "people":  # the examples lower the case of what they compare where it is not so already
        text = task.columns("given_name", "family_name", "full_name", "organisation", "address", "street", "city")
        frame[text] = frame[text].apply(lambda column: column.str.lower())
    return frame


def _febrl(task: Task) -> Recipe:
    """docs/demos/examples/duckdb/febrl3; without the social-security number the same without it."""
    number = task.columns("national_id")
    known = [block_on(column) for column in number]
    return Recipe(
        blocking=[*known, *(block_on(column) for column in ("given_name", "surname", "date_of_birth", "postcode"))],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format=task.date_format),
            *(cl.DamerauLevenshteinAtThresholds(column, [2]) for column in number),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
        sure=[
            *known,
            block_on("given_name", "surname", "date_of_birth"),
            "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth",
        ],
        recall_of_sure=0.9 if number else 0.6,
        training=[block_on("date_of_birth"), block_on("postcode")],
        random_pairs=1e6,
        without_frequencies=False,
    )


def _fake_1000(_task: Task) -> Recipe:
    """docs/demos/examples/duckdb/accuracy_analysis_from_labels_column."""
    return Recipe(
        blocking=[block_on("first_name"), block_on("surname"), block_on("dob"), block_on("email")],
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        sure=[
            "l.first_name = r.first_name and levenshtein(r.dob, l.dob) <= 1",
            "l.surname = r.surname and levenshtein(r.dob, l.dob) <= 1",
            "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
            "l.email = r.email",
        ],
        recall_of_sure=0.7,
        training=[block_on("dob"), block_on("email"), block_on("first_name", "surname")],
        random_pairs=1e6,
    )


def _people(task: Task) -> Recipe:
    """docs/demos/examples/duckdb/deduplicate_50k_synthetic, with the columns that are there instead of birth place and occupation."""
    given, family, born, town, code = (task.columns(role)[0] for role in ("given_name", "family_name", "birth_date", "city", "postcode"))
    names = task.columns("full_name", "organisation")
    numbers = task.columns("phone", "national_id", "passport", "driving_licence", "tax_id", "identifier")
    emails = task.columns("email")
    return Recipe(
        blocking=[
            block_on(f"substr({given},1,3)", f"substr({family},1,4)"),
            block_on(family, born),
            block_on(given, born),
            block_on(code, given),
            block_on(code, family),
            block_on(born, town),
            block_on(f"substr({code},1,3)", born),
            block_on(f"substr({given},1,2)", f"substr({family},1,2)", f"substr({born},1,4)"),
            *(block_on(column) for column in (*names, *numbers, *emails)),
        ],
        comparisons=[
            cl.ForenameSurnameComparison(given, family),
            cl.DateOfBirthComparison(born, input_is_string=True, datetime_format=task.date_format),
            cl.LevenshteinAtThresholds(code, 2),
            *(cl.EmailComparison(column) for column in emails),
            *(cl.DamerauLevenshteinAtThresholds(column, [2]) for column in numbers),
            *(cl.JaroWinklerAtThresholds(column, [0.9]) for column in names),
            cl.ExactMatch(town).configure(term_frequency_adjustments=True),
        ],
        sure=[
            block_on(given, family, born),
            block_on(f"substr({given},1,2)", family, f"substr({code},1,2)"),
            block_on(born, code),
        ],
        recall_of_sure=0.6,
        training=[block_on(given, family), block_on(born)],
        random_pairs=1e7,
    )


if __name__ == "__main__":
    raise SystemExit(main())
