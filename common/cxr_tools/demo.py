"""Find something on chest radiographs and show it: six phantoms, or a folder of yours.

cxr demo
cxr demo --images FOLDER --output build/demo
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path

from cxr_common.axes import picture_to_tensor
from cxr_common.cli import one_line_errors
from cxr_common.data import find_radiographs
from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.errors import InputError
from cxr_common.findings import read_findings
from cxr_common.findings.page import Truth, write_report
from cxr_common.findings.run_record import file_names
from cxr_common.loading import find_bundle
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.workflow import run_workflow, workflow_command

#: Of the demo alone: no training, validation or test set is made from it.
SEED = 20_260_101
SIZE = 512
FINDINGS: tuple[tuple[str, ...], ...] = (
    ("Mass",),
    ("Pneumothorax",),
    (),
    ("Effusion", "Nodule"),
    ("Cardiomegaly",),
    ("Consolidation",),
    ("Atelectasis",),
)
PHOTOMETRICS = ("MONOCHROME2", "MONOCHROME1")
PHANTOM_NOTES = (
    "Each row is a synthetic radiograph (a phantom) in a DICOM file, what is truly in it, and what the model found.",
    "Phantoms are not patients. These ones were not used in training, yet how well the model does on them says nothing"
    " about real radiographs.",
)
IMAGES_NOTES = (
    "Each row is a radiograph and what the model found in it. The model learned from few images of one hospital and"
    " from synthetic ones, so expect it to be wrong often. The bundle's card has its figures.",
)


def make_phantoms(folder: Path, count: int) -> dict[str, Truth]:
    """Write phantom DICOM files, by turns MONOCHROME2 and MONOCHROME1.

    Args:
        folder: where they go; phantoms of an earlier demo there are removed.
        count: how many.

    Returns:
        File name -> what the phantom shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("phantom_*.dcm"):
        old.unlink()
    truth = {}
    for index in range(count):
        findings = FINDINGS[index % len(FINDINGS)]
        phantom = make_phantom(SEED, index, PhantomConfig(size=SIZE), findings)
        name = f"phantom_{index + 1}_{'_'.join(findings).lower() or 'normal'}.dcm"
        write_dicom(phantom, folder / name, photometric=PHOTOMETRICS[index % 2])
        masks = {label: picture_to_tensor(mask) for label, mask in phantom.masks.items()}
        truth[name] = Truth(masks, phantom.boxes)
    return truth


def run_inference(bundle: Path, images: Path, results: Path, log: Path) -> int:
    """Run a bundle's inference as its users do.

    Args:
        bundle: bundle folder.
        images: folder of radiographs.
        results: folder for what it writes; results of an earlier demo there are removed.
        log: file for its output.

    Returns:
        Its exit status: 0, or 1 where some images failed.

    Raises:
        InputError: the bundle cannot be run at all.
    """
    config = bundle / "configs" / "inference.json"
    if not config.is_file():
        raise InputError("no bundle with configs/inference.json", bundle, "check --bundle")
    _remove_results(results)
    command = workflow_command(bundle, [config], {"dataset_dir": images, "output_dir": results})
    status, reason = run_workflow(command, log)
    if not (results / "findings.json").is_file():
        raise InputError(reason or f"inference ended with status {status}", bundle, f"see {log}")
    return status


def _remove_results(folder: Path) -> None:
    """Remove the files that an earlier record lists, and the record, so that nothing old is shown for new."""
    with contextlib.suppress(InputError, KeyError, TypeError):
        for image in read_findings(folder)["images"]:
            for name in file_names(image["files"]):
                (folder / Path(name).name).unlink(missing_ok=True)
    (folder / "findings.json").unlink(missing_ok=True)


def demo(output: Path, bundle: Path, images: Path | None, count: int) -> int:
    """Make the page.

    Args:
        output: folder for everything; made where missing, files of an earlier demo are replaced.
        bundle: bundle folder.
        images: folder of radiographs; None makes phantoms.
        count: how many phantoms.

    Returns:
        Exit status of the inference.

    Raises:
        InputError: nothing to show: no images, or the bundle does not run.
    """
    if count < 1:
        raise InputError(f"is {count}", "--count", "must be at least 1")
    output, page, log = output.resolve(), output.resolve() / "index.html", output.resolve() / "inference.log"
    truth: dict[str, Truth] = {}
    if images is not None:
        number = len(find_radiographs(images))
        if output.is_relative_to(images.resolve()):
            raise InputError("lies in the folder of images", "--output", "choose another, else results become inputs")
    output.mkdir(parents=True, exist_ok=True)
    page.unlink(missing_ok=True)
    if images is None:
        number = count
        print(f"making {count} phantoms")
        truth = make_phantoms(output / "images", count)
    source = output / "images" if images is None else images.resolve()
    print(f"looking for findings on {number} image{'s' if number > 1 else ''} (log: {_short(log)})", flush=True)
    start = time.monotonic()
    status = run_inference(bundle.resolve(), source, output / "results", log)
    record = read_findings(output / "results")
    counts = record["summary"]
    print(f"{counts['images']} done, {counts['failures']} failed, {time.monotonic() - start:.0f} s")
    for failure in record["failures"]:
        print(f"  {failure['path'] or 'input'}: {failure['reason']}", file=sys.stderr)
    notes = PHANTOM_NOTES if images is None else IMAGES_NOTES
    write_report(output / "results", page, "Findings on chest radiographs", notes, truth)
    print(_short(page))
    return status


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Make the page; returns the exit status."""
    parser = ToolParser(prog="cxr demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="folder of radiographs; default: phantoms are made")
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder for the page and all files")
    parser.add_argument("--bundle", default="cxr_multiscale_localization")
    parser.add_argument("--count", type=int, default=6, help="phantoms to make")
    args = parser.parse_args(argv)
    return demo(args.output, find_bundle(args.bundle), args.images, args.count)


if __name__ == "__main__":
    sys.exit(main())
