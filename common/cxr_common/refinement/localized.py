"""What a localiser bundle wrote about radiographs, as items for another bundle: images, heatmaps, decisions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxr_common.data.datalist import load_datalist
from cxr_common.data.datalist_schema import Item
from cxr_common.data.discovery import find_radiographs
from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.findings.run_record import read_findings
from cxr_common.findings.thresholds import relative_mask
from cxr_common.text import printable

logger = logging.getLogger(__name__)

#: Keys that inference gives its results. MONAI's engines leave out a result whose key the item has, and data sets
#: such as NIH's call labels of their own "findings".
RESULTS = frozenset({"pred", "findings", "masks", "boundary", "refined", "known"})


def localized_items(folder: str | Path) -> list[Item]:
    """One item for every image of a localiser's output folder.

    Args:
        folder: what a localiser bundle's inference wrote: findings.json and the files it names.

    Returns:
        Items with "image" and "heatmap" (absolute paths), "label_names", and for each of these "decision" (1 where the
        localiser decided that the finding is there, else 0), "probability", and where its mask thresholds are tuned
        shares of a heatmap's maximum "mask_threshold".

    Raises:
        InputError: no findings.json there.
    """
    return _items(read_findings(folder), as_path(folder).resolve())


def _items(record: Mapping[str, Any], folder: Path) -> list[Item]:
    root = Path(record.get("input_dir") or "")
    model = record["model"]
    if lacking := [image["path"] for image in record["images"] if not image["files"].get("heatmap")]:
        raise InputError(f"has no heatmap of {lacking[0]}", folder, "run a localiser bundle's inference")
    mask = relative_mask(model.get("thresholds") or {}, model["labels"])
    return [
        {
            **mask,
            "image": str(root / image["path"]),
            "heatmap": str(folder / image["files"]["heatmap"]),
            "label_names": list(model["labels"]),
            "decision": [int(f["decision"]) for f in image["findings"]],
            "probability": [f["probability"] for f in image["findings"]],
        }
        for image in record["images"]
    ]


def attach_heatmaps(items: Sequence[Mapping[str, Any]], folder: str | Path) -> list[Item]:
    """Give datalist items the heatmaps a localiser made of their images.

    Args:
        items: of a datalist, absolute paths; what they have stays.
        folder: what a localiser bundle's inference wrote.

    Returns:
        New items with what :func:`localized_items` has besides the image, except those that the localiser could not
        use, which are left out.

    Raises:
        InputError: there is no heatmap of an image, or none at all.
    """
    record = read_findings(folder)
    root = Path(record.get("input_dir") or "")
    found = {_resolved(item["image"]): item for item in _items(record, as_path(folder).resolve())}
    failed = {_resolved(root / failure["path"]) for failure in record.get("failures", []) if failure["path"]}
    places = [_resolved(item["image"]) for item in items]
    missing = [place for place in places if place not in found]
    unknown = [place for place in missing if place not in failed]
    if unknown or (items and len(missing) == len(items)):
        raise InputError(
            f"has no heatmap of {len(missing)} of {len(items)} images, the first {(unknown or missing)[0]}",
            folder,
            "run a localiser bundle's inference on the folder of these images",
        )
    if missing:
        text = "%d of %d images are left out, the first %s: the localiser could not use them, says %s/findings.json"
        logger.warning(text, len(missing), len(items), printable(missing[0]), folder)
    return [{**found[place], **item} for place, item in zip(places, items, strict=True) if place in found]


def _resolved(path: str | Path) -> str:
    return str(Path(path).resolve())


def items_to_refine(
    dataset_dir: str | Path | None = None,
    heatmap_dir: str | Path | None = None,
    datalist: str | Path | None = None,
    section: str = "training",
    positive_only: bool = False,
    labels: Sequence[str] | None = None,
) -> list[Item]:
    """The items that the refinement works on, from a datalist, heatmaps, or both.

    Args:
        dataset_dir: folder of radiographs, or the root of the datalist's paths.
        heatmap_dir: what a localiser bundle's inference wrote; None where the datalist names heatmaps or they are made.
        datalist: images and their labels; None takes the images of `heatmap_dir`, else all of `dataset_dir`, with the
            localiser's decisions as labels.
        section: of the datalist.
        positive_only: only images with a finding (label 1), as WSMIS trains; of a datalist.
        labels: classes in the order of the items' "label"; those of a datalist are matched by name. Default: its own.

    Raises:
        InputError: nothing given, nothing found, or no image left.
    """
    if datalist is not None:
        listed = load_datalist(datalist, section, dataset_dir, labels)
        items = [{key: value for key, value in item.items() if key not in RESULTS} for item in listed]
        if positive_only:
            items = [item for item in items if 1 in (item.get("label") or [])]
        if not items:
            raise InputError(f"has no image with a finding in {section!r}", datalist, "label images that have findings")
        return items if heatmap_dir is None else attach_heatmaps(items, heatmap_dir)
    if heatmap_dir is not None:
        return localized_items(heatmap_dir)
    if dataset_dir is None:
        raise InputError("there is nothing to refine", "items", "give dataset_dir, heatmap_dir or datalist")
    return [dict(item) for item in find_radiographs(dataset_dir)]
