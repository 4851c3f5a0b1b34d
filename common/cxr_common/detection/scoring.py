"""Run a detector over a data set; score it, tune its thresholds. What bundle configs call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from monai.utils import CommonKeys
from torch import nn
from tqdm import tqdm

from cxr_common.boxes import Boxes, scale_boxes
from cxr_common.data.datalist import boxed_classes, item_group
from cxr_common.detection.box_tuning import tune_box_thresholds
from cxr_common.detection.report import detection_report
from cxr_common.distributed import is_first_process
from cxr_common.evaluation.intervals import interval
from cxr_common.evaluation.provenance import data_sha256
from cxr_common.evaluation.run import evaluated_with
from cxr_common.files import as_path, replacing, write_json
from cxr_common.findings import BoxThresholds, ClassThresholds, save_thresholds
from cxr_common.metrics import Detections, auroc, macro_average, per_class
from cxr_common.metrics.ranked_boxes import of_known_classes
from cxr_common.networks.weights import load_weights, weights_sha256

#: Overlap that makes a hit when thresholds are tuned, and for FROC.
HIT_IOU = 0.4


@dataclass
class DetectorPredictions:
    """What a detector says of N images.

    Attributes:
        labels: class names.
        items: datalist items; "boxes" are in the image's own pixels.
        sizes: (N, 2) width and height of the original images.
        input_size: X, Y of the network's input.
        rows: (N, K, 6) detections in network-input pixels, as :func:`~cxr_common.detection.select_detections` has them.
        image_logits: (N, C) of the global head.
        label: (N, C) float32; NaN not annotated, -1 uncertain.
    """

    labels: list[str]
    items: list[dict[str, Any]]
    sizes: np.ndarray
    input_size: tuple[int, int]
    rows: np.ndarray
    image_logits: np.ndarray
    label: np.ndarray

    @property
    def patients(self) -> list[str]:
        """N names: what the bootstrap draws: the group of an image, else its patient, else the image itself."""
        return [item_group(i) for i in self.items]

    @property
    def detections(self) -> list[Detections]:
        """Detections of each image in network-input pixels, which COCO's object sizes suit."""
        kept = [rows[rows[:, 5] >= 0].astype(np.float64) for rows in self.rows]
        return [Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(int)) for rows in kept]

    def truth(self) -> tuple[list[Boxes | None], list[list[int] | None]]:
        """True boxes in the same pixels and their classes; None = not annotated."""
        known = [item.get("boxes") is not None for item in self.items]
        boxes = [
            scale_boxes(item["boxes"], size, self.input_size) if there else None
            for item, size, there in zip(self.items, self.sizes, known, strict=True)
        ]
        classes = [
            [int(c) for c in item["box_labels"]] if there else None
            for item, there in zip(self.items, known, strict=True)
        ]
        return boxes, classes

    @property
    def known(self) -> np.ndarray:
        """(N, C) whether an image is annotated with boxes of a class, by the rule of training."""
        none = [False] * len(self.labels)
        pairs = zip(self.items, self.label, strict=True)
        return np.array(
            [none if i.get("boxes") is None else boxed_classes(v, i["box_labels"], len(none)) for i, v in pairs]
        )

    def save(self, path: str | Path) -> None:
        """Write everything to one ``.npz`` (items as JSON text), atomically."""
        arrays = {name: getattr(self, name) for name in ("sizes", "input_size", "rows", "image_logits", "label")}
        with replacing(path) as temporary:
            np.savez_compressed(
                temporary, labels=np.array(self.labels), items=np.array(json.dumps(self.items)), **arrays
            )


