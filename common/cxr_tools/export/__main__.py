"""Write bundles as TorchScript, ONNX and torch.export files, each compared with the bundle before it appears.

cxr export cxr_pylon_localization --output exported
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.exports import TOLERANCE, exportable
from cxr_common.files import replacing
from cxr_common.loading import LoadedBundle, load
from cxr_common.start.tool_parser import ToolParser
from cxr_tools.export.compare import difference, sample_images
from cxr_tools.export.facts import facts_of, multiple_of
from cxr_tools.export.formats import FORMATS, Format
from cxr_tools.export.int8 import Quantised, quantise
from cxr_tools.yaml_files import parse_yaml


def export(bundle: LoadedBundle, output: Path, formats: Sequence[str], boxes: bool = False) -> dict[Path, float]:
    """Write a bundle in some formats.

    Args:
        bundle: the bundle, on the CPU.
        output: folder for the files, which are called after the bundle; existing ones are replaced.
        formats: names of :data:`~cxr_tools.export.formats.FORMATS`.
        boxes: whether a detector's boxes are decoded and selected inside.

    Returns:
        File -> its largest difference from what the bundle gives.

    Raises:
        InputError: a package is missing, the bundle's inferer cannot be written, or a file gives something else than
            the bundle; no such file is left.
    """
    missing = [package for name in formats for package in FORMATS[name].needs if find_spec(package) is None]
    if missing:
        raise InputError(f"needs {', '.join(missing)}", "--formats", f"pip install {' '.join(missing)}")
    module = exportable(bundle.inferer, bundle.network, boxes)
    facts = facts_of(bundle, module.outputs)  # type: ignore[arg-type]  # a tuple of names
    example = next(_images(bundle, FORMATS[formats[0]])).repeat(2, 1, 1, 1)
    written = {}
    for name in formats:
        path = output / f"{bundle.model.name}{'_boxes' if boxes else ''}{FORMATS[name].suffix}"
        with replacing(path) as temporary:
            FORMATS[name].write(module, example, temporary, facts)
            written[path] = _compare(bundle, module, FORMATS[name], temporary, path)
    return written


def _images(bundle: LoadedBundle, form: Format) -> Any:
    config = bundle.config.get_parsed_content
    mean, std = config("intensity_mean"), config("intensity_std")
    return sample_images(config("spatial_size"), multiple_of(bundle), mean, std, form.any_size)


@torch.no_grad()
def _compare(bundle: LoadedBundle, module: Any, form: Format, file: Path, path: Path) -> float:
    run, largest = form.load(file), 0.0
    for image in _images(bundle, form):
        expected = module.expected(image, bundle.inferer, bundle.network)
        for name, found, wanted in zip(module.outputs, run(image), expected, strict=True):
            off = difference(name, found, wanted, max(image.shape))
            if not off <= TOLERANCE:
                reason = f"its {name} differs by {off:.1e} from the bundle's for images {tuple(image.shape)}"
                raise InputError(f"{reason}, so it was not written", path, "choose another format, and report this")
            largest = max(largest, off)
    return largest


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to write, and where."""
    parser.add_argument("bundles", nargs="+", metavar="BUNDLE", help="name, folder or zip")
    parser.add_argument("--output", type=Path, required=True, help="folder for the files")
    parser.add_argument("--formats", nargs="+", choices=[*FORMATS], default=[*FORMATS], help="default: all")
    parser.add_argument("--boxes", action="store_true", help="of a detector: decode and select its boxes inside")
    parser.add_argument(
        "--int8", type=Path, metavar="FOLDER", help="write NAME_int8.onnx too; FOLDER has 20 or more radiographs"
    )
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="OPTION=VALUE", help="entries of inference.json to replace"
    )


def read_settings(words: Sequence[str]) -> Mapping[str, Any]:
    """Options given as ``name=value``, values in YAML.

    Raises:
        InputError: a word has no equals sign, or its value is not YAML.
    """
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError("is not an option", f"--set {word}", "give OPTION=VALUE, such as weights=run/model.pt")
        settings[name] = parse_yaml(value, f"--set {word}", "give OPTION=VALUE, the value in YAML")
    return settings


def run(args: argparse.Namespace) -> int:
    """Export the bundles that the options name; returns the exit status."""
    if args.int8 and "onnx" not in args.formats:
        raise InputError("is made of the ONNX file", "--int8", "give --formats onnx too")
    for name in args.bundles:
        bundle = load(name, device="cpu", **read_settings(args.set))
        written = export(bundle, args.output, args.formats, args.boxes)
        for path, off in written.items():
            print(f"{path}  {_size(path)}, differs from the bundle by {off:.1e} at most")
        if args.int8:
            onnx = next(path for path in written if path.suffix == FORMATS["onnx"].suffix)
            _print_quantised(quantise(onnx, bundle, args.int8))
    return 0


def _print_quantised(made: Quantised) -> None:
    off = f"{made.mean:.3f} on average, {made.largest:.2f} at most"
    print(f"{made.path}  {_size(made.path)}, on {made.images} radiographs its probabilities differ by {off}")
    for path, reason in made.left_out.items():
        print(f"left out {path}: {reason}", file=sys.stderr)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Export bundles; returns the exit status."""
    parser = ToolParser(
        prog="cxr export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
