"""`cxr evaluate`: figures of a bundle's weights on a data set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.loading import find_bundle
from cxr_tools.bundle_parser import BundleParser, absolute, add_bundle, add_recipe, beside, recipe_files
from cxr_tools.workflow import show_workflow, workflow_command

EXAMPLES = """examples:
  cxr evaluate data -o scores --bundle cxr_pylon_localization --recipe from_imagenet   # the shipped weights
  cxr evaluate data -o scores --bundle cxr_pylon_localization --recipe from_imagenet --weights run/model.pt

Give the bundle and the recipe that the weights were trained with. scores/metrics.json has each figure with its 95%
interval. Any further --name value is an option of the bundle (docs/reference/configuration.md).
"""


def make_parser() -> BundleParser:
    """The parser of its options."""
    parser = BundleParser(
        prog="cxr evaluate",
        description="Score weights on the section testing of a data set, or on another (--section validation).",
        epilog=EXAMPLES,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with datalist.json")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for metrics.json")
    add_bundle(parser)
    add_recipe(parser)
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run the evaluation; returns its exit status."""
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    bundle = find_bundle(args.bundle).absolute()
    files = [*recipe_files(bundle, args.recipe), bundle / "configs" / "evaluate.yaml"]
    options = beside(bundle, files) | {"dataset_dir": absolute(args.data), "output_dir": absolute(args.output)}
    return show_workflow(workflow_command(bundle, files, options | args.bundle_options))


if __name__ == "__main__":
    sys.exit(main())
