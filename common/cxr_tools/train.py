"""`cxr train`: a bundle's training on a data set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.loading import find_bundle
from cxr_tools.bundle_parser import BundleParser, absolute, add_bundle, add_recipe, beside, recipe_files
from cxr_tools.workflow import show_workflow, workflow_command

EXAMPLES = """examples:
  cxr train data -o run --bundle cxr_pylon_localization --recipe from_imagenet
  cxr train data -o run --max_epochs 20 --batch_size 16   # the paper's recipe, with two other values

The folder holds datalist.json, which cxr prepare makes. A training that was stopped goes on when the command is given
again. Any further --name value is an option of the bundle (docs/reference/configuration.md). It writes model.pt, and
thresholds.json with the names of your classes: cxr find uses both by --weights run/model.pt.
"""


def make_parser() -> BundleParser:
    """The parser of its options."""
    parser = BundleParser(prog="cxr train", description="Train a bundle on your labels.", epilog=EXAMPLES)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with datalist.json")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for weights, checkpoints and logs")
    add_bundle(parser)
    add_recipe(parser)
    parser.add_argument("--processes", type=int, default=1, help="one per GPU, under torchrun (default: 1)")
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run the training; returns its exit status."""
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    bundle = find_bundle(args.bundle).absolute()
    files = recipe_files(bundle, args.recipe)
    if args.processes > 1:
        files.append(bundle / "configs" / "multi_gpu_train.yaml")
        if not files[-1].is_file():
            raise InputError("has no multi_gpu_train.yaml", bundle, "leave out --processes")
    options = beside(bundle, files) | {"dataset_dir": absolute(args.data), "output_dir": absolute(args.output)}
    return show_workflow(workflow_command(bundle, files, options | args.bundle_options, args.processes))


if __name__ == "__main__":
    sys.exit(main())
