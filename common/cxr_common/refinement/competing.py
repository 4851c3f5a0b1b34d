"""Refined heatmaps of classes that compete for every pixel, as IRN has them on photographs, and their score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from cxr_common.data.datalist import item_group
from cxr_common.data.label_map import LabelMap, read_label_map, write_label_map
from cxr_common.errors import InputError
from cxr_common.evaluation.mask_scores import dataset_iou_report
from cxr_common.files import as_path
from cxr_common.findings.case_names import CaseNames
from cxr_common.findings.walk import WSMIS, Walk
from cxr_common.heatmaps import unit_peak
from cxr_common.metrics.label_maps import label_map_counts
from cxr_common.refinement.class_walks import walk_maps
from cxr_common.refinement.inferer import RelationInferer
from cxr_common.refinement.pseudo_masks import class_labels, normalized_walk
from cxr_common.transforms.original import original_size

BACKGROUND = "background"


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


def evaluate_label_maps(
    label_maps: Iterator[LabelMap],
    items: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    output_dir: str | Path,
    **options: Any,
) -> dict[str, Any]:
    """Write label maps as palette PNGs, and score them against those the items name, by VOC's rule.

    Args:
        label_maps: one per item, (width, height).
        items: datalist items, absolute paths; those without "label_map" are not scored.
        labels: K class names.
        output_dir: ``label_maps/<image>.png`` go there.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        Number of images and of those scored, and under "segmentation" the IoU of the data set over K + 1 classes: its
        mean ("macro", VOC's mIoU) and per class, with intervals over images.

    Raises:
        InputError: no item has a label map, or one is of another size than its image.
    """
    scored = [item for item in items if item.get("label_map")]
    if not scored:
        action = 'give items a "label_map", as python -m cxr_tools.prepare voc does'
        raise InputError("no image has a label map to score against", "datalist", action)
    folder = as_path(output_dir) / "label_maps"
    folder.mkdir(parents=True, exist_ok=True)
    names, predicted, truth = CaseNames(folder), [], []
    for item, label_map in zip(items, label_maps, strict=True):
        write_label_map(label_map, folder / f"{names.name(item['image'])}.png")
        if item.get("label_map"):
            true = read_label_map(item["label_map"], len(labels))
            if true.shape != label_map.shape:
                found, expected = (" x ".join(str(n) for n in shape) for shape in (true.shape, label_map.shape))
                reason = f"the label map is of {found} pixels, its image of {expected}"
                raise InputError(reason, item["label_map"], "give label maps of the image's size")
            predicted.append(label_map)
            truth.append(true)
    counts = label_map_counts(predicted, truth, len(labels))
    groups = [item_group(item) for item in scored]
    report = dataset_iou_report(counts, groups, [BACKGROUND, *labels], **options)
    return {
        "n_images": len(items),
        "n_scored": len(scored),
        "segmentation": {"original": {"iou of the data set": report}},
    }
