"""`cxr report`: one HTML page of what `cxr find` found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser

EXAMPLES = """examples:
  cxr report out
  cxr report out --second out_of_another_bundle --output page.html
"""


def make_parser() -> ToolParser:
    """The parser of its options."""
    parser = ToolParser(
        prog="cxr report",
        description="Write one HTML page with each radiograph and what was found in it. It needs no other file.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", type=Path, metavar="RESULTS", help="folder that cxr find wrote")
    parser.add_argument("--output", type=Path, help="the page (default: index.html in that folder)")
    parser.add_argument("--second", type=Path, help="results of another bundle on the same images, shown beside")
    parser.add_argument("--title", default="Findings on chest radiographs", help="heading of the page")
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Write the page; returns the exit status."""
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    from cxr_common.findings.page import write_report  # only what a run needs

    page = args.output or args.results / "index.html"
    write_report(args.results, page, args.title, second=args.second)
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
