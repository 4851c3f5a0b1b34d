"""Entry point: each command is a module with ``add_parser`` and ``run``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.prepare import (
    check_command,
    csv_command,
    dataset_command,
    export_command,
    look_command,
    merge_command,
    voc_command,
)

COMMANDS = (csv_command, voc_command, check_command, merge_command, look_command, export_command)


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments; default those of the process.

    Returns:
        Exit status: 0, or 1 with the reason on the error stream where the input is bad.
    """
    parser = ToolParser(prog="cxr prepare", description="Make, check and merge datalists.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    dataset_command.add_parsers(subparsers)
    args = parser.parse_args(argv)
    args.run(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
