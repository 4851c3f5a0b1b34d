"""What bundle configs call: score weights on a data set, tune thresholds on validation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from monai.data import Dataset
from torch import nn

from cxr_common.distributed import is_first_process
from cxr_common.evaluation.mask_scores import counts_at_thresholds
from cxr_common.evaluation.metrics_report import evaluation_report
from cxr_common.evaluation.predictions import Predictions, predict
from cxr_common.evaluation.provenance import data_sha256, provenance
from cxr_common.files import as_path, write_json
from cxr_common.findings import ClassThresholds, Thresholds, save_thresholds
from cxr_common.findings.tuning import tune_decision_thresholds, tune_mask_thresholds, tune_probability_thresholds
from cxr_common.metrics.mask_counts import PROBABILITY_GRID
from cxr_common.networks.weights import load_weights, weights_sha256


def evaluate(
    network: nn.Module,
    dataset: Dataset,
    thresholds: Thresholds,
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    inferer: Any = None,
    n_resamples: int = 1000,
    seed: int = 0,
    masks: bool = False,
) -> dict[str, Any]:
    """Score a localiser or segmenter and write ``metrics.json`` and ``predictions.npz``.

    Args:
        network: with its weights loaded.
        dataset: as :func:`predict` takes it.
        thresholds: of the weights; they name the classes, and are recorded.
        output_dir: made where missing.
        device: where to run.
        weights: the file, for its hash.
        inferer: makes the maps, as :func:`predict` takes it.
        n_resamples: bootstrap replicates.
        seed: of the bootstrap.
        masks: score the masks too, against those of the datalist: every segmenter, or a localiser to compare with one.

    Returns:
        The content of metrics.json.
    """
    predictions = predict(network.to(device), dataset, list(thresholds.labels), device, inferer=inferer)
    return write_evaluation(predictions, thresholds, output_dir, weights, masks, n_resamples, seed)


def write_evaluation(
    predictions: Predictions,
    thresholds: Thresholds,
    output_dir: str | Path,
    weights: str | Path | None = None,
    masks: bool = False,
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score predictions and write ``metrics.json`` and ``predictions.npz``; see :func:`evaluate`."""
    folder = as_path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    report = evaluation_report(predictions, thresholds if masks else None, n_resamples=n_resamples, seed=seed)
    report |= evaluated_with(thresholds, weights, predictions.items, masks)
    predictions.save(folder / "predictions.npz")
    write_json(report, folder / "metrics.json")
    return report


def evaluated_with(
    thresholds: ClassThresholds, weights: str | Path | None, items: list[dict[str, Any]], masks: bool
) -> dict[str, Any]:
    """What figures were computed with, for metrics.json: thresholds, weights, data, machine and versions."""
    return {
        "thresholds": thresholds.as_dict(),
        "weights_sha256": None if weights is None else weights_sha256(weights),
        "data_sha256": data_sha256(items, masks),
        **provenance(),
    }


def tune_thresholds(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    inferer: Any = None,
    masks: bool = False,
) -> Thresholds | None:
    """Tune per-class thresholds for a run's best weights on its validation data, beside the weights.

    A localiser's are tuned on image labels and boxes. A segmenter's are tuned on masks: the probability above which its
    pixels have the largest IoU of the data set is both the mask threshold and the decision threshold, so a finding is
    decided present where it has a pixel.

    Args:
        network: the network that was trained; it gets the weights of ``output_dir/model.pt``.
        dataset: the validation data.
        labels: class names.
        output_dir: folder of the run; ``thresholds.json`` is written there.
        device: where to run.
        inferer: makes the maps, as :func:`predict` takes it.
        masks: whether the network is a segmenter.

    Returns:
        The thresholds; None in all but the first process of a distributed run.
    """
    if not is_first_process():
        return None
    folder = as_path(output_dir)
    load_weights(network, folder / "model.pt")
    predictions = predict(network.to(device), dataset, labels, device, inferer=inferer)
    tune = tuned_on_masks if masks else _tuned_on_boxes
    thresholds = tune(predictions).with_weights(weights_sha256(folder / "model.pt"))
    if hasattr(inferer, "describe"):
        thresholds = replace(thresholds, tuned_on={**(thresholds.tuned_on or {}), **inferer.describe()})
    save_thresholds(thresholds, folder / "thresholds.json")
    return thresholds


def _tuned_on_boxes(predictions: Predictions) -> Thresholds:
    labels = predictions.labels
    boxes, classes = predictions.boxes()
    return Thresholds(
        labels=tuple(labels),
        decision=tune_decision_thresholds(predictions.probabilities, predictions.label, labels),
        mask=tune_mask_thresholds(predictions.each_heatmap(), boxes, classes, labels),
        tuned_on={
            "data_sha256": data_sha256(predictions.items),
            "n_images": len(predictions.items),
            "n_with_boxes": sum(bool(c) for c in classes),
            "input_size": list(predictions.input_size),
            "criterion": "decision: largest Youden index, .5 if not learned; mask: largest mean IoU of box sets",
        },
    )


def tuned_on_masks(predictions: Predictions) -> Thresholds:
    """Thresholds with the largest IoU of the data set, for decisions and masks alike."""
    counts = counts_at_thresholds(predictions, PROBABILITY_GRID)
    tuned = tune_probability_thresholds(counts, predictions.labels)
    return Thresholds(
        labels=tuple(predictions.labels),
        decision=tuned,
        mask=tuned,
        mask_mode="absolute",
        tuned_on={
            "data_sha256": data_sha256(predictions.items, masks=True),
            "n_images": len(predictions.items),
            "n_with_masks": sum(bool(item.get("mask")) for item in predictions.items),
            "input_size": list(predictions.input_size),
            "criterion": "decision and mask: largest IoU of the data set, at network resolution",
        },
    )
