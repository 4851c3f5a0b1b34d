"""``make cases``: run every case as a user does, and print which rows are right and which are wrong."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from cxr_common.text import printable
from tests.cases import files, pictures, starts, tables  # noqa: F401  they fill the table
from tests.cases.inputs import SCRIPT, write_inputs, write_shared_inputs
from tests.cases.product import AsAUser
from tests.cases.table import CASES, Case, Run


def main(argv: list[str] | None = None) -> int:
    """Run the cases; the exit status is 1 where a row is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/cases"), help="folder, made anew")
    parser.add_argument("--own", action="store_true", help="our own inputs, though ../shared/cases is there")
    parser.add_argument("rows", nargs="*", help="names of rows; none for all")
    options = parser.parse_args(argv)
    shutil.rmtree(options.output, ignore_errors=True)
    folder = options.output.resolve()
    (folder / "out").mkdir(parents=True)
    shared = SCRIPT.is_file() and not options.own
    (write_shared_inputs if shared else write_inputs)(folder / "inputs")
    print(f"inputs of {SCRIPT if shared else 'tests/cases/inputs.py'} in {folder / 'inputs'}\n", flush=True)
    run = Run(AsAUser(), folder / "inputs", folder / "out")
    wrong = 0
    for case in CASES:
        if not options.rows or set(options.rows) & set(case.name.split(", ")):
            fault = _fault(case, run)
            wrong += bool(fault)
            print(f"{case.name:8}{'WRONG' if fault else 'right':7}{case.right}", flush=True)
            if fault:
                print(f"{'':15}{fault}", flush=True)
    print(f"\n{wrong} wrong")
    return int(wrong > 0)


def _fault(case: Case, run: Run) -> str:
    try:
        case.check(run)
    except Exception as error:  # a row that cannot be tried is not right
        return printable(f"{type(error).__name__}: {error}")[:400]
    return ""


if __name__ == "__main__":
    sys.exit(main())
