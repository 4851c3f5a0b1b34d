"""Scoring refined heatmaps: what bundle configs call for the relation network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from torch import nn

from cxr_common.distributed import is_first_process
from cxr_common.errors import InputError
from cxr_common.evaluation.mask_scores import counts_at_thresholds
from cxr_common.evaluation.predictions import Predictions
from cxr_common.evaluation.run import evaluated_with, tuned_on_masks, write_evaluation
from cxr_common.files import as_path, write_json
from cxr_common.findings.thresholds import Thresholds
from cxr_common.findings.thresholds_file import save_thresholds
from cxr_common.findings.tuning import MIN_IMAGES
from cxr_common.findings.walk import WSMIS, Walk
from cxr_common.metrics import dataset_iou
from cxr_common.metrics.mask_counts import PROBABILITY_GRID
from cxr_common.networks.weights import load_weights, weights_sha256
from cxr_common.refinement.boundaries import Boundaries, predict_boundaries
from cxr_common.refinement.competing import evaluate_label_maps, refined_label_maps
from cxr_common.refinement.inferer import RelationInferer


def predict_refined(
    network: nn.Module | None,
    dataset: Dataset,
    labels: list[str],
    device: torch.device | str = "cpu",
    walk: Walk = WSMIS,
    batch_size: int = 16,
    inferer: RelationInferer | None = None,
) -> Predictions:
    """Refine the heatmaps of a data set, each finding that an image is said to have by itself.

    Arguments are those of :func:`predict_boundaries`, the result that of :meth:`Boundaries.refined`.
    """
    return predict_boundaries(network, dataset, labels, device, batch_size, inferer).refined(walk)


def choose_steps(boundaries: Boundaries, walk: Walk, candidates: Sequence[int], margin: float = 0.01) -> Walk:
    """The number of steps, class by class, with which masks come to the largest IoU of the data set.

    Args:
        boundaries: of images with masks, which no score may be computed on afterwards.
        walk: its radius and beta are kept; its steps too where fewer than :data:`MIN_IMAGES` have the class.
        candidates: numbers of steps; 0 leaves a heatmap as it is but for what lies on a boundary. Each is tried with
            every threshold.
        margin: the fewest steps within this of the largest IoU are taken, so that chance carries no heatmap far: of a
            class that no localiser found all IoU are near 0.
    """
    tried, images = sorted(set(candidates)), np.zeros(len(boundaries.labels))
    best = np.zeros((len(tried), len(boundaries.labels)))
    for i, n in enumerate(tried):
        counts = counts_at_thresholds(boundaries.refined(replace(walk, steps=n)), PROBABILITY_GRID)
        best[i], images = np.nan_to_num(dataset_iou(counts)).max(0), (counts.true[0] > 0).sum(0)
    steps = dict(zip(boundaries.labels, walk.steps_of(boundaries.labels), strict=True))
    for c, name in enumerate(boundaries.labels):
        if images[c] >= MIN_IMAGES:
            steps[name] = tried[int((best[:, c] >= best[:, c].max() - margin).argmax())]
    return replace(walk, steps=steps)


def tune_refinement(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    walk: Walk = WSMIS,
    candidates: Sequence[int] | None = None,
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
        walk: the random walk; it is recorded with the thresholds, which hold for no other.
        candidates: numbers of steps to choose from class by class where there are masks: :func:`choose_steps`. None, or
            where classes compete: those of `walk`.
        default: threshold of all classes where no image has a mask; .25 in WSMIS' script, .6 in CheXseg's. The score of
            the background where classes compete; .25 in IRN's code.
        compete: one class a pixel, by :func:`~cxr_common.refinement.competing.refined_label_maps`.
        inferer: how boundaries are inferred; default without padding.

    Returns:
        The thresholds, as shares of a refined map's largest value; None in all but the first process of several.
    """
    if not is_first_process():
        return None
    path = as_path(output_dir) / "model.pt"
    load_weights(network, path)
    values: Mapping[str, float] = dict.fromkeys(labels, default)
    if compete:
        crop = inferer.crop_size if inferer else None
        size = [crop, crop] if crop else list(dataset[0]["image"].shape[-2:])
        tuned_on = {"input_size": size, "criterion": "published background: classes compete, no masks are used"}
    else:
        boundaries = predict_boundaries(network, dataset, labels, device, inferer=inferer)
        criterion = f"default {default:g}: no masks to tune on"
        tuned_on = {"input_size": list(boundaries.input_size), "criterion": criterion}
        if any(item.get("mask") for item in boundaries.items):
            walk = choose_steps(boundaries, walk, candidates) if candidates else walk
            tuned = tuned_on_masks(boundaries.refined(walk))
            criterion = "mask: largest IoU of the data set" + ("; steps: fewest within .01 of it" if candidates else "")
            values, tuned_on = tuned.mask, {**(tuned.tuned_on or {}), "criterion": criterion}
    # What an image has is given by its labels: a threshold on probabilities decides nothing here.
    decision = dict.fromkeys(labels, 0.5)
    walk = replace(walk, steps=dict(zip(labels, walk.steps_of(labels), strict=True)))
    thresholds = Thresholds(
        tuple(labels),
        decision,
        values,
        "absolute",
        walk=walk,
        tuned_on=tuned_on,
        weights_sha256=weights_sha256(path),
    )
    save_thresholds(thresholds, path.with_name("thresholds.json"))
    return thresholds


def evaluate_refinement(
    network: nn.Module,
    dataset: Dataset,
    thresholds: Thresholds,
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    walk: Walk | None = None,
    compete: bool = False,
    inferer: RelationInferer | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Score refined masks and write ``metrics.json`` and ``predictions.npz``.

    Where classes compete, label maps are scored by VOC's rule instead, and written in place of ``predictions.npz``: see
    :func:`~cxr_common.refinement.competing.evaluate_label_maps`.

    Args:
        network: with its weights loaded.
        dataset: as :func:`predict_refined` takes it.
        thresholds: of the weights; they name the classes. Where classes compete, their one mask threshold is the score
            of the background.
        output_dir: made where missing.
        device: where to run.
        weights: the file, for its hash.
        walk: the random walk; default that of the thresholds.
        compete: one class a pixel.
        inferer: how boundaries are inferred; default without padding.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        The content of metrics.json.

    Raises:
        InputError: where classes compete: no image has a label map, or the mask thresholds differ.
    """
    labels, walk = list(thresholds.labels), walk or thresholds.walk_with()
    thresholds = replace(thresholds, walk=walk)  # what is recorded is what is walked
    if not compete:
        predictions = predict_refined(network, dataset, labels, device, walk, inferer=inferer)
        return write_evaluation(predictions, thresholds, output_dir, weights, masks=True, **options)
    scores = sorted(set(thresholds.mask.values()))
    if len(scores) > 1:
        action = "give all of them the score of the background, .25 as published"
        raise InputError("classes that compete have different mask thresholds", thresholds.source, action)
    label_maps = refined_label_maps(network, dataset, labels, scores[0], device, walk, inferer)
    report = evaluate_label_maps(label_maps, list(dataset.data), labels, output_dir, **options)
    report |= evaluated_with(thresholds, weights, list(dataset.data), masks=True)
    write_json(report, as_path(output_dir) / "metrics.json")
    return report
