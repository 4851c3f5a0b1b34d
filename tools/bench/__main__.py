"""``python -m tools.bench random_walk`` times the random walk against the published dense form."""

from __future__ import annotations

import sys
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.start.tools import ToolParser
from tools.bench.tables import table
from tools.bench.walk import REPOSITORY, bench_walk


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run a benchmark, write its record and print its table; returns the exit status."""
    parser = ToolParser(prog="python -m tools.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    walk = commands.add_parser("random_walk", help="our random walk against dense squaring; nothing else may run")
    walk.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_random_walk.json")
    walk.add_argument("--threads", type=int, default=2)
    walk.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 96, 128, 256, 512], help="grid sides for ours")
    walk.add_argument("--dense-sizes", type=int, nargs="*", default=[32, 64, 96], help="96 takes minutes and 2 GB")
    walk.add_argument("--extrapolate-to", type=int, default=128, help="side at which the dense time is derived")
    walk.add_argument("--repeats", type=int, default=5, help="of our walk; the dense one runs once")
    args = parser.parse_args(argv)
    record = bench_walk(
        args.output, args.threads, tuple(args.sizes), tuple(args.dense_sizes), args.extrapolate_to, args.repeats
    )
    print(table(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
