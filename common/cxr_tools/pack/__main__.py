"""`cxr pack`: bundles as zips that run alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser

EXAMPLES = """example:
  cp run/model.pt run/thresholds.json my_bundle/models/ && cxr pack my_bundle -o dist

The zip has all that the bundle runs on, its part of cxr_common too; docs/how-to/pack.md says more. Give the folder a
name of its own and a version in configs/metadata.json first. It needs the extra: pip install 'cxr-bundles[pack]'.
"""


def make_parser() -> ToolParser:
    """The parser of its options."""
    parser = ToolParser(
        prog="cxr pack",
        description="Make a zip of each bundle that runs alone, their hashes, and an index for cxr get.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="folder of a bundle")
    parser.add_argument("-o", "--output", type=Path, default=Path("dist"), help="folder of the zips (default: dist)")
    parser.add_argument(
        "--source", default="", metavar="URL", help="address where the zips will be, for model_info.json"
    )
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Write the zips; returns the exit status."""
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    from cxr_tools.pack.dist import write_dist  # the extra pack may be missing

    write_dist(args.bundles, args.output, args.source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
