"""Run a detector over a data set; score it, tune its thresholds. What bundle configs call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from monai.networks import eval_mode
from torch import nn

from cxr_common.detection.box_tuning import LEAST_F1, MIN_BOXES, tune_box_thresholds
from cxr_common.detection.report import detection_report
from cxr_common.evaluation.box_predictions import BoxPredictions
from cxr_common.evaluation.intervals import interval
from cxr_common.evaluation.predictions import Pass
from cxr_common.evaluation.provenance import data_sha256
from cxr_common.evaluation.run import score, tune
from cxr_common.evaluation.strategy import Strategy
from cxr_common.findings import BoxThresholds, ClassThresholds
from cxr_common.findings.tuning import check_tuned
from cxr_common.metrics import auroc, macro_average, per_class
from cxr_common.metrics.ranked_boxes import of_known_classes

#: Overlap that makes a hit when thresholds are tuned, and for FROC.
HIT_IOU = 0.4


def detect(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    inferer: Callable[..., Any],
    device: torch.device | str = "cpu",
    batch_size: int = 8,
) -> BoxPredictions:
    """Run a detector over a data set, in evaluation mode and in order.

    Args:
        network: a RetinaNet; its training state is restored.
        dataset: gives "image" (C, X, Y) as MetaTensor and, where they are known, "label" (C,); its ``data`` are the
            datalist items.
        labels: class names.
        inferer: a :class:`~cxr_common.detection.DetectionInferer`.
        device: where to run.
        batch_size: images at a time.
    """
    rows, logits = [], []
    batches = Pass(dataset, labels, batch_size, "detect")
    with eval_mode(network.to(device)):
        for image, _ in batches:
            found = inferer(image.to(device), network)
            rows.append(found["detections"].cpu().numpy())
            logits.append(found["image_logits"].float().cpu().numpy())
    return BoxPredictions(**batches.known(), rows=np.concatenate(rows), logits=np.concatenate(logits))


def detector_report(predictions: BoxPredictions, thresholds: ClassThresholds, **options: Any) -> dict[str, Any]:
    """Every figure of a detector: of boxes, and image-level AUROC of both heads.

    Args:
        predictions: what :func:`detect` gave.
        thresholds: of the weights. LLF and NLF are of the boxes that these decide present.
        options: ``n_resamples``, ``seed``, ``level`` of :func:`cxr_common.metrics.bootstrap`.
    """
    labels, groups, label = predictions.labels, predictions.patients, predictions.label
    limits = [thresholds.decision[name] for name in labels]
    found = (predictions.detections, *predictions.boxes())
    report = detection_report(
        *found, labels, groups, label, predictions.known, threshold=limits, iou=HIT_IOU, **options
    )
    logits = predictions.logits
    each = [interval(lambda w, c=c: auroc(logits[:, c], label[:, c], w), groups, **options) for c in range(len(labels))]
    report["image_auroc_global_head"] = {
        "macro": interval(lambda w: macro_average(per_class(auroc, logits, label, w)), groups, **options),
        "per_class": dict(zip(labels, each, strict=True)),
    }
    return report


class DetectorStrategy(Strategy[BoxPredictions, ClassThresholds]):
    """A detector's thresholds are tuned on boxes.

    Args:
        inferer: as :func:`detect` takes it.
    """

    def __init__(self, inferer: Callable[..., Any]) -> None:
        self.inferer = inferer

    def predict(
        self, network: nn.Module, dataset: Dataset, labels: list[str], device: torch.device | str
    ) -> BoxPredictions:
        """Run the detector over a data set."""
        return detect(network, dataset, labels, self.inferer, device)

    def report(self, predictions: BoxPredictions, thresholds: ClassThresholds, **options: Any) -> dict[str, Any]:
        """Figures of boxes, and image-level AUROC."""
        report = detector_report(predictions, thresholds, **options)
        return {**report, "n_patients": len(set(predictions.patients))}

    def tune(
        self,
        network: nn.Module,
        dataset: Dataset,
        labels: list[str],
        device: torch.device | str,
        kept: ClassThresholds | None = None,
    ) -> BoxThresholds:
        """The scores from which boxes have the largest F1."""
        predictions = self.predict(network, dataset, labels, device)
        detected, boxes, classes = of_known_classes(predictions.detections, *predictions.boxes(), predictions.known)
        tuned = tune_box_thresholds(detected, boxes, classes, labels, HIT_IOU)
        if kept is not None:
            check_tuned(len(predictions.items), f"a class needs {MIN_BOXES} boxes", tuned)
        decision = (kept or BoxThresholds.default(labels)).decision
        return BoxThresholds(
            labels=tuple(labels),
            decision={**decision, **tuned},
            tuned_on={
                "data_sha256": data_sha256(predictions.items),
                "n_images": len(predictions.items),
                "n_with_boxes": sum(bool(c) for c in classes),
                "input_size": list(predictions.input_size),
                "criterion": (
                    f"decision: largest F1 of boxes at IoU {HIT_IOU}, .5 for classes with fewer than {MIN_BOXES} boxes"
                    f" or a largest F1 below {LEAST_F1}"
                ),
            },
        )


def evaluate_detector(
    network: nn.Module,
    dataset: Dataset,
    thresholds: ClassThresholds,
    output_dir: str | Path,
    inferer: Callable[..., Any],
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score a detector and write ``metrics.json`` and ``predictions.npz``.

    Args:
        network: see :func:`~cxr_common.evaluation.run.score`, as for dataset, thresholds, output_dir, device, weights.
        dataset: see there.
        thresholds: see there.
        output_dir: see there.
        inferer: as :func:`detect` takes it.
        device: see there.
        weights: see there.
        n_resamples: bootstrap replicates.
        seed: of the bootstrap.

    Returns:
        The content of metrics.json.
    """
    strategy = DetectorStrategy(inferer)
    return score(strategy, network, dataset, thresholds, output_dir, device, weights, n_resamples, seed)


def tune_detector(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    inferer: Callable[..., Any],
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    kept: ClassThresholds | None = None,
) -> ClassThresholds | None:
    """Tune score thresholds of a detector; see :func:`~cxr_common.evaluation.run.tune`.

    Args:
        network: see there, as for dataset, labels, output_dir and device.
        dataset: see there.
        labels: see there.
        output_dir: see there.
        inferer: as :func:`detect` takes it.
        device: see there.
        weights: see there, as for kept.
        kept: see there.
    """
    return tune(DetectorStrategy(inferer), network, dataset, labels, output_dir, device, weights, kept)
