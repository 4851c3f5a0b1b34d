"""Command lines that take any option of a bundle besides their own."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.loading import find_bundle
from cxr_common.start.nearest import nearest
from cxr_common.start.tool_parser import ToolParser

DEFAULT = "cxr_multiscale_localization"
#: An option that names a bundle beside this one, or a file of it, in JSON or YAML.
_BESIDE = re.compile(r"""^ *"?(\w+)"?: *"?\$@bundle_root \+ '/\.\./(\w+)(/[^']*)?'""", re.MULTILINE)


class BundleParser(ToolParser):
    """A parser to which every option that it does not know is one of the bundle.

    ``--name value`` and ``--name=value`` are taken; what follows ``--`` is the bundle's in any case. `parse_args` gives
    them as `bundle_options`, name -> value. The bundle refuses what it does not know, with its nearest option.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)

    def parse_args(self, args: Sequence[str], namespace: Any = None) -> Any:  # type: ignore[override]
        """Read and check the command line. Errors as in the base class."""
        own, options = self._split(args)
        found = super().parse_args(own, namespace)
        found.bundle_options = options
        return found

    def _split(self, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        own: list[str] = []
        options: dict[str, str] = {}
        waiting, only_options = list(words), False
        while waiting:
            word = waiting.pop(0)
            name, sign, value = word.removeprefix("--").partition("=")
            if word == "--" and not only_options:
                only_options = True
            elif word.startswith("--") and (only_options or f"--{name}" not in self._option_string_actions):
                if not sign:
                    if not waiting or waiting[0].startswith("--"):
                        self.error(f"--{name} of the bundle has no value")
                    value = waiting.pop(0)
                options[name] = value
            elif only_options:
                self.error(f"{word} is not an option; after -- give --name value")
            else:
                own.append(word)
        return own, options


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Which bundle."""
    parser.add_argument(
        "--bundle",
        default=DEFAULT,
        metavar="BUNDLE",
        help=f"name, folder, zip, or URL#sha256=HASH of a bundle (default: {DEFAULT}); cxr bundles lists names",
    )


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Which overlays of train.yaml."""
    parser.add_argument(
        "--recipe",
        default="",
        metavar="NAMES",
        help="recipes of the bundle, by commas, such as from_imagenet (small images, no GPU); default: none",
    )


def recipe_files(bundle: Path, names: str) -> list[Path]:
    """train.yaml and the recipes laid over it.

    Raises:
        InputError: the bundle has no such recipe.
    """
    files = [bundle / "configs" / "train.yaml"]
    known = recipes(bundle)
    for name in (part.strip().removesuffix(".yaml") for part in names.split(",") if part.strip()):
        if name not in known:
            guess = nearest(name, known)
            action = f"did you mean {guess}?" if guess else f"{bundle.name} has {', '.join(known) or 'none'}"
            raise InputError("there is no such recipe", f"--recipe {name}", action)
        files.append(bundle / "configs" / f"{name}.yaml")
    return files


def recipes(bundle: Path) -> list[str]:
    """Names of a bundle's overlays on train.yaml."""
    others = ("train", "evaluate", "tune", "multi_gpu_train")
    return [path.stem for path in sorted((bundle / "configs").glob("*.yaml")) if path.stem not in others]


def beside(bundle: Path, files: Sequence[Path]) -> dict[str, str]:
    """Options that name other bundles which a bundle looks for beside itself, where they are not there.

    In the cache each bundle lies in a folder of its own.

    Args:
        bundle: its folder.
        files: its config files.

    Returns:
        Option -> path, of the bundles that are found by their names.
    """
    options = {}
    for option, name, rest in _BESIDE.findall("\n".join(file.read_text(encoding="utf-8") for file in files)):
        if not (bundle.parent / name).is_dir():
            with suppress(InputError):  # the bundle's own error says what to fetch
                options[option] = f"{find_bundle(name).absolute()}{rest}"
    return options


def absolute(path: Path) -> str:
    """A path as a bundle is given it: also a name such as 2026_05 stays text on its command line."""
    return os.path.abspath(path.expanduser())
