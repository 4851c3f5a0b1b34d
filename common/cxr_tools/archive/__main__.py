"""Entry point of ``cxr archive``: its command and what that is given."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.archive import command


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: arguments; default those of the process.

    Returns:
        Exit status: 0; 1 where images could not be used or the run cannot go on.
    """
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    parser = ToolParser(prog="cxr archive", description="A bundle on very many radiographs, on one machine or many.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="look for findings; results as Parquet", add_help=False)
    parser.parse_args(words[:1])
    return command.run(command.make_parser().parse_args(words[1:]))


if __name__ == "__main__":
    sys.exit(main())
