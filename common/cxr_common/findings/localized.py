"""What a localiser bundle wrote about radiographs, as items for another bundle: images, heatmaps, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.findings.report import read_findings


def localized_items(folder: str | Path) -> list[dict[str, Any]]:
    """One item for every image of a localiser's output folder.

    Args:
        folder: what a localiser bundle's inference wrote: findings.json and the files it names.

    Returns:
        Items with "image" and "heatmap" (absolute paths), "label_names", and a value a class in "label" (1 where the
        localiser decided that the finding is there, else 0), "probability" and "threshold".

    Raises:
        InputError: no findings.json there.
    """
    folder = Path(folder).resolve()
    record = read_findings(folder)
    root = Path(record["input_dir"] or "")
    return [
        {
            "image": str(root / image["path"]),
            "heatmap": str(folder / image["files"]["heatmap"]),
            "label_names": list(record["model"]["labels"]),
            "label": [int(f["decision"]) for f in image["findings"]],
            "probability": [f["probability"] for f in image["findings"]],
            "threshold": [f["threshold"] for f in image["findings"]],
        }
        for image in record["images"]
    ]


def attach_heatmaps(items: Sequence[dict[str, Any]], folder: str | Path) -> list[dict[str, Any]]:
    """Give datalist items the heatmaps a localiser made of their images.

    Args:
        items: of a datalist, absolute paths; their own labels stay.
        folder: what a localiser bundle's inference wrote.

    Returns:
        New items with "heatmap", "probability" and "threshold".

    Raises:
        InputError: an image has no heatmap there.
    """
    found = {str(Path(item["image"]).resolve()): item for item in localized_items(folder)}
    missing = [item["image"] for item in items if str(Path(item["image"]).resolve()) not in found]
    if missing:
        raise InputError(
            f"has no heatmap of {len(missing)} of {len(items)} images, the first {missing[0]}",
            folder,
            "run a localiser bundle's inference on the folder of these images",
        )
    out = []
    for item in items:
        heat = found[str(Path(item["image"]).resolve())]
        out.append({**item, **{key: heat[key] for key in ("heatmap", "probability", "threshold")}})
    return out
