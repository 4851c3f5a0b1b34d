"""Entry point: each command is a module with ``add_parser`` and ``run``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.pacs import listen, pull, push, run_bundle
from cxr_tools.pacs.quiet import quiet_libraries

COMMANDS = (pull, run_bundle, push, listen)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments; default those of the process.

    Returns:
        Exit status: 0; 1 where something failed, with the reason on the error stream.
    """
    parser = ToolParser(prog="cxr pacs", description="Radiographs from a PACS, and results back.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    args = parser.parse_args(argv)
    quiet_libraries()
    return int(args.run(args) or 0)


if __name__ == "__main__":
    sys.exit(main())
