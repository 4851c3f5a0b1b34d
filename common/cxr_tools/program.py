"""The program `cxr`: each of its commands is the ``main`` of a module, which is imported when it is asked for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import NamedTuple

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.start.tool_parser import ToolParser


class Command(NamedTuple):
    """A command: the module whose ``main(argv)`` it is, and what it does."""

    module: str
    about: str


COMMANDS = {
    "find": Command("cxr_tools.find", "look for findings in radiographs"),
    "report": Command("cxr_tools.report", "make an HTML page of what was found"),
    "demo": Command("cxr_tools.demo", "both of these, on synthetic radiographs or on yours"),
    "bundles": Command("cxr_tools.bundles", "list the bundles that you can use by name, and their recipes"),
    "get": Command("cxr_tools.get", "fetch a bundle, and check its hash"),
    "prepare": Command(
        "cxr_tools.prepare.__main__", "make, check, merge and look at datalists: images with their labels"
    ),
    "train": Command("cxr_tools.train", "train a bundle on your labels"),
    "evaluate": Command("cxr_tools.evaluate", "score weights on a data set"),
    "tune": Command("cxr_tools.tune", "choose thresholds for weights on a data set"),
    "pack": Command("cxr_tools.pack.__main__", "pack a bundle into a zip that runs without this package"),
    "export": Command("cxr_tools.export.__main__", "write a bundle's network as ONNX, TorchScript or torch.export"),
    "verify": Command("cxr_verify.__main__", "check any MONAI bundle"),
    "pacs": Command("cxr_tools.pacs.__main__", "fetch radiographs from a PACS, and send results back"),
    "archive": Command("cxr_tools.archive.__main__", "look for findings in an archive, on one machine or many"),
    "pipeline": Command("cxr_tools.pipeline.__main__", "train a segmenter from image labels"),
    "reproduce": Command("cxr_tools.reproduce.__main__", "repeat a paper's experiment on a public data set"),
    "phantoms": Command("cxr_tools.make_phantoms", "make a data set of synthetic radiographs"),
    "simulate": Command("cxr_tools.simulate_findings", "put findings into radiographs that have none"),
    "lungs": Command("cxr_tools.lungs", "add boxes of chests to a datalist"),
    "convert": Command("cxr_tools.convert_published", "make a bundle from a published checkpoint"),
}
EXAMPLES = """examples:
  cxr demo                                        synthetic radiographs and what is found on them, as a page
  cxr find xrays -o out && cxr report out         the same of the files in the folder xrays
  cxr bundles                                     what --bundle can name

cxr COMMAND --help says more of each.
"""
#: Module that may be missing -> the extra that brings it.
EXTRAS = {
    "cyclonedx": "pack",
    "dicomweb_client": "pacs",
    "ensemble_boxes": "prepare",
    "highdicom": "dicom",
    "keyring": "pacs",
    "matplotlib": "train",
    "pyarrow": "ray",
    "pynetdicom": "pacs",
    "ray": "ray",
    "onnx": "export",
    "onnxruntime": "export",
    "requests": "pacs",
    "skimage": "report",
    "tensorboard": "train",
}


def make_parser() -> ToolParser:
    """The parser of the command's name."""
    parser = ToolParser(
        prog="cxr",
        description="Find what chest radiographs show, by MONAI bundles. For research, not for clinical use.",
        epilog=EXAMPLES,
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, max_help_position=24),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.about, add_help=False)
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: its name and its arguments; default those of the process.

    Returns:
        Exit status: 0; 1 with one ``error:`` line for bad input; 2 for a command line that cannot be read.
    """
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if (name := _completed()) is not None:
        os.environ["_ARGCOMPLETE"] = "2"  # argcomplete begins at the second word
        words = [name]
    else:
        name = make_parser().parse_args(words[:1]).command
    try:
        return int(import_module(COMMANDS[name].module).main(words[1:]) or 0)
    except ModuleNotFoundError as error:
        if (extra := EXTRAS.get((error.name or "").partition(".")[0])) is None:
            raise
        raise InputError(f"needs the package {error.name}", name, f"pip install 'cxr-bundles[{extra}]'") from error


def _completed() -> str | None:
    """The command whose options a shell wants completed; None where it completes none, or the command's name."""
    line = os.environ.get("COMP_LINE", "") if "_ARGCOMPLETE" in os.environ else ""
    words = line[: int(os.environ.get("COMP_POINT") or len(line))].split(" ")
    return words[1] if len(words) > 2 and words[1] in COMMANDS else None


if __name__ == "__main__":
    sys.exit(main())