def detect(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    inferer: Callable[..., Any],
    device: torch.device | str = "cpu",
    batch_size: int = 8,
) -> DetectorPredictions:
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
    was_training = network.training
    network.to(device).eval()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("sizes", "rows", "image_logits", "label")}
    input_size = (0, 0)
    try:
        with torch.no_grad():
            for batch in tqdm(DataLoader(dataset, batch_size=batch_size), desc="detect", leave=False):
                image = batch[CommonKeys.IMAGE]
                input_size = (int(image.shape[-2]), int(image.shape[-1]))
                found = inferer(image.as_tensor().to(device), network)
                unknown = torch.full((len(image), len(labels)), torch.nan)
                parts["sizes"].append(np.asarray(image.meta["spatial_shape"])[:, :2])
                parts["rows"].append(found["detections"].cpu().numpy())
                parts["image_logits"].append(found["image_logits"].float().cpu().numpy())
                parts["label"].append(torch.as_tensor(batch.get(CommonKeys.LABEL, unknown)).numpy())
    finally:
        network.train(was_training)
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    return DetectorPredictions(list(labels), list(dataset.data), input_size=input_size, **arrays)


def detector_report(predictions: DetectorPredictions, thresholds: ClassThresholds, **options: Any) -> dict[str, Any]:
    """Every figure of a detector: of boxes, and image-level AUROC of both heads.

    Args:
        predictions: what :func:`detect` gave.
        thresholds: of the weights. LLF and NLF are of the boxes that these decide present.
        options: ``n_resamples``, ``seed``, ``level`` of :func:`cxr_common.metrics.bootstrap`.
    """
    labels, groups, label = predictions.labels, predictions.patients, predictions.label
    limits = [thresholds.decision[name] for name in labels]
    found = (predictions.detections, *predictions.truth())
    report = detection_report(
        *found, labels, groups, label, predictions.known, threshold=limits, iou=HIT_IOU, **options
    )
    logits = predictions.image_logits
    each = [interval(lambda w, c=c: auroc(logits[:, c], label[:, c], w), groups, **options) for c in range(len(labels))]
    report["image_auroc_global_head"] = {
        "macro": interval(lambda w: macro_average(per_class(auroc, logits, label, w)), groups, **options),
        "per_class": dict(zip(labels, each, strict=True)),
    }
    return report


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
        network: with its weights loaded.
        dataset: as :func:`detect` takes it.
        thresholds: of the weights; they name the classes, and are recorded.
        output_dir: made where missing.
        inferer: as :func:`detect` takes it.
        device: where to run.
        weights: the file, for its hash.
        n_resamples: bootstrap replicates.
        seed: of the bootstrap.

    Returns:
        The content of metrics.json.
    """
    folder = as_path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    predictions = detect(network, dataset, list(thresholds.labels), inferer, device)
    report = detector_report(predictions, thresholds, n_resamples=n_resamples, seed=seed)
    report["n_patients"] = len(set(predictions.patients))
    report |= evaluated_with(thresholds, weights, predictions.items, masks=False)
    predictions.save(folder / "predictions.npz")
    write_json(report, folder / "metrics.json")
    return report


def tune_detector(
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    inferer: Callable[..., Any],
    device: torch.device | str = "cpu",
) -> BoxThresholds | None:
    """Tune per-class score thresholds for a run's best weights on its validation data, beside the weights.

    Args:
        network: gets the weights of ``output_dir/model.pt``.
        dataset: the validation data.
        labels: class names.
        output_dir: folder of the run; ``thresholds.json`` is written there.
        inferer: as :func:`detect` takes it.
        device: where to run.

    Returns:
        The thresholds; None in all but the first process of a distributed run.
    """
    if not is_first_process():
        return None
    folder = as_path(output_dir)
    load_weights(network, folder / "model.pt")
    predictions = detect(network, dataset, labels, inferer, device)
    detected, boxes, classes = of_known_classes(predictions.detections, *predictions.truth(), predictions.known)
    tuned = tune_box_thresholds(detected, boxes, classes, labels, HIT_IOU)
    thresholds = BoxThresholds(
        labels=tuple(labels),
        decision=tuned,
        tuned_on={
            "data_sha256": data_sha256(predictions.items),
            "n_images": len(predictions.items),
            "n_with_boxes": sum(bool(c) for c in classes),
            "input_size": list(predictions.input_size),
            "criterion": f"decision: largest F1 of boxes at IoU {HIT_IOU}, .5 for classes with fewer than 5 boxes",
        },
        weights_sha256=weights_sha256(folder / "model.pt"),
    )
    save_thresholds(thresholds, folder / "thresholds.json")
    return thresholds
