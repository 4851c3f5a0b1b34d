"""Score weights on a data set and tune thresholds on validation: once for all kinds of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from monai.data import Dataset
from torch import nn

from cxr_common.distributed import is_first_process
from cxr_common.errors import InputError
from cxr_common.evaluation.provenance import data_sha256, provenance
from cxr_common.evaluation.strategy import SomePredictions, SomeThresholds, Strategy
from cxr_common.files import as_path, write_json
from cxr_common.findings import ClassThresholds, save_thresholds
from cxr_common.networks.weights import load_weights, weights_sha256
from cxr_common.start import used_settings


def score(
    strategy: Strategy[SomePredictions, SomeThresholds],
    network: nn.Module,
    dataset: Dataset,
    thresholds: SomeThresholds,
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Score a network and write ``metrics.json`` and ``predictions.npz``.

    Args:
        strategy: what its kind of network needs.
        network: with its weights loaded.
        dataset: as :class:`~cxr_common.evaluation.predictions.Pass` takes it.
        thresholds: of the weights; they name the classes, and are recorded.
        output_dir: made where missing.
        device: where to run.
        weights: the file, for its hash.
        n_resamples: bootstrap replicates.
        seed: of the bootstrap.

    Returns:
        The content of metrics.json.
    """
    predictions = strategy.predict(network.to(device), dataset, list(thresholds.labels), device)
    folder = as_path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    report = strategy.report(predictions, thresholds, n_resamples=n_resamples, seed=seed)
    report |= evaluated_with(thresholds, weights, predictions.items, strategy.masks)
    predictions.save(folder / "predictions.npz")
    write_json(report, folder / "metrics.json")
    return report


def evaluated_with(
    thresholds: ClassThresholds, weights: str | Path | None, items: Sequence[Mapping[str, Any]], masks: bool
) -> dict[str, Any]:
    """What figures were computed with, for metrics.json: thresholds, weights, data, machine and versions."""
    return {
        "thresholds": thresholds.as_dict(),
        "weights_sha256": None if weights is None else weights_sha256(weights),
        "data_sha256": data_sha256(items, masks),
        **provenance(),
    }


def tune(
    strategy: Strategy[SomePredictions, SomeThresholds],
    network: nn.Module,
    dataset: Dataset,
    labels: list[str],
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    weights: str | Path | None = None,
    kept: SomeThresholds | None = None,
) -> SomeThresholds | None:
    """Tune per-class thresholds for weights: for a run's best ones on its validation data, beside them, or for others.

    Args:
        strategy: what its kind of network needs.
        network: gets the weights.
        dataset: the validation data.
        labels: class names.
        output_dir: folder of the run, made where missing; ``thresholds.json`` is written there, with the scale of grey
            values that the workflow uses, so that inference can refuse another one.
        device: where to run.
        weights: the file; default ``output_dir/model.pt``.
        kept: thresholds of classes that the data cannot tune; default .5.

    Returns:
        The thresholds; None in all but the first process of a distributed run.

    Raises:
        InputError: the folder is that of weights which have thresholds; or nothing can be tuned on the data.
    """
    if not is_first_process():
        return None
    folder = as_path(output_dir)
    weights = folder / "model.pt" if weights is None else weights
    if kept is not None and as_path(weights).with_name("thresholds.json").exists() and _same(weights, folder):
        action = "choose another folder; copy the new file over the old one if you like it better"
        raise InputError("holds the thresholds that these weights have", folder, action)
    load_weights(network, weights)
    thresholds = strategy.tune(network.to(device), dataset, labels, device, kept)
    if kept is not None:
        thresholds = replace(
            thresholds, tuned_on={**(thresholds.tuned_on or {}), "unchanged": _equal(thresholds, kept)}
        )
    settings, names = used_settings() or {}, ("mean", "std")
    if thresholds.tuned_on is not None and all(f"intensity_{name}" in settings for name in names):
        scale = {name: settings[f"intensity_{name}"] for name in names}
        thresholds = replace(thresholds, tuned_on={**thresholds.tuned_on, "intensity": scale})
    thresholds = thresholds.with_weights(weights_sha256(weights))
    folder.mkdir(parents=True, exist_ok=True)
    save_thresholds(thresholds, folder / "thresholds.json")
    return thresholds


def _same(weights: str | Path, folder: Path) -> bool:
    """Whether weights lie in a folder, by whatever path."""
    return folder.is_dir() and folder.samefile(as_path(weights).parent)


def _equal(thresholds: ClassThresholds, others: ClassThresholds) -> dict[str, list[str]]:
    """Field -> classes whose thresholds are the same in both."""
    return {
        field: [label for label, value in getattr(thresholds, field).items() if value == getattr(others, field)[label]]
        for field in thresholds.by_class
    }
