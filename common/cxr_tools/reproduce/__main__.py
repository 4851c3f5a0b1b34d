"""Train what a paper trained, score it by the official protocol, and print the paper's figures beside.

cxr reproduce nih_pylon --datalist NIH/datalist.json --weights resnet50-0676ba61.pth --output OUT

docs/how-to/reproduce.md has the command of each recipe. Steps that are done and whose inputs did not change are passed
over; a training that was stopped goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.pipeline.__main__ import run_stage
from cxr_tools.pipeline.settings import PARTS
from cxr_tools.reproduce.recipe import Recipe, read_recipe, recipe_names
from cxr_tools.reproduce.report import write_report
from cxr_tools.reproduce.travel import Given, travel
from cxr_tools.yaml_files import parse_yaml


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run a recipe; returns the exit status."""
    parser = ToolParser(prog="cxr reproduce", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", metavar="RECIPE", help=", ".join(recipe_names()))
    parser.add_argument("--datalist", type=Path, required=True, help="datalist that the recipe's prepare command wrote")
    parser.add_argument(
        "--dataset-dir", type=Path, help="folder that its paths are relative to (default: the datalist's folder)"
    )
    parser.add_argument("--weights", type=Path, help="ImageNet file in torchvision's layout; without it random weights")
    parser.add_argument("--output", type=Path, required=True, help="folder of all steps")
    parser.add_argument(
        "--processes", type=int, default=1, help="number of processes of every training, one per GPU, under torchrun"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="[STEP.]KEY=VALUE", help="change a value, in all steps or in one"
    )
    args = parser.parse_args(argv)
    recipe = read_recipe(args.recipe)
    if args.weights is not None and not args.weights.is_file():
        raise InputError(
            "no such file", args.weights, f"fetch {recipe.weights or 'it'} first, see docs/how-to/reproduce.md"
        )
    datalist, output = args.datalist.resolve(), args.output.resolve()
    data = (args.dataset_dir or args.datalist.parent).resolve()
    weights = None if args.weights is None else args.weights.resolve()
    if weights is None and recipe.weights:
        print(f"starts from random weights; the paper starts from {recipe.weights} (--weights)", file=sys.stderr)
    given = Given(datalist, data, output, weights, _overrides(args.set, recipe), args.processes)
    metrics = travel(recipe, given, lambda stage: run_stage(stage, []))
    print(write_report(recipe, datalist, metrics, output))
    print(f"wrote {output / 'reproduce.md'}")
    return 0


def _overrides(texts: list[str], recipe: Recipe) -> dict[str, dict[str, Any]]:
    names = [step.name for step in recipe.steps] + ([*PARTS] if recipe.pipeline else [])
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        step, dot, rest = key.partition(".")
        if not sign or not key:
            raise InputError(f"{text!r} is not of the form KEY=VALUE", "--set", f"steps are {', '.join(names)}")
        step, key = (step, rest) if dot and step in names else ("", key)
        found.setdefault(step, {})[key] = parse_yaml(value, f"--set {text}", "give a value as YAML has it")
    return found


if __name__ == "__main__":
    sys.exit(main())
