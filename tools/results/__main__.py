"""``python -m tools.results run`` trains and scores; ``render`` writes the figures into README, cards and docs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cxr_common.errors import InputError
from tools.results.experiment import run_experiment
from tools.results.render import render_all

REPOSITORY = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.results", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="train and score what is missing, then render")
    run.add_argument("--experiment", type=Path, default=Path(__file__).with_name("localization.yaml"))
    run.add_argument("--work", type=Path, default=REPOSITORY / "build" / "results", help="data and runs")
    run.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared" / "cxr", help="real radiographs")
    run.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results")
    run.add_argument("--parallel", type=int, default=2, help="trainings at a time; they share the cores")
    run.add_argument("--train-only", action="store_true", help="train, but score nothing yet")
    run.add_argument("--ship", action="store_true", help="put the scored weights and thresholds into the bundle")
    commands.add_parser("render", help="render tables from docs/results/*.json")
    args = parser.parse_args(argv)
    try:
        if args.command == "run":
            folders = (args.work, args.shared, args.output)
            run_experiment(args.experiment, *folders, args.parallel, args.train_only, args.ship)
        if args.command == "render" or not args.train_only:
            for path in render_all(REPOSITORY):
                print(f"rendered {path.relative_to(REPOSITORY)}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
