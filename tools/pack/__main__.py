"""Pack this repository's bundles into zips that run alone: ``python -m tools.pack [BUNDLE ...]``.

Besides what `cxr pack` puts into a zip, these have the pages of docs/ that their cards speak of, and the versions that
constraints.txt pins.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.pack.dist import write_dist
from tools.bundles.generate import CONSTRAINTS, read_pins
from tools.repository import BUNDLES, REPOSITORY


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Write a zip for each bundle, their hashes, and their entries for the zoo; returns the exit status."""
    parser = ToolParser(prog="python -m tools.pack", description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE", help="folders (default: all in bundles/)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist", help="folder of the zips (default: dist)")
    parser.add_argument("--source", default="", metavar="URL", help="where the zips will lie, for model_info.json")
    given = parser.parse_args(argv)
    bundles = given.bundles or sorted(page.parent for page in BUNDLES.glob("*/bundle.yaml"))
    write_dist(bundles, given.output, given.source, REPOSITORY / "docs", read_pins(CONSTRAINTS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
