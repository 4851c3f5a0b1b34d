"""A datalist as YOLO has it: ``images/SECTION``, ``labels/SECTION/*.txt`` and ``data.yaml``."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from cxr_tools.prepare.export_items import item_size
from cxr_tools.prepare.flat_names import FlatNames
from cxr_tools.prepare.located import located

_NAMES = {"training": "train", "validation": "val", "testing": "test", "localisation": "localisation"}


def write_yolo(
    labels: Sequence[str], sections: Iterable[tuple[str, Mapping[str, Any]]], root: Path, folder: Path, final: Path
) -> tuple[int, int]:
    """Write a YOLO data set; images are links to the files of the data set, or copies where links are not possible.

    Args:
        labels: class names; classes are their places from 0 on.
        sections: (section, item) of every image.
        root: data set root.
        folder: where to write.
        final: where the folder will lie in the end; ``path`` of data.yaml.

    Returns:
        How many images were written, and how many were not, having no ``boxes``: YOLO reads an image without boxes as
        one without findings, and what is not annotated is not that.

    Raises:
        InputError: an image's size cannot be told.
    """
    written = unknown = 0
    names, used = FlatNames(), dict[str, str]()
    for section, item in sections:
        if "boxes" not in item:
            unknown += 1
            continue
        name = _NAMES[section]
        used[name] = f"images/{name}"
        stem, suffix = names.stem(item["image"]), PurePosixPath(item["image"]).suffix
        size = item_size(item, root)
        lines = "".join(_line(b, i, size) for b, i in zip(item["boxes"], item["box_labels"], strict=True))
        for kind in ("images", "labels"):
            (folder / kind / name).mkdir(parents=True, exist_ok=True)
        (folder / "labels" / name / f"{stem}.txt").write_text(lines, encoding="utf-8")
        _link(located(root, item["image"]).resolve(), folder / "images" / name / f"{stem}{suffix}")
        written += 1
    data = {"path": final.resolve().as_posix(), **used, "names": dict(enumerate(labels))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return written, unknown


def _line(box: Sequence[float], index: int, size: tuple[int, int]) -> str:
    """Class, centre and size as shares of the image, cut to it."""
    x0, x1 = (min(max(v / size[0], 0), 1) for v in (box[0], box[2]))
    y0, y1 = (min(max(v / size[1], 0), 1) for v in (box[1], box[3]))
    return f"{index} {(x0 + x1) / 2:.6f} {(y0 + y1) / 2:.6f} {x1 - x0:.6f} {y1 - y0:.6f}\n"


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except (OSError, NotImplementedError):  # a file system, or a Windows account, without links
        shutil.copyfile(source, target)
