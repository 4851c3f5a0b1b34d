"""Masks of heatmaps and of refined maps, for the findings that images are said to have, at the network's resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from monai.data import Dataset
from PIL import Image
from torch.nn import functional as F

from cxr_common.data.masks import Mask, resize_mask
from cxr_common.evaluation.map_predictions import MapPredictions
from cxr_common.evaluation.mask_scores import box_masks, chest_masks, counts_at_thresholds, true_masks
from cxr_common.findings.thresholds import DEFAULT_MASK
from cxr_common.findings.tuning import MASK_GRID, tune_probability_thresholds
from cxr_common.findings.walk import Walk
from cxr_common.heatmaps import resize_maps
from cxr_common.metrics import MaskCounts, area_ratio, exceeds, image_iou, mask_counts, share_inside
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.boundary import boundary_f_score
from cxr_common.metrics.mask_counts import PROBABILITY_GRID
from cxr_common.metrics.statistics import hit_statistic, iou_statistic
from cxr_common.networks.crf import CrfSettings, refine_labels
from cxr_common.plain_inferer import plain_tensor
from cxr_common.refinement.boundaries import Boundaries, RefinedMaps, predict_boundaries
from cxr_common.refinement.pseudo_masks import STRIDE

#: Thresholds every method chooses from, class by class, on the validation phantoms.
GRID = tuple(sorted({*MASK_GRID, *PROBABILITY_GRID} - {0.0}))
Truth = Literal["masks", "boxes", "chest"]
TRUTHS: dict[Truth, Callable[[MapPredictions], Iterator[list[Mask | None]]]] = {
    "masks": true_masks,
    "boxes": box_masks,
    "chest": chest_masks,
}
#: No step of a walk without boundaries: the heatmap on the network's grid.
STILL = Walk(steps=0)


@dataclass
class Masks:
    """Predicted masks of one method and seed, measured: (N, C) each, NaN where a class is not scored."""

    counts: MaskCounts
    boundary: np.ndarray
    labels: Sequence[str]

    def statistic(self, figure: str, of: str = "all") -> Statistic:
        """A figure of one class or all.

        Args:
            figure: "image iou", "boundary f" or "inside" (the share of a mask inside the true one): means over pairs of
                image and class; "T(IoU) > 0.25" or "T(IoBB) > 0.25": how often the overlap or that share is larger than
                a number; "area": how many times as large a mask is, geometric mean; "data set iou": macro.
            of: a class, or "all".
        """
        columns = list(range(len(self.labels))) if of == "all" else [self.labels.index(of)]
        counts = self.counts.of_classes(columns)
        name, _, level = figure.partition(" > ")
        if name == "data set iou":
            return iou_statistic(counts)
        if name == "area":
            doublings = hit_statistic(np.log2(area_ratio(counts)))
            return lambda weights: np.exp2(doublings(weights))
        table = {
            "image iou": image_iou,
            "T(IoU)": image_iou,
            "inside": share_inside,
            "T(IoBB)": share_inside,
            "boundary f": lambda _: self.boundary[:, columns],
        }[name](counts)
        return hit_statistic(exceeds(table, float(level)) if level else table)


@dataclass(frozen=True)
class Images:
    """Images that have a finding, with their heatmaps.

    Attributes:
        dataset: as :func:`~cxr_common.refinement.predict_boundaries` takes it, of items with masks.
        labels: class names.
        grey: mean and deviation that images are normalised with.
        skip: class that is not scored.
        truth: what masks are compared with: "masks" that somebody drew, true "boxes", or the box around the "chest".
    """

    dataset: Dataset
    labels: list[str]
    grey: tuple[float, float]
    skip: str | None = None
    truth: Truth = "masks"

    def boundaries(self, network: Any = None) -> Boundaries:
        """The input of walks: the heatmaps, and the boundaries that a network sees, if there is one."""
        return predict_boundaries(network, self.dataset, self.labels)

    def score(self, maps: MapPredictions, thresholds: Mapping[str, float]) -> Masks:
        """Measure the masks above the thresholds."""
        boundary, counts = np.full(maps.label.shape, np.nan), []
        for n, (heat, masks) in enumerate(zip(maps.each_heatmap(), TRUTHS[self.truth](maps), strict=True)):
            truth: list[Any] = [None] * len(self.labels)
            found = [np.asarray(heat[c]) > thresholds[name] for c, name in enumerate(self.labels)]
            for c, (name, mask) in enumerate(zip(self.labels, masks, strict=True)):
                if maps.label[n, c] == 1 and name != self.skip and mask is not None and mask.any():
                    truth[c] = resize_mask(mask, maps.input_size)
                    if self.truth == "masks":  # only they have an outline of the finding
                        boundary[n, c] = boundary_f_score(found[c], truth[c])
            counts.append(mask_counts([found], [truth]))
        return Masks(MaskCounts.concatenate(counts), boundary, self.labels)

    def crf(self, maps: RefinedMaps, thresholds: Mapping[str, float]) -> RefinedMaps:
        """The masks above the thresholds after the dense CRF, as maps of 0 and 1."""
        small, out = torch.from_numpy(maps.maps).float().sigmoid(), np.full_like(maps.maps, -100)
        for n in range(len(out)):
            image = plain_tensor(self.dataset[n]["image"]).float() * self.grey[1] + self.grey[0]  # MetaTensors are slow
            grey = 255 * F.interpolate(image[None], size=out.shape[-2:], mode="area").clamp(0, 1)
            for c, name in enumerate(self.labels):
                inside = (small[n, c] > thresholds[name])[None].long()
                if inside.any():
                    refined = refine_labels(inside, 2, grey, settings=CrfSettings().at_stride(STRIDE))[0]
                    out[n, c] = np.where(refined.numpy() > 0, 100, -100)
        return replace(maps, maps=out)


def tune(maps: RefinedMaps) -> dict[str, float]:
    """The threshold of every class with the largest IoU of the data set."""
    tuned = tune_probability_thresholds(counts_at_thresholds(maps, GRID), maps.labels, GRID)
    return {name: tuned.get(name, DEFAULT_MASK) for name in maps.labels}


def write_masks(
    maps: RefinedMaps, thresholds: Mapping[str, float], folder: Path, sizes: Mapping[str, tuple[int, int]]
) -> dict[str, dict[str, str]]:
    """Write masks of the findings that images are said to have: pixels above a class's threshold.

    Args:
        maps: of the images.
        thresholds: of each class.
        folder: for the masks.
        sizes: path of an image -> its width and height, which its masks get.

    Returns:
        Path of an image -> class -> path of its mask, a picture of 0 and 255.
    """
    written: dict[str, dict[str, str]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for item, small in zip(maps.items, maps.each_heatmap(), strict=True):
        heat = resize_maps(small[None], sizes[item["image"]])[0]
        for c, name in enumerate(maps.labels):
            if item["label"][c] == 1:
                path = folder / f"{Path(item['image']).stem}_{name}.png"
                inside = np.asarray(heat[c]) > thresholds[name]
                Image.fromarray(255 * inside.T.astype(np.uint8)).save(path)
                written.setdefault(item["image"], {})[name] = str(path)
    return written
