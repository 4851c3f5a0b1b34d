"""From the network's logit map to findings: probabilities, decisions, points, boxes and a label mask."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection

from cxr_common.data.chest import inside_gate
from cxr_common.errors import InputError
from cxr_common.findings.extraction import MIN_PEAK
from cxr_common.findings.image_findings import image_findings
from cxr_common.findings.thresholds import ClassThresholds, Thresholds
from cxr_common.findings.thresholds_file import used_thresholds
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.plain_inferer import plain_tensor
from cxr_common.transforms.original import Original, like_original
from cxr_common.transforms.per_image import ImageFindingsd

_POOLS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "max": lambda maps: maps.amax((-2, -1)),
    "mean": lambda maps: maps.mean((-2, -1)),
}


class LocalizeFindingsd(ImageFindingsd):
    """Turn a logit map into findings in the pixels of the original image. Reads and writes no file when called.

    Per image it takes the logit map `keys` (C, x, y) and the network input `image_key` (1, X, Y), whose meta holds the
    original `spatial_shape`, and sets

    * ``keys``: uint8 label mask (width, height) of the original image with its original affine. 0 is background, i the
      i-th class (1-based); where classes overlap the one with the higher probability wins. MONAI Label takes it as it
      is.
    * ``heatmap_key``: float16 probabilities (C, X, Y) at network resolution.
    * ``masks_key``: class -> bool mask (width, height), positive classes only, overlaps kept.
    * ``findings_key``: the record docs/reference/findings.md describes, plain Python values.

    Where the item has a lung gate (`gate_key`), the heatmap is 0 outside of it, and so points, boxes and masks lie
    inside. Probability and decision stay those of the whole map: an image shows a finding no less because the map puts
    it into the wrong place.

    Args:
        keys: the logit map.
        image_key: the network input.
        labels: class names in channel order; may be left out where `thresholds` has them.
        thresholds: :class:`Thresholds`, the path of a thresholds.json, or None for the defaults.
        weights: weights file that a thresholds.json must have been tuned for.
        pool: how the map becomes class logits: "max", "mean", or a callable (N, C, x, y) -> (N, C).
        min_cells: regions smaller than this many cells of the logit map are dropped, being below what it resolves.
        on_error: "raise", or "record": put ``{"failure": {...}}`` under `findings_key`, drop the prediction and go on,
            so that one image does not end a batch.
        gate_key: the gate, of :class:`~cxr_common.transforms.FindChestd`, if there is one.
    """

    #: Regions whose largest probability is below this part of the map's are dropped.
    min_peak: float = MIN_PEAK

    def __init__(
        self,
        keys: KeysCollection = "pred",
        image_key: str = "image",
        labels: Sequence[str] | None = None,
        thresholds: ClassThresholds | str | Path | None = None,
        weights: str | Path | None = None,
        pool: str | Callable[[torch.Tensor], torch.Tensor] = "max",
        min_cells: float = 1.0,
        on_error: str = "raise",
        heatmap_key: str = "heatmap",
        masks_key: str = "masks",
        findings_key: str = "findings",
        gate_key: str = "gate",
    ) -> None:
        super().__init__(keys, image_key, findings_key, on_error)
        if isinstance(pool, str) and pool not in _POOLS:
            raise InputError(f"pool is {pool!r}", "LocalizeFindingsd", "use max, mean or a callable")
        self.thresholds = used_thresholds(thresholds, Thresholds, type(self).__name__, labels, weights)
        self.min_cells = min_cells
        self.pool = _POOLS[pool] if isinstance(pool, str) else pool
        self.heatmap_key, self.masks_key, self.gate_key = heatmap_key, masks_key, gate_key

    def find(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[Hashable, Any]:
        """Localise the findings of one image."""
        logit_map, image = item[key], item[self.image_key]
        labels, original = self.thresholds.labels, Original.of(image)
        maps = torch.as_tensor(plain_tensor(logit_map)).float()
        if maps.ndim != 3 or len(maps) != len(labels):
            raise InputError(
                f"the network gave a map of shape {tuple(maps.shape)} for {len(labels)} classes",
                original.where,
                "make labels and thresholds match the weights",
            )
        original.check_finite(maps)
        probability = torch.sigmoid(self.pool(maps[None])[0]).tolist()
        size = (image.shape[-2], image.shape[-1])
        heatmap = upsample_heatmaps(maps.float()[None], size)[0].cpu()
        if self.gate_key in item:
            heatmap = heatmap * inside_gate(item[self.gate_key], labels, size)
        min_area = self.min_cells * heatmap[0].numel() / maps[0].numel()
        decision = [p >= self.thresholds.decision[label] for p, label in zip(probability, labels, strict=True)]
        findings, masks, label_mask = image_findings(
            heatmap, probability, decision, self.thresholds, original.size, min_area, self.min_peak
        )
        return {
            key: like_original(label_mask, original.meta),
            self.heatmap_key: heatmap.half(),
            self.masks_key: masks,
            self.findings_key: original.record(findings),
        }
