"""Scoring a segmenter whose classes compete for every pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from monai.networks import eval_mode
from torch import nn
from tqdm import tqdm

from cxr_common.data.label_map import LabelMap
from cxr_common.evaluation.label_map_scores import evaluate_label_maps
from cxr_common.evaluation.provenance import data_sha256, provenance
from cxr_common.files import as_path, write_json
from cxr_common.networks.weights import weights_sha256


def segmented_label_maps(
    network: nn.Module, dataset: Dataset, device: torch.device | str = "cpu"
) -> Iterator[LabelMap]:
    """The class of the largest logit at each pixel, image by image; images may differ in size.

    Args:
        network: maps (1, C, X, Y) to logit maps (1, K + 1, X, Y), the background first.
        dataset: gives "image" (C, X, Y) at its own size.
        device: where to run.

    Yields:
        (X, Y) uint8.
    """
    network.to(device)
    for i in tqdm(range(len(dataset)), desc="segment", leave=False):
        item: Any = dataset[i]
        with eval_mode(network):
            maps = network(torch.as_tensor(item["image"])[None].to(device))
        yield maps[0].argmax(0).cpu().numpy().astype(np.uint8)


def evaluate_segmented(
    network: nn.Module,
    dataset: Dataset,
    labels: Sequence[str],
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Score label maps by VOC's rule, and write them and ``metrics.json``.

    Args:
        network: with its weights loaded; see :func:`segmented_label_maps`.
        dataset: as there; its ``data`` are the datalist items.
        labels: K class names.
        output_dir: made where missing; ``label_maps/<image>.png`` go there.
        device: where to run.
        weights: the file, for its hash.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        The content of metrics.json, see :func:`~cxr_common.evaluation.evaluate_label_maps`.
    """
    items = list(dataset.data)
    report = evaluate_label_maps(segmented_label_maps(network, dataset, device), items, labels, output_dir, **options)
    report["weights_sha256"] = None if weights is None else weights_sha256(weights)
    report |= {"data_sha256": data_sha256(items, masks=True), **provenance()}
    write_json(report, as_path(output_dir) / "metrics.json")
    return report
