"""Refined heatmaps of classes that compete for every pixel, as IRN has them on photographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from cxr_common.data.label_map import LabelMap
from cxr_common.findings.walk import WSMIS, Walk
from cxr_common.heatmaps import unit_peak
from cxr_common.refinement.class_walks import walk_maps
from cxr_common.refinement.inferer import RelationInferer
from cxr_common.refinement.pseudo_masks import class_labels, normalized_walk
from cxr_common.transforms.original import original_size


@torch.no_grad()
def refined_label_maps(
    network: nn.Module,
    dataset: Dataset,
    labels: Sequence[str],
    background: float = 0.25,
    device: torch.device | str = "cpu",
    walk: Walk = WSMIS,
    inferer: RelationInferer | None = None,
) -> Iterator[LabelMap]:
    """Refine the heatmaps of a data set image by image; images may differ in size.

    As published (github.com/jiwoon-ahn/irn at a2ece00): each heatmap is divided by its maximum, spread by the random
    walk, all are divided by the largest value of any class, and the largest one or the background takes the pixel.

    Args:
        network: relation network with its weights.
        dataset: gives "image" (C, X, Y) as MetaTensor, "heatmap" (K, x, y), and in "label" (K,) 1 for the classes that
            the image is said to have; others get no pixel.
        labels: K class names.
        background: score of the background.
        device: where to run.
        walk: the random walk.
        inferer: how boundaries are inferred; default without padding.

    Yields:
        (width, height) of the original image: 0 background, k + 1 class k.
    """
    infer = inferer or RelationInferer()
    network.to(device).eval()
    for i in tqdm(range(len(dataset)), desc="refine", leave=False):
        item: Any = dataset[i]
        image = item["image"]
        size, original = (image.shape[-2], image.shape[-1]), original_size(image, dataset.data[i].get("image"))
        present = (torch.as_tensor(item["label"]) == 1).nonzero()[:, 0]
        if not len(present):
            yield np.zeros(original, np.uint8)
            continue
        boundary = infer(torch.as_tensor(image)[None].to(device), network)[:, :1]
        heat = torch.as_tensor(item["heatmap"]).float()[present].to(device)
        maps = unit_peak(F.interpolate(heat[None], size=boundary.shape[-2:], mode="area"))
        walked = walk_maps(walk, maps, boundary, [labels[c] for c in present.tolist()])
        refined = normalized_walk(walked, size, across_classes=True)
        if original != size:
            refined = F.interpolate(refined, size=original, mode="bilinear")
        values = torch.cat((present.new_zeros(1), present + 1))
        yield values[class_labels(refined, background)[0].cpu()].numpy().astype(np.uint8)
