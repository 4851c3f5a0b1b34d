"""Train the network of cxr_common's picture test, and score it on pictures that it did not learn from.

python -m tools.picture_test                   # weights into the package, figures into docs/results
python -m tools.picture_test --score-only      # the weights that are there
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import asdict
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.data.picture_test.kind_network import WEIGHTS, load_network, save_network
from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_common.json_files import read_json
from cxr_common.start.tool_parser import ToolParser
from tools.picture_test.score import score
from tools.picture_test.train import Recipe, gather, train
from tools.repository import REPOSITORY


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = ToolParser(
        prog="python -m tools.picture_test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared", help="folder with nih and cxr")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results", help="folder of the figures")
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--score-only", action="store_true", help="train nothing, score the package's weights")
    args = parser.parse_args(argv)
    target, recipe, start = args.output / "picture_test.json", Recipe(seed=args.seed), time.monotonic()
    if args.score_only:
        before = read_json(target, "train once without --score-only")
        known = {key: before[key] for key in ("recipe", "trained_on", "training_minutes")}
    else:
        material = gather(args.shared, recipe)
        network, threshold = train(material, recipe)
        save_network(network, threshold, WEIGHTS)
        minutes = (time.monotonic() - start) / 60
        known = {"recipe": asdict(recipe), "trained_on": material.counts, "training_minutes": minutes}
    load_network.cache_clear()
    network, threshold = load_network()
    sha256 = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    figures = score(args.shared, network, threshold)
    write_json({**known, "weights_sha256": sha256, "threshold": threshold, **figures, **provenance()}, target)
    print(f"wrote {WEIGHTS} and {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
