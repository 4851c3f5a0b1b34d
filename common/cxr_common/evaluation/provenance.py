"""What a result was computed from and with."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import torch

from cxr_common import __version__


def data_sha256(items: Sequence[Mapping[str, Any]], masks: bool = False) -> str:
    """SHA-256 over the bytes of the items' images in order, then over what is known of them.

    The same data in another folder has the same hash: of paths, only file names count.

    Args:
        items: datalist items with absolute paths.
        masks: whether the masks count too; without it the hash is that of data sets before there were segmenters.
    """
    digest = hashlib.sha256()
    for item in items:
        digest.update(Path(item["image"]).read_bytes())
        known = {k: item.get(k) for k in ("label", "boxes", "box_labels")}
        digest.update(json.dumps([Path(item["image"]).name, known], sort_keys=True).encode())
        for name, path in sorted((item.get("mask") or {}).items()) if masks else ():
            digest.update(name.encode() + (b"" if path is None else Path(path).read_bytes()))
        if masks and item.get("label_map"):  # the masks do not tell background from void
            digest.update(Path(item["label_map"]).read_bytes())
    return digest.hexdigest()


class Provenance(TypedDict):
    """Date (ISO 8601), kind of machine, Python's version and versions by package."""

    date: str
    device: str
    python: str
    versions: dict[str, str]


def provenance() -> Provenance:
    """When and with what a result is computed."""
    versions = {name: version(name) for name in ("torch", "monai", "numpy", "scipy")}
    threads = torch.get_num_threads()
    device = f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    return {
        "date": date.today().isoformat(),
        "device": device,
        "python": platform.python_version(),
        "versions": versions | {"cxr-bundles": __version__},  # a packed bundle has this code without its distribution
    }
