"""`cxr find`: a bundle's inference on radiographs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.loading import find_bundle
from cxr_tools.bundle_parser import BundleParser, absolute, add_bundle, beside
from cxr_tools.workflow import show_workflow, workflow_command

EXAMPLES = """examples:
  cxr find xrays -o out                                   # every radiograph in a folder
  cxr find image.dcm -o out --outputs json,png,dicom_sr   # one file; results as a picture and as DICOM too
  cxr find xrays -o out --bundle cxr_oxnet_detection
  cxr find xrays -o out --bundle cxr_chexseg_segmentation --overlay lungs    # lungs in place of findings
  cxr find xrays -o out --weights run/model.pt --network_def#num_classes 2   # what cxr train made, of two classes

Any further --name value is an option of the bundle (docs/reference/configuration.md). A file that cannot be used never
stops the others: it is listed in out/findings.json, and the exit status is 1.
"""


def make_parser() -> BundleParser:
    """The parser of its options."""
    parser = BundleParser(
        prog="cxr find", description="Look for findings in frontal chest radiographs.", epilog=EXAMPLES
    )
    parser.add_argument(
        "images", type=Path, metavar="XRAYS", help="folder or file: DICOM, PNG, JPEG, TIFF, NIfTI, MHA, NRRD"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for results")
    add_bundle(parser)
    parser.add_argument(
        "--overlay",
        metavar="NAME",
        help="an inference_NAME.json of the bundle, which changes its inference.json; trt: by TensorRT, on a GPU",
    )
    parser.add_argument(
        "--outputs",
        metavar="KINDS",
        help="what to write, by commas: json, npz (heatmaps), png, nifti (masks), "
        "dicom_seg, dicom_sr, dicom_gsps, dicom_sc (default: the first four, as far as the bundle has them)",
    )
    return parser


def overlay_files(bundle: Path, name: str | None) -> list[Path]:
    """The overlay on inference.json that is asked for.

    Raises:
        InputError: the bundle has no such overlay.
    """
    if name is None:
        return []
    known = sorted(path.stem.removeprefix("inference_") for path in (bundle / "configs").glob("inference_*.json"))
    if name not in known:
        action = f"{bundle.name} has {', '.join(known) or 'none'}"
        raise InputError("there is no such overlay on inference.json", f"--overlay {name}", action)
    return [bundle / "configs" / f"inference_{name}.json"]


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run the bundle; returns its exit status."""
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    bundle = find_bundle(args.bundle).absolute()
    configs = [bundle / "configs" / "inference.json", *overlay_files(bundle, args.overlay)]
    options = beside(bundle, configs) | {"dataset_dir": absolute(args.images), "output_dir": absolute(args.output)}
    if args.outputs is not None:
        listed = [name.strip() for name in args.outputs.strip("[]").replace("'", "").split(",") if name.strip()]
        options["outputs"] = str(listed)
    return show_workflow(workflow_command(bundle, configs, options | args.bundle_options))


if __name__ == "__main__":
    sys.exit(main())
