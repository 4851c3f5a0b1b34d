"""Localisers and segmenters: what bundle configs call to score and tune them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from monai.data import Dataset
from torch import nn

from cxr_common.evaluation.map_predictions import MapPredictions, NetworkMaps, predict
from cxr_common.evaluation.mask_scores import counts_at_thresholds
from cxr_common.evaluation.metrics_report import evaluation_report
from cxr_common.evaluation.provenance import data_sha256
from cxr_common.evaluation.run import score, tune
from cxr_common.evaluation.strategy import Strategy
from cxr_common.findings import Thresholds
from cxr_common.findings.thresholds_file import used_thresholds
from cxr_common.findings.tuning import (
    MIN_IMAGES,
    check_tuned,
    tune_decision_thresholds,
    tune_mask_thresholds,
    tune_probability_thresholds,
)
from cxr_common.metrics.mask_counts import PROBABILITY_GRID

NEEDS = (
    f"a decision needs {MIN_IMAGES} images with the class and {MIN_IMAGES} without, which the network tells apart,"
    f" a mask {MIN_IMAGES} with {{}}"
)


class MapStrategy(Strategy[NetworkMaps, Thresholds]):
    """What localisers and segmenters have in common.

    Args:
        inferer: makes the maps, as :func:`predict` takes it.
    """

    def __init__(self, inferer: Any = None) -> None:
        self.inferer = inferer

    def predict(
        self, network: nn.Module, dataset: Dataset, labels: list[str], device: torch.device | str
    ) -> NetworkMaps:
        """Run the network over a data set."""
        return predict(network, dataset, labels, device, inferer=self.inferer)

    def report(self, predictions: NetworkMaps, thresholds: Thresholds, **options: Any) -> dict[str, Any]:
        """All figures; those of masks only if wanted."""
        return evaluation_report(predictions, thresholds if self.masks else None, **options)

    def tune(
        self,
        network: nn.Module,
        dataset: Dataset,
        labels: list[str],
        device: torch.device | str,
        kept: Thresholds | None = None,
    ) -> Thresholds:
        """Thresholds from validation data, with how the heatmaps were made."""
        thresholds = self.tuned(self.predict(network, dataset, labels, device), kept)
        made: dict[str, Any] = self.inferer.describe() if hasattr(self.inferer, "describe") else {}
        return replace(thresholds, tuned_on={**(thresholds.tuned_on or {}), **made})

    @abstractmethod
    def tuned(self, predictions: NetworkMaps, kept: Thresholds | None = None) -> Thresholds:
        """Thresholds from predictions of validation data; see :meth:`tune`."""


class LocalizerStrategy(MapStrategy):
    """A localiser's thresholds are tuned on image labels and boxes."""

    def tuned(self, predictions: NetworkMaps, kept: Thresholds | None = None) -> Thresholds:
        """Decisions with the largest Youden index, masks whose boxes have the largest IoU."""
        labels = predictions.labels
        boxes, classes = predictions.boxes()
        decision = tune_decision_thresholds(predictions.probabilities, predictions.label, labels)
        mask = tune_mask_thresholds(predictions.each_heatmap(), boxes, classes, labels)
        if kept is not None:
            check_tuned(len(predictions.items), NEEDS.format("boxes of it"), decision, mask)
        kept = kept or Thresholds.default(labels)
        return Thresholds(
            labels=tuple(labels),
            decision={**kept.decision, **decision},
            mask={**kept.mask, **mask},
            tuned_on={
                "data_sha256": data_sha256(predictions.items),
                "n_images": len(predictions.items),
                "n_with_boxes": sum(bool(c) for c in classes),
                "input_size": list(predictions.input_size),
                "criterion": "decision: largest Youden index, .5 if not learned; mask: largest mean IoU of box sets",
            },
        )


