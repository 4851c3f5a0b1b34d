"""What an archive holds: the paths of a list or folder, or the instances that a PACS has."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from cxr_common.data.discovery import find_radiographs
from cxr_common.errors import InputError
from cxr_tools.archive.source import Source, is_address, web_image


def list_images(args: argparse.Namespace) -> tuple[list[str], Source]:
    """The images that the option ``--input`` stands for, each once, and how to get at them.

    Args:
        args: ``input``: a text file of paths, an image file, a folder, or the address of a DICOMweb service; for the
            latter ``ca``, ``patience`` and the choice of the PACS commands, which is checked.

    Raises:
        InputError: there is nothing, or the list, folder or PACS cannot be used.
    """
    if is_address(args.input):
        images = list(dict.fromkeys(_of_pacs(args)))
        source = Source(args.input, None if args.ca is None else args.ca.absolute(), args.patience)
        if not images:
            raise InputError("the PACS has nothing that matches", "--input", "check --date, --modality and the others")
        return images, source
    path = Path(args.input).expanduser()
    if path.suffix.lower() == ".txt" and path.is_file():
        return list(dict.fromkeys(_of_list(path))), Source()
    return [item["image"] for item in find_radiographs(path)], Source()


def _of_list(path: Path) -> Iterator[str]:
    """Absolute paths of a list; relative ones are relative to it."""
    folder, found = Path(os.path.abspath(path)).parent, False
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            for line in file:
                if "\0" in line:
                    raise InputError("is no text in UTF-8", path, "save it as UTF-8")
                if (name := line.rstrip("\r\n")).strip():
                    found = True
                    yield os.path.normpath(folder / name)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path, "check the path") from None
    if not found:
        raise InputError("is empty", path, "write one path of an image into each line")


def _of_pacs(args: argparse.Namespace) -> Iterator[str]:
    from cxr_tools.pacs import options, pull

    args.url = args.input
    for study, series, instance in pull.instances(options.open_pacs(args), args):
        yield web_image(study, series, instance)
