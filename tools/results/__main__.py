"""``python -m tools.results run`` trains and scores; ``render`` writes the figures into README, cards and docs."""

from __future__ import annotations

import sys
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.start.tool_parser import ToolParser
from tools.repository import REPOSITORY
from tools.results.detection import Detection
from tools.results.experiment import Experiment
from tools.results.localization import Localization
from tools.results.lungs import Lungs
from tools.results.nih import Nih
from tools.results.opacity_probe import OpacityProbe
from tools.results.refinement import Refinement
from tools.results.render import render_all, render_quick
from tools.results.segmentation import Segmentation
from tools.results.settings import Options

#: Part -> experiment file beside this module, what runs it, and its folder of real radiographs in ../shared.
PARTS: dict[str, tuple[str, type[Experiment], str]] = {
    "localisation": ("localization.yaml", Localization, "cxr"),
    "nih": ("nih.yaml", Nih, "nih"),
    "refinement": ("refinement.yaml", Refinement, "cxr"),
    "segmentation": ("segmentation.yaml", Segmentation, "cxr"),
    "detection": ("detection.yaml", Detection, "cxr"),
    "lungs": ("lungs.yaml", Lungs, "cxr"),
    "opacity_probe": ("opacity_probe.yaml", OpacityProbe, "cxr"),
}


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = ToolParser(prog="python -m tools.results", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="train and score what is missing, then render")
    run.add_argument("--part", choices=sorted(PARTS), default="localisation", help="which experiment")
    run.add_argument("--work", type=Path, help="data and runs (default build/results, or build/results-quick)")
    run.add_argument("--shared", type=Path, help="real radiographs (default ../shared/cxr, of nih ../shared/nih)")
    run.add_argument("--output", type=Path, help="result file and plots (default docs/results; quick: the work folder)")
    run.add_argument("--parallel", type=int, default=2, help="trainings at a time; they share the cores")
    run.add_argument("--only", nargs="+", metavar="METHOD", help="train these: methods (pylon) or runs (pylon-seed0)")
    run.add_argument("--train-only", dest="score", action="store_false", help="train, but score nothing yet")
    run.add_argument("--trained-only", dest="train", action="store_false", help="train nothing, score what is trained")
    run.add_argument("--ship", action="store_true", help="put the scored weights and thresholds into the bundles")
    run.add_argument("--quick", action="store_true", help="a fraction of everything, marked as such")
    commands.add_parser("render", help="render tables from docs/results/*.json")
    args = parser.parse_args(argv)
    if args.command == "run":
        if args.quick and args.ship:
            raise InputError("weights of a quick run are not for shipping", "--ship", "leave out one of the two")
        work = args.work or REPOSITORY / "build" / ("results-quick" if args.quick else "results")
        output = args.output or (work if args.quick else REPOSITORY / "docs" / "results")
        file, part, radiographs = PARTS[args.part]
        shared = args.shared or REPOSITORY.parent / "shared" / radiographs
        asked = {name: getattr(args, name) for name in ("parallel", "only", "train", "score", "ship", "quick")}
        part(Options(Path(__file__).with_name(file), work, shared, output, **asked)).run()
        if args.quick and args.score:
            for page in render_quick(output):
                print(f"wrote {page}: a quick run, which says nothing about the methods")
    if args.command == "render" or (args.score and not args.quick):
        for path in render_all(REPOSITORY):
            print(f"rendered {path.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
