"""The stories of this folder, each in every order of arrival it names; the sentence of a story is the name of its test."""

from pathlib import Path

import pytest

from touchstone.scenario.load import load_scenarios
from touchstone.scenario.run import Scenario

FOLDER = Path(__file__).parent
SLOW_LINES = 5_000
"""Stories with so many touchpoints take seconds per order: they run in `make test`, not in `make check`."""

STORIES = [scenario for path in sorted(FOLDER.glob("*.yaml")) for scenario in load_scenarios(path)]


def _parameter(scenario: Scenario) -> object:
    marks = [pytest.mark.slow] if len(scenario.lines) >= SLOW_LINES else []
    return pytest.param(scenario, id=f"{Path(scenario.file).stem}: {scenario.sentence}", marks=marks)


@pytest.mark.parametrize("scenario", [_parameter(scenario) for scenario in STORIES])
def test_story(scenario: Scenario) -> None:
    """What the story expects is found, and every order of arrival ends in the same view."""
    failures = scenario.run()

    if failures:
        told = "\n  ".join(failures)
        pytest.fail(f"{scenario.file}:{scenario.line}: {scenario.sentence}\n  {told}", pytrace=False)