class SegmenterStrategy(MapStrategy):
    """A segmenter's masks are tuned on masks, its decisions on image labels.

    A decision threshold is never below the mask threshold, so a present finding has at least one pixel. The mask
    threshold alone would not do: it is low where masks are uncertain, and then one such pixel would decide.
    """

    masks = True

    def tuned(self, predictions: NetworkMaps, kept: Thresholds | None = None) -> Thresholds:
        """Masks with the largest IoU of the data set, decisions with the largest Youden index."""
        labels = predictions.labels
        masks = _tune_masks(predictions)
        decisions = tune_decision_thresholds(predictions.probabilities, predictions.label, labels)
        if kept is not None:
            check_tuned(len(predictions.items), NEEDS.format("masks of it"), decisions, masks)
        kept = kept or Thresholds.default(labels, "absolute")
        # At 0 the mask is the whole picture. That is the best one only of a class that the network does not find.
        mask = {name: masks.get(name) or kept.mask[name] for name in labels}
        decision = {**kept.decision, **decisions}
        criterion = (
            "mask: largest IoU of the data set, at network resolution, never the whole picture; decision: largest"
            " Youden index, .5 if not learned, at least the mask threshold"
        )
        decision = {name: max(decision[name], mask[name]) for name in labels}
        return Thresholds(tuple(labels), decision, mask, "absolute", tuned_on=_of_masks(predictions, criterion))


def tuned_on_masks(predictions: MapPredictions, kept: Thresholds | None = None) -> Thresholds:
    """Thresholds with the largest IoU of the data set, for decisions and masks alike; see :meth:`MapStrategy.tune`."""
    kept = kept or Thresholds.default(predictions.labels, "absolute")
    tuned = {**kept.mask, **_tune_masks(predictions)}
    criterion = "decision and mask: largest IoU of the data set, at network resolution"
    return Thresholds(tuple(predictions.labels), tuned, tuned, "absolute", tuned_on=_of_masks(predictions, criterion))


def _tune_masks(predictions: MapPredictions) -> dict[str, float]:
    return tune_probability_thresholds(counts_at_thresholds(predictions, PROBABILITY_GRID), predictions.labels)


def _of_masks(predictions: MapPredictions, criterion: str) -> dict[str, Any]:
    return {
        "data_sha256": data_sha256(predictions.items, masks=True),
        "n_images": len(predictions.items),
        "n_with_masks": sum(bool(item.get("mask")) for item in predictions.items),
        "input_size": list(predictions.input_size),
        "criterion": criterion,
    }


def _strategy(inferer: Any, masks: bool) -> MapStrategy:
    return SegmenterStrategy(inferer) if masks else LocalizerStrategy(inferer)


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
        dataset: see :func:`~cxr_common.evaluation.run.score`, as for thresholds, output_dir, device and weights.
        thresholds: see there.
        output_dir: see there.
        device: see there.
        weights: see there.
        inferer: makes the maps, as :func:`predict` takes it.
        n_resamples: bootstrap replicates.
        seed: of the bootstrap.
        masks: score the masks too, against those of the datalist: every segmenter, or a localiser to compare with one.

    Returns:
        The content of metrics.json.
    """
    strategy = _strategy(inferer, masks)
    return score(strategy, network, dataset, thresholds, output_dir, device, weights, n_resamples, seed)


def tune_thresholds(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    inferer: Any = None,
    masks: bool = False,
    weights: str | Path | None = None,
    kept: Thresholds | None = None,
) -> Thresholds | None:
    """Tune thresholds of a localiser or segmenter; see :func:`~cxr_common.evaluation.run.tune`.

    Args:
        network: see there, as for dataset, labels, output_dir and device.
        dataset: see there.
        labels: see there.
        output_dir: see there.
        device: see there.
        inferer: makes the maps, as :func:`predict` takes it.
        masks: whether the network is a segmenter: :class:`SegmenterStrategy`, else :class:`LocalizerStrategy`.
        weights: see there, as for kept.
        kept: see there.
    """
    if kept is not None:
        kept = used_thresholds(kept, Thresholds, "thresholds to keep", labels)
    return tune(_strategy(inferer, masks), network, dataset, labels, output_dir, device, weights, kept)
