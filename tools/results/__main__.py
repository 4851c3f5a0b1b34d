"""``python -m tools.results run`` trains and scores; ``render`` writes the figures into README, cards and docs."""

from __future__ import annotations

import inspect
import pkgutil
import sys
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.start.tool_parser import ToolParser
from tools.repository import REPOSITORY
from tools.results.experiment import Experiment
from tools.results.render import render_all, render_quick
from tools.results.settings import Options

#: Part -> the class that runs it, loaded when it is asked for; the experiment file lies beside its module.
PARTS = {
    "localisation": "tools.results.localization:Localization",
    "nih": "tools.nih.nih:Nih",
    "nih_detection": "tools.nih.nih_detection:NihDetection",
    "nih_nodules": "tools.nih.nih_nodules:NihNodules",
    "nih_refinement": "tools.nih.nih_refinement:NihRefinement",
    "nih_segmentation": "tools.nih.nih_segmentation:NihSegmentation",
    "refinement": "tools.results.refinement:Refinement",
    "segmentation": "tools.results.segmentation:Segmentation",
    "detection": "tools.results.detection:Detection",
    "lungs": "tools.lung_model.lungs:Lungs",
    "anatomy": "tools.lung_model.anatomy:Anatomy",
    "opacity_probe": "tools.image_cues.opacity_probe:OpacityProbe",
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
        part: type[Experiment] = pkgutil.resolve_name(PARTS[args.part])
        file = Path(inspect.getfile(part)).with_suffix(".yaml")
        shared = args.shared or REPOSITORY.parent / "shared" / part.radiographs
        asked = {name: getattr(args, name) for name in ("parallel", "only", "train", "score", "ship", "quick")}
        part(Options(file, work, shared, output, **asked)).run()
        if args.quick and args.score:
            for page in render_quick(output):
                print(f"wrote {page}: a quick run, which says nothing about the methods")
    if args.command == "render" or (args.score and not args.quick):
        for path in render_all(REPOSITORY):
            print(f"rendered {path.relative_to(REPOSITORY)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
