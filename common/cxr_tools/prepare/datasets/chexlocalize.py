"""Masks of CheXlocalize: COCO run lengths (``gt_segmentations_*.json``), else polygons (``gt_annotations_*.json``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.errors import InputError
from cxr_common.json_files import read_json
from cxr_tools.prepare.datasets.base import DrawMask, JsonPlace, label_index
from cxr_tools.prepare.datasets.stanford import FINDINGS
from cxr_tools.prepare.run_lengths import decode_coco
from cxr_tools.prepare.shapes import polygons_mask

#: Image, such as patient64541_study1_view1_frontal -> finding -> what draws its mask.
Masks = dict[str, dict[str, DrawMask | None]]
#: CheXlocalize's name of a finding -> CheXpert's.
NAMES = {"Airspace Opacity": "Lung Opacity"}
#: The ten findings that it outlines; one that is absent in an image has no polygon there.
OUTLINED = (
    *("Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Lesion", "Lung Opacity", "Edema", "Consolidation"),
    *("Atelectasis", "Pneumothorax", "Pleural Effusion", "Support Devices"),
)
_FOLDERS = ("CheXlocalize", "chexlocalize", "CheXlocalize/CheXlocalize")
_ACTION = "use the file as CheXlocalize has it"


def read_masks(root: Path, others: Iterable[Path]) -> Masks:
    """Masks of all its files that are there; none where there is no file.

    Args:
        root: of the data set.
        others: further folders to look in.

    Raises:
        InputError: a file is not what CheXlocalize has, or names another finding.
    """
    folders = list(dict.fromkeys([root, *(root / name for name in _FOLDERS), *others]))
    masks: Masks = {}
    for part in ("val", "test"):
        for kind, read in (("segmentations", _from_runs), ("annotations", _from_polygons)):
            path = next(
                (f / f"gt_{kind}_{part}.json" for f in folders if (f / f"gt_{kind}_{part}.json").is_file()), None
            )
            if path is not None:
                masks |= {key: read(JsonPlace(path, key), value) for key, value in _entries(path).items()}
                break
    return masks


def _entries(path: Path) -> Mapping[str, Any]:
    data = read_json(path, _ACTION)
    if not isinstance(data, dict) or not all(isinstance(value, dict) for value in data.values()):
        raise InputError("is not an object of images", path, _ACTION)
    return data


def _from_runs(place: JsonPlace, findings: Mapping[str, Any]) -> dict[str, DrawMask | None]:
    return {_finding(place, name): partial(_draw_runs, place, name, value) for name, value in findings.items()}


def _draw_runs(place: JsonPlace, name: str, value: Any, size: tuple[int, int] | None) -> np.ndarray:
    try:
        height, width = value["size"]
        return decode_coco(value["counts"], (width, height))
    except (KeyError, TypeError, ValueError) as error:
        raise place.error(name, f"is not a mask in COCO's run lengths ({error})", _ACTION) from None


def _from_polygons(place: JsonPlace, findings: Mapping[str, Any]) -> dict[str, DrawMask | None]:
    found: dict[str, DrawMask | None] = dict.fromkeys(OUTLINED)
    for name, polygons in findings.items():
        if name != "img_size":
            found[_finding(place, name)] = partial(_draw_polygons, place, name, findings.get("img_size"), polygons)
    return found


def _draw_polygons(
    place: JsonPlace, name: str, img_size: Any, polygons: Any, size: tuple[int, int] | None
) -> np.ndarray:
    try:
        height, width = img_size
        return polygons_mask(polygons, (width, height))
    except (TypeError, ValueError) as error:
        raise place.error(name, f"is not a list of polygons for an image of img_size ({error})", _ACTION) from None


def _finding(place: JsonPlace, name: str) -> str:
    return FINDINGS[label_index(place, name, NAMES.get(name, name), FINDINGS)]
