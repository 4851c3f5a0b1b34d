"""``python -m tools.faults``: what happens when a machine, a disk or a file fails.

It kills trainings, reads changed files, and runs the tests that are marked as faults. Each part writes its own file
below docs/results, from which docs/explanation/reliability.md is rendered.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cxr_common.cli import one_line_errors
from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_common.start.tool_parser import ToolParser
from tools.faults.inputs import fuzz_inputs
from tools.faults.kills import TRAININGS, kill_trainings
from tools.faults.rules import run_rules
from tools.faults.text import inputs_table, kills_table, rules_table
from tools.repository import REPOSITORY

PARTS = ("rules", "inputs", "trainings")


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run the parts, write their records and print their tables; the exit status is 1 where something did not hold."""
    parser = ToolParser(prog="python -m tools.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run; default: all of them")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results", help="folder of the records")
    parser.add_argument("--seed", type=int, default=0, help="of moments and changes")
    parser.add_argument("--files", type=int, default=5000, help="changed files, of all kinds together")
    parser.add_argument("--kills", type=int, default=30, help="of each bundle's training")
    parser.add_argument("--bundles", nargs="+", choices=tuple(TRAININGS), default=list(TRAININGS), help="to train")
    args = parser.parse_args(argv)
    wrong = 0
    for part in args.only:
        record: dict[str, Any] = {"faults": part, "seed": args.seed}
        if part == "rules":
            record["rules"] = run_rules()
            wrong += sum(row["failed"] for row in record["rules"])
        elif part == "inputs":
            record["inputs"] = fuzz_inputs(args.files, args.seed)
            wrong += sum(case["crashed"] + case["hung"] for case in record["inputs"])
        else:
            for name in args.bundles:
                done = kill_trainings(name, args.kills, args.seed)
                wrong += done["different"]
                # Written each time: whoever stops here has what was done, and can do the others later.
                record["trainings"] = beside(done, args.output / f"faults_{part}.json", args.seed)
                write_json({**record, **provenance()}, args.output / f"faults_{part}.json")
        record |= provenance()
        write_json(record, args.output / f"faults_{part}.json")
        print({"rules": rules_table, "inputs": inputs_table, "trainings": kills_table}[part](record))
    return 1 if wrong else 0


def beside(done: dict[str, Any], path: Path, seed: int) -> list[dict[str, Any]]:
    """A bundle's trainings beside those of other bundles that a file has of the same seed, in order of names."""
    kept: list[dict[str, Any]] = []
    if path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
        kept = record["trainings"] if record["seed"] == seed else []
    return sorted([done, *(one for one in kept if one["bundle"] != done["bundle"])], key=lambda one: one["bundle"])


if __name__ == "__main__":
    sys.exit(main())
