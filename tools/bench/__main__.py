"""``python -m tools.bench PART``: what something costs on this machine.

random_walk: against the published dense form. inference: against the network alone. loading: images for a training,
with and without a cache. pieces: parts of ours beside the plain way. runtimes: a network by what runs it. int8: what
8-bit networks cost. scale: a run over very many images. archive: the same by `cxr archive run`, and what follows for
archives.
"""

from __future__ import annotations

import sys
from pathlib import Path
from pkgutil import resolve_name

from cxr_common.cli import one_line_errors
from cxr_common.start.tool_parser import ToolParser
from tools.bench.archive import bench_archive
from tools.bench.archive_tables import ASSUMED, archive_table, scale_table
from tools.bench.inference import INPUTS, bench_inference
from tools.bench.loading import bench_loading
from tools.bench.pieces import PIECES, bench_pieces
from tools.bench.runtimes import bench_runtimes
from tools.bench.scale import bench_scale, scale_text
from tools.bench.tables import inference_table, int8_table, loading_table, pieces_table, runtimes_table, table
from tools.bench.walk import REPOSITORY, bench_walk
from tools.repository import BUNDLES

NAMES = sorted(path.parent.name for path in BUNDLES.glob("*/bundle.yaml"))


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
    inference = commands.add_parser("inference", help="a run against reading and network, and the job by hand")
    inference.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_inference.json")
    inference.add_argument("--bundles", nargs="+", default=NAMES)
    inference.add_argument("--by-hand", nargs="*", default=["cxr_pylon_localization"], help="the job by hand beside")
    inference.add_argument("--kinds", nargs="+", choices=tuple(INPUTS), default=list(INPUTS), help="of images")
    inference.add_argument("--images", type=int, nargs="+", default=[20, 6], help="how many of each kind")
    inference.add_argument("--batches", type=int, nargs="+", default=[1, 8], help="batch sizes")
    inference.add_argument("--repeats", type=int, default=5, help="medians count")
    loading = commands.add_parser("loading", help="images for a training, with and without a cache on disk")
    loading.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_loading.json")
    loading.add_argument("--images", type=int, default=20000, help="files that are generated")
    loading.add_argument("--side", type=int, default=256, help="of these files, pixels")
    loading.add_argument("--timed", type=int, default=20000, help="images of a timed pass")
    loading.add_argument("--steps", type=int, default=20, help="of the training")
    loading.add_argument("--workers", type=int, default=2, help="loader processes")
    pieces = commands.add_parser("pieces", help="parts of ours beside the plain way, at several sizes")
    pieces.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_pieces.json")
    pieces.add_argument("--names", nargs="+", choices=tuple(PIECES), default=list(PIECES))
    pieces.add_argument("--repeats", type=int, default=5, help="medians count")
    scale = commands.add_parser("scale", help="very many images, killed and resumed; about half an hour")
    scale.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_scale.json")
    scale.add_argument("--bundle", default="cxr_pylon_localization")
    scale.add_argument("--images", type=int, default=20000)
    scale.add_argument("--side", type=int, default=256, help="of the images, pixels")
    scale.add_argument("--kill-at", type=float, default=0.4, help="share of the images after which the run is killed")
    scale.add_argument("--outputs", nargs="+", default=["json", "npz", "png", "nifti"])
    runtimes = commands.add_parser("runtimes", help="a network by what runs it; nothing else may run")
    runtimes.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_runtimes.json")
    runtimes.add_argument("--bundles", nargs="+", default=NAMES)
    runtimes.add_argument("--sides", type=int, nargs="*", default=[256, 512, 1024], help="beside the bundle's own")
    runtimes.add_argument("--threads", type=int, default=1)
    runtimes.add_argument("--repeats", type=int, default=50, help="the median counts")
    int8 = commands.add_parser("int8", help="localisers in 8-bit whole numbers: time, points, AUROC; an idle machine")
    int8.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_int8.json")
    int8.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared" / "nih", help="NIH's images")
    int8.add_argument("--work", type=Path, default=REPOSITORY / "build" / "int8", help="for the datalist")
    int8.add_argument(
        "--methods", nargs="+", default=["pylon", "multiscale", "cam", "pcam"], help="of tools/nih/nih.yaml"
    )
    int8.add_argument("--images", type=int, default=200, help="that calibrate")
    int8.add_argument("--repeats", type=int, default=50, help="the median counts")
    archive = commands.add_parser(
        "archive", help="steps of cxr archive run, a whole run, and estimates; on an idle machine"
    )
    archive.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results" / "bench_archive.json")
    archive.add_argument("--bundle", default="cxr_multiscale_localization")
    archive.add_argument("--counts", type=int, nargs=2, default=[40, 10], help="images of each kind, for the steps")
    archive.add_argument("--images", type=int, default=4000, help="of the larger whole run")
    archive.add_argument("--repeats", type=int, default=5, help="of the steps; medians count")
    for name, value in ASSUMED.items():
        archive.add_argument(f"--{name.replace('_', '-')}", type=float, default=value, help=f"assumed: {value}")
    args = parser.parse_args(argv)
    if args.command == "archive":
        assumed = {name: getattr(args, name) for name in ASSUMED}
        record = bench_archive(args.output, args.bundle, args.counts, args.images, args.repeats, assumed)
        print(archive_table(record) + "\n" + scale_table(record))
        return 0
    if args.command == "loading":
        given = (args.output, args.images, args.side, args.timed, args.steps, args.workers)
        print(loading_table(bench_loading(*given)))
        return 0
    if args.command == "pieces":
        print(pieces_table(bench_pieces(args.output, args.names, args.repeats)))
        return 0
    if args.command == "scale":
        given = (args.output, args.bundle, args.images, args.side, args.kill_at, args.outputs)
        print(scale_text(bench_scale(*given)))
        return 0
    if args.command == "int8":
        given = (args.output, args.shared, args.work, args.methods, args.images, args.repeats)
        # By its name: it scores as tools.results does, which shows this package's tables.
        print(int8_table(resolve_name("tools.int8:bench_int8")(*given)))
        return 0
    if args.command == "runtimes":
        bundles, sides = tuple(args.bundles), tuple(args.sides)
        print(runtimes_table(bench_runtimes(args.output, bundles, sides, args.threads, args.repeats)))
        return 0
    if args.command == "inference":
        counts = dict(zip(args.kinds, args.images, strict=True))
        record = bench_inference(args.output, args.bundles, counts, args.batches, args.repeats, args.by_hand)
        print(inference_table(record))
        return 0
    record = bench_walk(
        args.output, args.threads, tuple(args.sizes), tuple(args.dense_sizes), args.extrapolate_to, args.repeats
    )
    print(table(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
