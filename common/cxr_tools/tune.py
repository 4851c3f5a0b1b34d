"""`cxr tune`: thresholds for a bundle's weights, chosen on images of the user's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.findings import ClassThresholds, load_thresholds
from cxr_common.loading import find_bundle
from cxr_tools.bundle_parser import BundleParser, absolute, add_bundle, add_recipe, beside, recipe_files
from cxr_tools.markdown import table
from cxr_tools.workflow import show_workflow, workflow_command

EXAMPLES = """examples:
  cxr tune data -o tuned --bundle cxr_pylon_localization --recipe from_imagenet   # for the shipped weights
  cxr find xrays -o out --bundle cxr_pylon_localization --thresholds#path tuned/thresholds.json

Give the bundle and the recipe that the weights were trained with. The weights stay as they are. Use images like those
that the network will see, with and without findings, and other ones than those that you score. What is tuned: which
findings are present (localisers and segmenters: by labels), where a mask ends (localisers: by boxes, segmenters: by
masks), which boxes are shown (detectors: by boxes). A class of which there are fewer than five images keeps its
threshold.
Any further --name value is an option of the bundle (docs/reference/configuration.md).
"""


def make_parser() -> BundleParser:
    """The parser of its options."""
    parser = BundleParser(
        prog="cxr tune",
        description="Choose thresholds for weights on the section validation of a data set, or on another (--section).",
        epilog=EXAMPLES,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with datalist.json")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for thresholds.json")
    add_bundle(parser)
    add_recipe(parser)
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Tune; show each class's threshold before and after; returns the exit status.

    Raises:
        InputError: the bundle tunes nothing without training.
    """
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    bundle = find_bundle(args.bundle).absolute()
    overlay = bundle / "configs" / "tune.yaml"
    if not overlay.is_file():
        action = "tune the localiser whose heatmaps it refines"
        raise InputError("has thresholds that only a training tunes", bundle.name, action)
    files = [*recipe_files(bundle, args.recipe), overlay.with_name("evaluate.yaml"), overlay]
    options = beside(bundle, files) | {"dataset_dir": absolute(args.data), "output_dir": absolute(args.output)}
    status = show_workflow(workflow_command(bundle, files, options | args.bundle_options))
    if status == 0:
        weights = Path(args.bundle_options.get("weights", bundle / "models" / "model.pt"))
        found = load_thresholds(args.output / "thresholds.json")
        print(changes(load_thresholds(weights.with_name("thresholds.json")), found))
        print(f"wrote {args.output / 'thresholds.json'}")
    return status


def changes(before: ClassThresholds, after: ClassThresholds) -> str:
    """Every class's thresholds, as a table."""

    def cell(field: str, label: str) -> str:
        old, new = (getattr(one, field)[label] for one in (before, after))
        return f"{old:.3f}" if old == new else f"{old:.3f} -> {new:.3f}"

    rows = [[label, *(cell(field, label) for field in after.by_class)] for label in after.labels]
    return table(["class", *after.by_class], rows)


if __name__ == "__main__":
    sys.exit(main())
