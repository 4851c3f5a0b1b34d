"""From a heatmap and the relation network's boundaries to refined findings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from torch.nn import functional as F

from cxr_common.errors import InputError
from cxr_common.findings.image_findings import image_findings
from cxr_common.findings.thresholds import ClassThresholds, Thresholds
from cxr_common.findings.thresholds_file import used_thresholds
from cxr_common.findings.walk import Walk
from cxr_common.refinement.class_walks import When, walk_inside
from cxr_common.refinement.pseudo_masks import normalized_walk
from cxr_common.transforms.original import Original, like_original
from cxr_common.transforms.per_image import ImageFindingsd


class RefineHeatmapd(ImageFindingsd):
    """Spread heatmaps up to boundaries and take masks of the result, in the pixels of the original image.

    Only findings that the image is said to have are refined; others have empty maps. Sets, like
    :class:`~cxr_common.transforms.localize.LocalizeFindingsd`, the label mask under `keys`, the refined heatmaps
    (C, X, Y) in [0, 1] (each divided by its maximum), bool masks and the findings' record; and a copy of the labels.
    All results have keys of their own: MONAI's engines leave a key that the batch has out of their output.

    Args:
        keys: the network's output (3, x, y): boundary probability in [0, 1] and displacement.
        heatmap_key: the localiser's heatmaps (C, X, Y).
        label_key: which findings the image has: 1, else not.
        probability_key: the localiser's probabilities, for the record; where absent, the labels.
        image_key: the network's input, a MetaTensor.
        labels: class names; may be left out where `thresholds` has them.
        thresholds: their mask thresholds are shares of the refined map's maximum: WSMIS' script .25, CheXseg .6.
        walk: the random walk; default that of the thresholds.
        gated: "before" or "after" the walk, maps become 0 outside of the lung gate; None: there is none.
        on_error: "raise", or "record" a failure and go on.
        gate_key: the gate, of :class:`~cxr_common.transforms.FindChestd`.
        masks_key, findings_key, boundary_key, refined_key, known_key: where the results go.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        heatmap_key: str = "heatmap",
        label_key: str = "label",
        probability_key: str = "probability",
        image_key: str = "image",
        labels: Sequence[str] | None = None,
        thresholds: ClassThresholds | str | Path | None = None,
        walk: Walk | None = None,
        gated: When | None = None,
        on_error: str = "raise",
        masks_key: str = "masks",
        findings_key: str = "findings",
        boundary_key: str = "boundary",
        refined_key: str = "refined",
        known_key: str = "known",
        gate_key: str = "gate",
    ) -> None:
        super().__init__(keys, image_key, findings_key, on_error)
        self.thresholds = used_thresholds(thresholds, Thresholds, type(self).__name__, labels)
        self.walk = walk or self.thresholds.walk_with()
        self.gated, self.gate_key = gated, gate_key
        self.inputs = (heatmap_key, label_key, probability_key)
        self.masks_key, self.boundary_key = masks_key, boundary_key
        self.refined_key, self.known_key = refined_key, known_key

    def find(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[Hashable, Any]:
        """Refine the findings of one image."""
        heatmap_key, label_key, probability_key = self.inputs
        image, labels = item[self.image_key], self.thresholds.labels
        original = Original.of(image)
        heat = torch.as_tensor(item[heatmap_key]).float().cpu()
        present = [value is not None and float(value) == 1 for value in item[label_key]]
        if len(heat) != len(labels) or len(present) != len(labels):
            reason = f"there are {len(heat)} heatmaps and {len(present)} labels for {len(labels)} classes"
            raise InputError(reason, original.where, "use heatmaps of the classes that the thresholds name")
        boundary = torch.as_tensor(item[key])[:1].float().cpu().clamp(0, 1)  # heatmaps stay on the CPU
        maps = F.interpolate(heat[None], size=boundary.shape[-2:], mode="area")
        walked = torch.zeros_like(maps)
        if any(present):
            names = [name for name, there in zip(labels, present, strict=True) if there]
            walked[:, present] = walk_inside(
                self.walk, maps[:, present], boundary[None], names, item.get(self.gate_key), self.gated
            )
        refined = normalized_walk(walked, (image.shape[-2], image.shape[-1]))[0]
        probability = [float(p) for p in item.get(probability_key, present)]
        cell = refined[0].numel() / boundary[0].numel()
        findings, masks, label_mask = image_findings(
            refined, probability, present, self.thresholds, original.size, cell
        )
        return {
            key: like_original(label_mask, original.meta),
            self.refined_key: refined.half(),
            self.known_key: item[label_key],
            self.masks_key: masks,
            self.findings_key: original.record(findings),
            self.boundary_key: boundary[0].half(),
        }
