"""From heatmaps to the labels that inter-pixel relations are learned from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch.nn import functional as F

from cxr_common.errors import InputError
from cxr_common.heatmaps import unit_peak
from cxr_common.networks.crf import CrfSettings, refine_labels
from cxr_common.refinement.relation_labels import multi_label_relations, single_label_relations

STRIDE = 4


class RelationLabelsd(MapTransform):
    """Turn heatmaps (C, X, Y) into relation labels (T, x, y) on the network's grid of stride 4, integers.

    Each heatmap is divided by its maximum first. T is 1 where classes compete (photographs), else C.

    Args:
        keys: the heatmaps, of any size; they cover the whole image.
        label_key: the image's labels, one value per class; only classes that are present (1) give labels.
        image_key: the network's input (1 or 3, X, Y) in [0, 1], which the CRF looks at.
        output_key: where the labels go.
        compete: one labelling in which classes compete (IRNet, VOC), instead of one per class (CheXseg).
        foreground: share of the maximum above which a pixel is surely the class; published .30 and .25.
        background: share below which it is surely background; published .05 and .10.
        crf: refine both with the dense CRF, as published.
        full_size: give every cell's label to all of its pixels, so that labels (T, X, Y) and image are scaled and
            cropped together; :func:`~cxr_common.refinement.reduce_labels` brings them back to the grid afterwards.
        device: where the CRF is computed, which takes tens of seconds for a photograph on one core.
    """

    def __init__(
        self,
        keys: KeysCollection = "heatmap",
        label_key: str = "label",
        image_key: str = "image",
        output_key: str = "relations",
        compete: bool = False,
        foreground: float = 0.25,
        background: float = 0.10,
        crf: bool = True,
        full_size: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(keys)
        if not 0 <= background <= foreground < 1:
            reason = f"background is {background} and foreground {foreground}"
            raise InputError(reason, "RelationLabelsd", "use 0 <= background <= foreground < 1")
        self.label_key, self.image_key, self.output_key = label_key, image_key, output_key
        self.compete, self.foreground, self.background, self.crf = compete, foreground, background, crf
        self.full_size, self.device = full_size, device

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Label one item; the other keys pass through."""
        d = dict(data)
        image = torch.as_tensor(d[self.image_key]).float().to(self.device)
        grid = [-(-n // STRIDE) for n in image.shape[-2:]]
        small = F.interpolate(image[None], size=grid, mode="area")
        settings = CrfSettings().at_stride(STRIDE)
        refine = partial(refine_labels, image=255 * small.clamp(0, 1), settings=settings) if self.crf else None
        relate = single_label_relations if self.compete else multi_label_relations
        for key in self.keys:
            heat = F.interpolate(torch.as_tensor(d[key]).float().to(self.device)[None], size=grid, mode="area")[0]
            labels = relate(unit_peak(heat), d[self.label_key], self.foreground, self.background, refine)
            labels = labels[None] if self.compete else labels
            if self.full_size:
                labels = F.interpolate(labels[None].float(), size=image.shape[-2:], mode="nearest-exact")[0]
            d[self.output_key] = labels.long().cpu()
        return d
