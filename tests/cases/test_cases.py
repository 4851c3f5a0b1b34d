"""Every row of the table of cases on our own inputs, in this process."""

from __future__ import annotations

import pytest

from tests.cases import files, pictures, starts, tables  # noqa: F401  they fill the table
from tests.cases.inputs import write_inputs
from tests.cases.product import InThisProcess
from tests.cases.table import CASES, Run

#: Rows of ../shared/cases/README.md.
ROWS = [
    "A1",
    "A2",
    "A3",
    "A4",
    "A5",
    "B1",
    "B2",
    "B3",
    "C1",
    "C2",
    "C3",
    "C4",
    "D1",
    "D2",
    "D3",
    "E1",
    "E2",
    "E3",
    "F1",
]
ROWS += ["G1", "H1", "H2", "H3", "H4", "S1", "S2", "S3", "S4"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    write_inputs(folder / "inputs")
    (folder / "out").mkdir()
    return Run(InThisProcess(), folder / "inputs", folder / "out")


def test_every_row_is_there():
    assert {name for case in CASES for name in case.name.split(", ")} >= set(ROWS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_right_value(run, case):
    case.check(run)
