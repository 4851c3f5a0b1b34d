"""The boundaries a relation network sees in a data set, and the heatmaps that spread up to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from torch import nn
from torch.nn import functional as F

from cxr_common.evaluation.map_predictions import MapPredictions
from cxr_common.evaluation.predictions import Pass
from cxr_common.findings.walk import Walk
from cxr_common.refinement.class_walks import When, walk_inside
from cxr_common.refinement.inferer import RelationInferer
from cxr_common.refinement.pseudo_masks import STRIDE

#: Refined values are kept as logits; this far from 0 and 1 they are finite in float16.
_MARGIN = 1e-4


@dataclass(kw_only=True)
class RefinedMaps(MapPredictions):
    """Refined heatmaps of findings that images are said to have: maps without logits, as nothing is decided here."""

    def decided(self, decision: Mapping[str, float]) -> np.ndarray:
        """(N, C) bool: where the label says that the finding is there."""
        return self.label == 1


@dataclass
class Boundaries:
    """The input of random walks. Boundaries take most of the time, so several walks share them.

    Attributes:
        labels: K class names.
        items: datalist items, one per image.
        sizes: (N, 2) width and height of the original images.
        input_size: (X, Y) of the network input.
        label: (N, K) float32; 1 for the findings to refine.
        boundary: an image (1, 1, x, y) in [0, 1] on the grid of stride 4.
        heat: an image (1, P, x, y) on the same grid, the heatmaps of its P findings to refine.
        device: where walks run.
        gate: (N, 5) lung gates, see :func:`~cxr_common.data.chest.chest_gate`; None: there are none.
        gated: what becomes 0 outside of a gate: the heatmaps "before" the walk, or what it makes of them, "after" it.
    """

    labels: list[str]
    items: Sequence[Mapping[str, Any]]
    sizes: np.ndarray
    input_size: tuple[int, int]
    label: np.ndarray
    boundary: list[torch.Tensor]
    heat: list[torch.Tensor]
    device: torch.device | str
    gate: np.ndarray | None = None
    gated: When | None = None

    def refined(self, walk: Walk) -> RefinedMaps:
        """Spread every heatmap by itself.

        Returns:
            Predictions whose maps, on the grid of stride 4, are logits of the refined heatmaps (each with largest value
            1).
        """
        grid = [side // STRIDE for side in self.input_size]
        maps = np.empty((len(self.items), len(self.labels), *grid), dtype=np.float16)
        for n, (boundary, heat) in enumerate(zip(self.boundary, self.heat, strict=True)):
            present = self.label[n] == 1
            refined = torch.zeros(len(self.labels), *grid)
            if present.any():
                names = [name for name, there in zip(self.labels, present, strict=True) if there]
                gate = None if self.gate is None else torch.from_numpy(self.gate[n])
                walked = walk_inside(walk, heat.to(self.device), boundary.to(self.device), names, gate, self.gated)
                peak = F.interpolate(walked, scale_factor=STRIDE, mode="bilinear").amax((-2, -1), keepdim=True)
                refined[torch.from_numpy(present)] = (walked / peak.where(peak > 0, 1))[0].cpu()
            maps[n] = refined.clamp(_MARGIN, 1 - _MARGIN).logit().half().numpy()
        return RefinedMaps(
            labels=self.labels,
            items=self.items,
            sizes=self.sizes,
            input_size=self.input_size,
            label=self.label,
            maps=maps,
        )


@torch.no_grad()
def predict_boundaries(
    network: nn.Module | None,
    dataset: Dataset,
    labels: list[str],
    device: torch.device | str = "cpu",
    batch_size: int = 16,
    inferer: RelationInferer | None = None,
) -> Boundaries:
    """Run the relation network over a data set.

    Args:
        network: relation network, or None for no boundaries at all, with which a walk merely smooths.
        dataset: gives "image" (C, X, Y) as MetaTensor, X and Y multiples of 4, "heatmap" (K, x, y) in [0, 1], and in
            "label" (K,) 1 for the findings to refine; and "gate" (5,), if there are gates. Its ``data`` are the
            datalist items.
        labels: K class names.
        device: where to run.
        batch_size: images at a time.
        inferer: how boundaries are inferred; default without padding.
    """
    infer = inferer or RelationInferer()
    if network is not None:
        network.to(device).eval()
    boundaries, heats = [], []
    batches = Pass(dataset, labels, batch_size, "boundaries")
    for image, batch in batches:
        grid = (image.shape[-2] // STRIDE, image.shape[-1] // STRIDE)
        image, label = image.to(device), torch.as_tensor(batch["label"]).float()
        boundary = infer(image, network)[:, :1] if network else image.new_zeros(len(image), 1, *grid)
        heat = F.interpolate(torch.as_tensor(batch["heatmap"]).float(), size=grid, mode="area")
        for n, present in enumerate(label == 1):  # few findings are present, and time and memory go by maps
            boundaries.append(boundary[n : n + 1].cpu())
            heats.append(heat[n : n + 1, present])
    return Boundaries(**batches.known(), boundary=boundaries, heat=heats, device=device)
