"""What detectors on NIH's boxes learn from and are scored on, and what localisers did on the same images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.detection.best_box import best_box_centres
from cxr_common.errors import InputError
from cxr_common.evaluation import BoxPredictions, data_sha256
from cxr_common.labels import LABELS
from cxr_common.metrics.points import points_in_boxes
from tools.nih.nih import BOX_FINDINGS, by_box_finding, scored_images
from tools.nih.split import image_name, read_split, split_items
from tools.results.data import Items
from tools.results.outcomes import read_kept
from tools.results.settings import Settings


@dataclass(frozen=True)
class NihBoxes:
    """NIH's images, split for detectors.

    Attributes:
        nih: datalist of all of them.
        pools: kind of annotation -> images to learn from.
        validation: boxed images that choose epochs and thresholds.
        boxed: boxed images that are scored.
        labelled: images of other patients, whose labels are scored.
    """

    nih: Path
    pools: dict[str, Items]
    validation: Items
    boxed: Items
    labelled: Items


def read_nih(settings: Settings, nih: Path, shared: Path) -> NihBoxes:
    """Split the images of NIH's datalist `nih`, which lie in `shared`.

    Of the images without boxes, shuffled once, the first keep their labels and the next ones forget them.
    """
    sections = split_items(load_datalist(nih, "localisation", shared), read_split())
    others = load_datalist(nih, "training", shared)
    others = [others[index] for index in np.random.default_rng(0).permutation(len(others))]
    named, unnamed = settings["images"]["label"], settings["images"]["unlabelled"]
    pools = {
        "boxes": sections["training"],
        "label": others[:named],
        "unlabelled": others[named : named + unnamed],
    }
    tests = load_datalist(nih, "testing", shared)
    return NihBoxes(
        nih,
        pools,
        sections["validation"][: settings["validation"]],
        sections["testing"][: settings["testing"]["boxes"]],
        tests[: settings["testing"]["nih"]],
    )


def point_table(found: BoxPredictions) -> np.ndarray:
    """Whether the centre of the best box lies in a true box: (N, findings with boxes), NaN where there is none.

    Pneumonia and Infiltration are looked for among the boxes of Opacity, as on the maps of localisers.
    """
    columns = [LABELS.index(label) for label in BOX_FINDINGS.values()]
    centres = best_box_centres(found.detections, len(LABELS))[:, columns]
    boxes, _ = found.boxes()
    return points_in_boxes(centres, boxes, [by_box_finding(dict(item))["box_labels"] for item in found.items])


@dataclass(frozen=True)
class Pointer:
    """What a localiser of the NIH experiment did on the same images.

    Attributes:
        points: (N, findings with boxes) whether its heatmap's largest pixel lies in a true box.
        logits: (N, C) class logits of the images that have labels alone.
    """

    points: np.ndarray
    logits: np.ndarray


def read_localizers(folder: Path, names: Iterable[str], shared: Path, data: NihBoxes) -> dict[str, Pointer]:
    """Read the kept outcomes of the NIH experiment's first seeds; those that are not there are left out.

    Args:
        folder: of the outcomes.
        names: of its methods.
        shared: folder of NIH's images.
        data: which of the images are scored.

    Raises:
        InputError: an outcome is of other images.
    """
    boxed = scored_images(data.nih, shared)["boxes"]
    hashes = {"boxes": data_sha256(boxed), "nih": data_sha256(load_datalist(data.nih, "testing", shared))}
    places = {image_name(item): place for place, item in enumerate(boxed)}
    rows, out = [places[image_name(item)] for item in data.boxed], {}
    for name in names:
        path = folder / f"{name}-seed0.npz"
        kept = read_kept(path)
        if kept is None:
            continue
        about, arrays = kept
        if not hashes.items() <= about["made_with"]["test_sha256"].items():
            raise InputError("is of other images", path, "run `make results PART=nih` again")
        hits = arrays["boxes/hits"][0][rows].astype(float)  # the first table is that of points
        out[name] = Pointer(np.where(hits < 0, np.nan, hits), arrays["nih/logits"][: len(data.labelled)])
    return out
