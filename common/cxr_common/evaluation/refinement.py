"""Scoring refined heatmaps: what bundle configs call for the relation network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from torch import distributed, nn
from torch.nn import functional as F
from tqdm import tqdm

from cxr_common.errors import InputError
from cxr_common.evaluation.competing import evaluate_label_maps, refined_label_maps
from cxr_common.evaluation.json_file import write_json
from cxr_common.evaluation.predictions import Predictions
from cxr_common.evaluation.run import evaluated_with, tuned_on_masks, write_evaluation
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
    inferer: RelationInferer | None = None,
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
        inferer: how boundaries are inferred; default without padding.

    Returns:
        Predictions whose maps, on the grid of stride 4, are logits of the refined heatmaps (each with largest value 1),
        and whose class logits are large where a finding is said to be there, else small.
    """
    infer = inferer or RelationInferer()
    if network is not None:
        network.to(device).eval()
    logits, maps, known, sizes, input_size = [], [], [], [], (0, 0)
    for batch in tqdm(DataLoader(dataset, batch_size=batch_size), desc="refine", leave=False):
        image = batch["image"]
        sizes.append(np.asarray(image.meta["spatial_shape"])[:, :2])
        input_size = (int(image.shape[-2]), int(image.shape[-1]))
        grid = (input_size[0] // STRIDE, input_size[1] // STRIDE)
        image, label = image.as_tensor().to(device), torch.as_tensor(batch["label"]).float()
        boundary = infer(image, network)[:, :1] if network else image.new_zeros(len(image), 1, *grid)
        heat = F.interpolate(torch.as_tensor(batch["heatmap"]).float().to(device), size=grid, mode="area")
        walked = torch.zeros_like(heat)
        for n, present in enumerate(label == 1):  # few findings are present, and time goes by maps
            if present.any():
                one, own = heat[n : n + 1, present], boundary[n : n + 1]
                walked[n, present] = random_walk(one, own, radius=radius, beta=beta, steps=steps)[0]
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
    compete: bool = False,
    inferer: RelationInferer | None = None,
) -> Thresholds | None:
    """Tune mask thresholds for a run's best weights on its validation data, beside the weights.

    Where classes compete nothing is tuned: the background's score is `default`, as published.

    Args:
        network: gets the weights of ``output_dir/model.pt``.
        dataset: as :func:`predict_refined` takes it.
        labels: class names.
        output_dir: folder of the run; ``thresholds.json`` is written there.
        device: where to run.
        radius: of the random walk, as beta and steps.
        beta: see there.
        steps: see there.
        default: threshold of all classes where no image has a mask; .25 in WSMIS' script, .6 in CheXseg's. The score of
            the background where classes compete; .25 in IRN's code.
        compete: one class a pixel, by :func:`~cxr_common.evaluation.competing.refined_label_maps`.
        inferer: how boundaries are inferred; default without padding.

    Returns:
        The thresholds, as shares of a refined map's largest value; None in all but the first process of several.
    """
    if distributed.is_available() and distributed.is_initialized() and distributed.get_rank() != 0:
        return None
    path = Path(output_dir) / "model.pt"
    load_weights(network, path)
    values: Mapping[str, float] = dict.fromkeys(labels, default)
    if compete:
        crop = inferer.crop_size if inferer else None
        size = [crop, crop] if crop else list(dataset[0]["image"].shape[-2:])
        tuned_on = {"input_size": size, "criterion": "published background: classes compete, no masks are used"}
    else:
        predictions = predict_refined(network, dataset, labels, device, radius, beta, steps, inferer=inferer)
        size = list(predictions.input_size)
        tuned_on = {"input_size": size, "criterion": "published default: no masks to tune on"}
        if has_masks(predictions):
            tuned = tuned_on_masks(predictions)
            values, tuned_on = tuned.mask, {**(tuned.tuned_on or {}), "criterion": "mask: largest IoU of the data set"}
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
    compete: bool = False,
    inferer: RelationInferer | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Score refined masks and write ``metrics.json`` and ``predictions.npz``.

    Where classes compete, label maps are scored by VOC's rule instead, and written in place of ``predictions.npz``: see
    :func:`~cxr_common.evaluation.competing.evaluate_label_maps`.

    Args:
        network: with its weights loaded.
        dataset: as :func:`predict_refined` takes it.
        thresholds: of the weights; they name the classes. Where classes compete, their one mask threshold is the score
            of the background.
        output_dir: made where missing.
        device: where to run.
        weights: the file, for its hash.
        radius: of the random walk, as beta and steps.
        beta: see there.
        steps: see there.
        compete: one class a pixel.
        inferer: how boundaries are inferred; default without padding.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        The content of metrics.json.

    Raises:
        InputError: where classes compete: no image has a label map, or the mask thresholds differ.
    """
    labels = list(thresholds.labels)
    if not compete:
        predictions = predict_refined(network, dataset, labels, device, radius, beta, steps, inferer=inferer)
        return write_evaluation(predictions, thresholds, output_dir, weights, masks=True, **options)
    scores = sorted(set(thresholds.mask.values()))
    if len(scores) > 1:
        action = "give all of them the score of the background, .25 as published"
        raise InputError("classes that compete have different mask thresholds", thresholds.source, action)
    label_maps = refined_label_maps(network, dataset, scores[0], device, radius, beta, steps, inferer)
    report = evaluate_label_maps(label_maps, list(dataset.data), labels, output_dir, **options)
    report |= evaluated_with(thresholds, weights, list(dataset.data), masks=True)
    write_json(report, Path(output_dir) / "metrics.json")
    return report
