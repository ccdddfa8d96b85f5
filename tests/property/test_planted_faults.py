"""The list of faults follows the code: what cannot be planted finds nothing."""

from collections import Counter
from pathlib import Path

import pytest

from tests.property.faults import FAULTS
from tests.property.faults.fault import Fault

PACKAGE = Path(__file__).parents[2] / "agents" / "touchstone"


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_line_of_a_fault_stands_once_in_its_module(fault: Fault) -> None:
    """Whoever changes that line changes tests/property/faults with it, and plants the fault again: `python -m tests.property.plant_faults NAME`."""
    found = (PACKAGE / fault.module).read_text("utf-8").count(fault.line)

    assert found == 1, f"expected {fault.line!r} once in {fault.module}, found it {found} times"
    assert fault.fault != fault.line


def test_no_two_faults_have_one_name() -> None:
    """The table names them."""
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []
