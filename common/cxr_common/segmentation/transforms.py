"""From a segmenter's logit map to findings: masks, areas and boxes in the pixels of the original image.

Of lungs and heart, the cardiothoracic ratio besides.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection

from cxr_common.errors import InputError
from cxr_common.findings.area import mask_area
from cxr_common.findings.thresholds import ClassThresholds, Thresholds
from cxr_common.metrics.cardiothoracic import cardiothoracic_ratio
from cxr_common.transforms.localize import LocalizeFindingsd

#: The two classes that a cardiothoracic ratio is measured of, where a model has both.
HEART, LUNGS = "Heart", "Lungs"


class SegmentFindingsd(LocalizeFindingsd):
    """Turn a segmenter's logit map into findings in the pixels of the original image.

    Sets what :class:`~cxr_common.transforms.localize.LocalizeFindingsd` sets. The masks differ: a pixel is inside where
    its probability, resized to the original, is above the class's mask threshold (`mask_mode` "absolute"), and no
    region is dropped. Every finding has its area besides, as docs/reference/findings.md describes it. Where the classes
    include "Heart" and "Lungs", the image has "cardiothoracic_ratio", None if one of the two is not there.

    Args:
        keys: the logit map (C, x, y).
        image_key: the network input.
        labels: class names in channel order; may be left out where `thresholds` has them.
        thresholds: :class:`Thresholds`, the path of a thresholds.json, or None for .5 everywhere.
        weights: weights file that a thresholds.json must have been tuned for.
        pool: how the map becomes class logits; the maximum, so that a finding is present where it has a pixel.
        on_error: "raise", or "record" a failure and go on.

    Raises:
        InputError: the thresholds are for heatmaps (`mask_mode` "relative").
    """

    min_peak = 0.0

    def __init__(
        self,
        keys: KeysCollection = "pred",
        image_key: str = "image",
        labels: Sequence[str] | None = None,
        thresholds: ClassThresholds | str | Path | None = None,
        weights: str | Path | None = None,
        pool: str | Callable[[torch.Tensor], torch.Tensor] = "max",
        on_error: str = "raise",
        heatmap_key: str = "heatmap",
        masks_key: str = "masks",
        findings_key: str = "findings",
    ) -> None:
        if thresholds is None and labels is not None:
            thresholds = Thresholds.default(labels, mask_mode="absolute")
        options = {"heatmap_key": heatmap_key, "masks_key": masks_key, "findings_key": findings_key}
        super().__init__(keys, image_key, labels, thresholds, weights, pool, 0.0, on_error, **options)
        if self.thresholds.mask_mode != "absolute":
            action = "tune them with masks=True, or use Thresholds.default(labels, 'absolute')"
            raise InputError("its mask_mode is for heatmaps, not for masks", self.thresholds.source, action)

    def find(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[Hashable, Any]:
        """Segment the findings of one image."""
        found = super().find(item, key)
        record, masks = found[self.findings_key], found[self.masks_key]
        for finding in record["findings"]:
            finding.update(mask_area(masks.get(finding["label"]), record["spacing_mm"]))
        if {HEART, LUNGS} <= set(self.thresholds.labels):
            nothing = np.zeros(record["size"], bool)
            ratio = cardiothoracic_ratio(*(masks.get(label, nothing) for label in (HEART, LUNGS)))
            record["cardiothoracic_ratio"] = None if isnan(ratio) else round(ratio, 4)
        return found
