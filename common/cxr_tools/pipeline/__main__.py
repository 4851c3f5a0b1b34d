"""From image-level labels to a segmenter and its report, by the bundles' own workflows.

cxr pipeline --datalist DATA/datalist.json --localizer pylon --output OUT
cxr pipeline --datalist DATA/datalist.json --localizer gradcam --output OUT --settings siim

Stages that are done and whose inputs did not change are passed over; one that was killed goes on.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.findings import read_findings
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.pipeline.report import write_report
from cxr_tools.pipeline.road import Road
from cxr_tools.pipeline.settings import LOCALIZERS, load_settings
from cxr_tools.pipeline.stage import Stage


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run the pipeline; returns the exit status."""
    parser = ToolParser(prog="cxr pipeline", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datalist", type=Path, required=True, help="images, labels; masks on some, if you have them")
    parser.add_argument(
        "--dataset-dir", type=Path, help="folder that its paths are relative to (default: the datalist's folder)"
    )
    parser.add_argument(
        "--localizer", choices=sorted(LOCALIZERS), default="pylon", help="the localiser that makes the heatmaps"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of all stages")
    parser.add_argument("--settings", default="phantoms", help="phantoms, nih, siim, chexseg, or a file like them")
    parser.add_argument(
        "--processes", type=int, default=1, help="number of processes of every training, one per GPU, under torchrun"
    )
    args = parser.parse_args(argv)
    output = args.output.resolve()
    if args.processes < 1:
        raise InputError(f"is {args.processes}", "--processes", "use 1, or the number of GPUs")
    settings = load_settings(args.settings)
    root = (args.dataset_dir or args.datalist.parent).resolve()
    road = Road(args.datalist.resolve(), root, args.localizer, output, settings, args.processes)
    if unknown := road.unknown_labels():
        print(f"no masks are made of {', '.join(unknown)}, which the shipped localiser does not know", file=sys.stderr)
    done: list[Stage] = []
    road.travel(lambda stage: run_stage(stage, done))
    print(f"report: {write_report(road, done)}")
    return 0


def run_stage(stage: Stage, done: list[Stage]) -> None:
    """Run a stage with a line of progress, or pass over it; it is added to those that are done."""
    begin, live = time.monotonic(), sys.stdout.isatty()

    def show(line: str) -> None:
        minutes = (time.monotonic() - begin) / 60
        print(f"\r\033[K{stage.name}: {minutes:.0f} min, {line[:80]}", end="", flush=True)

    if not live:
        print(f"{stage.name} ...", flush=True)

    def has_findings() -> None:
        if not (stage.output / "findings.json").is_file() or not read_findings(stage.output)["images"]:
            raise InputError(f"stage {stage.name!r} wrote no findings", stage.output / "log.txt", "read its end")

    line = show if live else None
    # Inference ends with 1 where single images failed; they are listed in its findings.json.
    ran = stage.run(line, (0, 1), has_findings) if stage.infers else stage.run(line)
    text = f"done in {(time.monotonic() - begin) / 60:.1f} min" if ran else "done before, inputs unchanged"
    print(f"{chr(13) + chr(27) + '[K' if live else ''}{stage.name}: {text}", flush=True)
    done.append(stage)


if __name__ == "__main__":
    sys.exit(main())
