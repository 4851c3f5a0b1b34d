"""`cxr tune`: thresholds for a bundle's weights, chosen on images of the user's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.findings import ClassThresholds, load_thresholds
from cxr_common.findings.thresholds import DEFAULT_DECISION
from cxr_common.loading import find_bundle
from cxr_tools.bundle_parser import BundleParser, absolute, add_bundle, add_recipe, beside, recipe_files
from cxr_tools.markdown import table
from cxr_tools.workflow import show_workflow, workflow_command

EXAMPLES = """examples:
  cxr tune data -o tuned --bundle cxr_pylon_localization --recipe from_imagenet   # for the shipped weights
  cxr find xrays -o out --bundle cxr_pylon_localization --thresholds#path tuned/thresholds.json
  cxr tune images -o tuned --datalist list.json --section testing    # a datalist elsewhere; another section of it

Give the bundle and the recipe that the weights were trained with. The weights stay as they are. Use images like those
that the network will see, with and without findings, and other ones than those that you score. What is tuned: which
findings are present (localisers and segmenters: by labels), where a mask ends (localisers: by boxes, segmenters: by
masks), which boxes are shown (detectors: by boxes). Classes are matched by name. A class of which there are fewer than
five images keeps its threshold. A class that the network does not find on twenty images gets the decision .5.
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
    before = thresholds_before(bundle, args.bundle_options)
    status = show_workflow(workflow_command(bundle, files, options | args.bundle_options))
    if status == 0:
        written = Path(options["output_dir"]) / "thresholds.json"
        after = load_thresholds(written)
        print(changes(before, after))
        if before and any(value == DEFAULT_DECISION != before.decision[name] for name, value in after.decision.items()):
            print("-> 0.500: on these images the network does not find this class")
        print(f"wrote {written}")
    return status


def thresholds_before(bundle: Path, options: Mapping[str, str]) -> ClassThresholds | None:
    """The thresholds that the weights have; None where they have none, or where an option gives them as an expression.

    What is wrong with them is for the bundle to say.
    """
    weights = Path(options.get("weights", bundle / "models" / "model.pt"))
    given = options.get("thresholds#path", str(weights.with_name("thresholds.json")))
    if "thresholds" in options or given.startswith("$"):
        return None
    with suppress(InputError):
        return load_thresholds(given)
    return None


def changes(before: ClassThresholds | None, after: ClassThresholds) -> str:
    """Every class's thresholds, as a table."""

    def cell(field: str, label: str) -> str:
        old, new = (getattr(one, field)[label] for one in (before or after, after))
        return f"{old:.3f}" if old == new else f"{old:.3f} -> {new:.3f}"

    rows = [[label, *(cell(field, label) for field in after.by_class)] for label in after.labels]
    return table(["class", *after.by_class], rows)


if __name__ == "__main__":
    sys.exit(main())
