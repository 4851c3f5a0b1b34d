"""Scoring refined heatmaps: what bundle configs call for the relation network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from torch import distributed, nn
from torch.nn import functional as F
from tqdm import tqdm

from cxr_common.evaluation.predictions import Predictions
from cxr_common.evaluation.run import tuned_on_masks, write_evaluation
from cxr_common.evaluation.segmentation import has_masks
from cxr_common.findings.thresholds import Thresholds, save_thresholds
from cxr_common.networks.weights import load_weights, weights_sha256
from cxr_common.refinement.inferer import RelationInferer
from cxr_common.refinement.pseudo_masks import STRIDE
from cxr_common.refinement.random_walk import random_walk

#: Refined values are kept as logits; this far from 0 and 1 they are finite in float16.
_MARGIN = 1e-4


@torch.no_grad()
def predict_refined(
    network: nn.Module | None,
    dataset: Dataset,
    labels: list[str],
    device: torch.device | str = "cpu",
    radius: int = 5,
    beta: float = 10,
    steps: int = 256,
    batch_size: int = 16,
) -> Predictions:
    """Refine the heatmaps of a data set, each finding that an image is said to have by itself.

    Args:
        network: relation network, or None for no boundaries at all, which leaves a mere smoothing.
        dataset: gives "image" (C, X, Y) as MetaTensor, X and Y multiples of 4, "heatmap" (K, x, y) in [0, 1], and in
            "label" (K,) 1 for the findings to refine; its ``data`` are the datalist items.
        labels: K class names.
        device: where to run.
        radius: of the random walk, as beta and steps.
        beta: see there.
        steps: see there.
        batch_size: images at a time.

    Returns:
        Predictions whose maps, on the grid of stride 4, are logits of the refined heatmaps (each with largest value 1),
        and whose class logits are large where a finding is said to be there, else small.
    """
    inferer = RelationInferer()
    if network is not None:
        network.to(device).eval()
    logits, maps, known, sizes, input_size = [], [], [], [], (0, 0)
    for batch in tqdm(DataLoader(dataset, batch_size=batch_size), desc="refine", leave=False):
        image = batch["image"]
        sizes.append(np.asarray(image.meta["spatial_shape"])[:, :2])
        input_size = (int(image.shape[-2]), int(image.shape[-1]))
        grid = (input_size[0] // STRIDE, input_size[1] // STRIDE)
        image, label = image.as_tensor().to(device), torch.as_tensor(batch["label"]).float()
        boundary = inferer(image, network)[:, :1] if network else image.new_zeros(len(image), 1, *grid)
        heat = F.interpolate(torch.as_tensor(batch["heatmap"]).float().to(device), size=grid, mode="area")
        heat = heat * (label == 1).to(heat)[..., None, None]
        walked = random_walk(heat, boundary, radius=radius, beta=beta, steps=steps)
        peak = F.interpolate(walked, scale_factor=STRIDE, mode="bilinear").amax((-2, -1), keepdim=True)
        refined = (walked / peak.where(peak > 0, 1)).clamp(_MARGIN, 1 - _MARGIN)
        maps.append(refined.logit().half().cpu().numpy())
        logits.append(torch.where(label == 1, 10.0, -10.0).numpy())
        known.append(label.numpy())
    numbers = (np.concatenate(parts) for parts in (sizes, logits, maps, known))
    all_sizes, all_logits, all_maps, all_known = numbers
    return Predictions(list(labels), list(dataset.data), all_sizes, input_size, all_logits, all_maps, all_known)


def tune_refinement(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    radius: int = 5,
    beta: float = 10,
    steps: int = 256,
    default: float = 0.25,
) -> Thresholds | None:
    """Tune mask thresholds for a run's best weights on its validation data, beside the weights.

    Args:
        network: gets the weights of ``output_dir/model.pt``.
        dataset: as :func:`predict_refined` takes it.
        labels: class names.
        output_dir: folder of the run; ``thresholds.json`` is written there.
        device: where to run.
        radius: of the random walk, as beta and steps.
        beta: see there.
        steps: see there.
        default: threshold of all classes where no image has a mask; .25 in WSMIS' script, .6 in CheXseg's.

    Returns:
        The thresholds, as shares of a refined map's largest value; None in all but the first process of several.
    """
    if distributed.is_available() and distributed.is_initialized() and distributed.get_rank() != 0:
        return None
    path = Path(output_dir) / "model.pt"
    load_weights(network, path)
    predictions = predict_refined(network, dataset, labels, device, radius, beta, steps)
    if has_masks(predictions):
        tuned = tuned_on_masks(predictions)
        values, tuned_on = tuned.mask, {**(tuned.tuned_on or {}), "criterion": "mask: largest IoU of the data set"}
    else:
        values = dict.fromkeys(labels, default)
        tuned_on = {"input_size": list(predictions.input_size), "criterion": "published default: no masks to tune on"}
    # What an image has is given by its labels: a threshold on probabilities decides nothing here.
    decision = dict.fromkeys(labels, 0.5)
    thresholds = Thresholds(tuple(labels), decision, values, "absolute", tuned_on, weights_sha256(path))
    save_thresholds(thresholds, path.with_name("thresholds.json"))
    return thresholds


def evaluate_refinement(
    network: nn.Module,
    dataset: Dataset,
    thresholds: Thresholds,
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    radius: int = 5,
    beta: float = 10,
    steps: int = 256,
    **options: Any,
) -> dict[str, Any]:
    """Score refined masks and write ``metrics.json`` and ``predictions.npz``.

    Args:
        network: with its weights loaded.
        dataset: as :func:`predict_refined` takes it.
        thresholds: of the weights; they name the classes.
        output_dir: made where missing.
        device: where to run.
        weights: the file, for its hash.
        radius: of the random walk, as beta and steps.
        beta: see there.
        steps: see there.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        The content of metrics.json.
    """
    predictions = predict_refined(network, dataset, list(thresholds.labels), device, radius, beta, steps)
    return write_evaluation(predictions, thresholds, output_dir, weights, masks=True, **options)
