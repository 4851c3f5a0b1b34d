"""Count the findings that each shipped bundle shows of patients whom it does not know, right ones and false ones.

python -m tools.decisions      figures into docs/results/decisions.json

It runs every bundle's inference, with the bundle's own thresholds, on the test images of NIH ChestX-ray14
(../shared/nih), and compares the decisions in findings.json with the images' labels. Nothing was chosen on these
images. What was found stays in the work folder, until weights or thresholds change.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256, provenance
from cxr_common.files import write_json
from cxr_common.labels import LABELS
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.workflow import run_tool
from tools.decisions.measure import label_table, measure
from tools.decisions.tables import TITLES
from tools.repository import BUNDLES, REPOSITORY


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Measure every bundle and write the record; returns the exit status."""
    parser = ToolParser(
        prog="python -m tools.decisions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared" / "nih", help="NIH's images")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build" / "decisions", help="for what is found")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results", help="folder of the figures")
    args = parser.parse_args(argv)
    if not args.shared.is_dir():
        raise InputError(
            "the real radiographs are not there", args.shared, "give --shared the folder with NIH's images"
        )
    datalist, target = args.work / "nih14.json", args.output / "decisions.json"
    args.work.mkdir(parents=True, exist_ok=True)
    run_tool("cxr_tools.prepare", "csv", "--mapping", "shared_nih", "--root", args.shared, "--output", datalist)
    items = load_datalist(datalist, "testing", args.shared)
    label = label_table(items)
    record = {
        "n_images": len(items),
        "n_patients": len({item_group(item) for item in items}),
        "n_normal": int((label == 0).all(1).sum()),
        "counts": dict(zip(LABELS, (label == 1).sum(0).tolist(), strict=True)),
        "images_sha256": data_sha256(items),
        "bundles": {name: measure(BUNDLES / name, items, args.work) for name in TITLES},
    }
    write_json({**record, **provenance()}, target)
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
