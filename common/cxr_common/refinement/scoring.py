"""Scoring refined heatmaps: what bundle configs call for the relation network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from monai.data import Dataset
from torch import nn

from cxr_common.errors import InputError
from cxr_common.evaluation.label_map_scores import evaluate_label_maps
from cxr_common.evaluation.map_scoring import tuned_on_masks
from cxr_common.evaluation.metrics_report import map_report
from cxr_common.evaluation.run import evaluated_with, score, tune
from cxr_common.evaluation.strategy import Strategy
from cxr_common.files import as_path, write_json
from cxr_common.findings.thresholds import Thresholds
from cxr_common.findings.walk import WSMIS, Walk
from cxr_common.refinement.boundaries import RefinedMaps, predict_boundaries
from cxr_common.refinement.class_walks import When
from cxr_common.refinement.competing import refined_label_maps
from cxr_common.refinement.inferer import RelationInferer
from cxr_common.refinement.step_choice import choose_steps, predict_refined


class RefinementStrategy(Strategy[RefinedMaps, Thresholds]):
    """Masks of refined heatmaps. Labels say which findings an image has, so only masks are scored and tuned.

    Args:
        walk: the random walk.
        candidates: numbers of steps to choose from class by class when tuning: :func:`choose_steps`; None keeps those
            of `walk`.
        default: threshold of all classes where no image has a mask.
        inferer: how boundaries are inferred; default without padding.
        gated: when the images' lung gates act, if at all; not when tuning.
    """

    masks = True

    def __init__(
        self,
        walk: Walk = WSMIS,
        candidates: Sequence[int] | None = None,
        default: float = 0.25,
        inferer: RelationInferer | None = None,
        gated: When | None = None,
    ) -> None:
        self.walk, self.candidates, self.default, self.inferer = walk, candidates, default, inferer
        self.gated = gated

    def predict(
        self, network: nn.Module, dataset: Dataset, labels: list[str], device: torch.device | str
    ) -> RefinedMaps:
        """Refine the heatmaps of a data set."""
        return predict_refined(network, dataset, labels, device, self.walk, inferer=self.inferer, gated=self.gated)

    def report(self, predictions: RefinedMaps, thresholds: Thresholds, **options: Any) -> dict[str, Any]:
        """Figures of boxes and masks."""
        gated = {"walk_gate": self.gated} if self.gated else {}
        return {**map_report(predictions, thresholds, **options), **gated}

    def tune(
        self,
        network: nn.Module,
        dataset: Dataset,
        labels: list[str],
        device: torch.device | str,
        kept: Thresholds | None = None,
    ) -> Thresholds:
        """Steps and mask thresholds with the largest IoU of the data set, where there are masks; else the default."""
        boundaries = predict_boundaries(network, dataset, labels, device, inferer=self.inferer)
        if not any(item.get("mask") for item in boundaries.items):
            criterion = f"default {self.default:g}: no masks to tune on"
            tuned_on = {"input_size": list(boundaries.input_size), "criterion": criterion}
            return _thresholds(labels, dict.fromkeys(labels, self.default), tuned_on, self.walk)
        walk = choose_steps(boundaries, self.walk, self.candidates) if self.candidates else self.walk
        tuned = tuned_on_masks(boundaries.refined(walk), kept)
        steps = "; steps: fewest within .01 of it" if self.candidates else ""
        tuned_on = {**(tuned.tuned_on or {}), "criterion": f"mask: largest IoU of the data set{steps}"}
        return _thresholds(labels, tuned.mask, tuned_on, walk)


class CompetingStrategy(RefinementStrategy):
    """Where classes compete nothing is tuned: the background's score is `default`, as published."""

    def tune(
        self,
        network: nn.Module,
        dataset: Dataset,
        labels: list[str],
        device: torch.device | str,
        kept: Thresholds | None = None,
    ) -> Thresholds:
        """The published score of the background for all classes."""
        crop = self.inferer.crop_size if self.inferer else None
        size = [crop, crop] if crop else list(dataset[0]["image"].shape[-2:])
        tuned_on = {"input_size": size, "criterion": "published background: classes compete, no masks are used"}
        return _thresholds(labels, dict.fromkeys(labels, self.default), tuned_on, self.walk)


def _thresholds(labels: list[str], mask: Mapping[str, float], tuned_on: dict[str, Any], walk: Walk) -> Thresholds:
    """Mask thresholds as shares of a refined map's largest value, with the walk that they hold for."""
    # What an image has is given by its labels: a threshold on probabilities decides nothing here.
    decision = dict.fromkeys(labels, 0.5)
    walk = replace(walk, steps=dict(zip(labels, walk.steps_of(labels), strict=True)))
    return Thresholds(tuple(labels), decision, mask, "absolute", tuned_on=tuned_on, walk=walk)


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

    Args:
        network: see :func:`~cxr_common.evaluation.run.tune`, as for labels, output_dir and device.
        dataset: as :func:`predict_refined` takes it.
        labels: see there.
        output_dir: see there.
        device: see there.
        walk: the random walk; it is recorded with the thresholds, which hold for no other.
        candidates: see :class:`RefinementStrategy`; not looked at where classes compete.
        default: threshold of all classes where no image has a mask; .25 in WSMIS' script, .6 in CheXseg's. The score of
            the background where classes compete; .25 in IRN's code.
        compete: one class a pixel, by :func:`~cxr_common.refinement.competing.refined_label_maps`.
        inferer: how boundaries are inferred; default without padding.

    Returns:
        The thresholds, as shares of a refined map's largest value; None in all but the first process of several.
    """
    kind = CompetingStrategy if compete else RefinementStrategy
    return tune(kind(walk, candidates, default, inferer), network, dataset, labels, output_dir, device)


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
    gated: When | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Score refined masks and write ``metrics.json`` and ``predictions.npz``.

    Where classes compete, label maps are scored by VOC's rule instead, and written in place of ``predictions.npz``: see
    :func:`~cxr_common.evaluation.label_map_scores.evaluate_label_maps`.

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
        gated: when the images' lung gates act, if at all; not where classes compete.
        options: of the bootstrap, ``n_resamples`` and ``seed``.

    Returns:
        The content of metrics.json.

    Raises:
        InputError: where classes compete: no image has a label map, or the mask thresholds differ.
    """
    labels, walk = list(thresholds.labels), walk or thresholds.walk_with()
    thresholds = replace(thresholds, walk=walk)  # what is recorded is what is walked
    if not compete:
        strategy = RefinementStrategy(walk, inferer=inferer, gated=gated)
        return score(strategy, network, dataset, thresholds, output_dir, device, weights, **options)
    scores = sorted(set(thresholds.mask.values()))
    if len(scores) > 1:
        action = "give all of them the score of the background, .25 as published"
        raise InputError("classes that compete have different mask thresholds", thresholds.source, action)
    label_maps = refined_label_maps(network, dataset, labels, scores[0], device, walk, inferer)
    report = evaluate_label_maps(label_maps, list(dataset.data), labels, output_dir, **options)
    report |= evaluated_with(thresholds, weights, list(dataset.data), masks=True)
    write_json(report, as_path(output_dir) / "metrics.json")
    return report
