"""Runs a recipe, step by step; what is done is passed over, what was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxr_common.files import file_sha256
from cxr_common.start.overrides import check_overrides
from cxr_tools.pipeline.road import Road
from cxr_tools.pipeline.settings import PARTS, load_settings
from cxr_tools.pipeline.stage import Stage
from cxr_tools.reproduce.recipe import Recipe, Step


@dataclass(frozen=True)
class Given:
    """What the command line gives.

    Attributes:
        datalist: of the data set.
        data: what its paths are relative to.
        output: folder of all steps.
        weights: ImageNet file; None starts from random weights.
        overrides: entries that differ from the recipe: of all steps ``{"": {...}}``, or of one ``{step: {...}}``.
        processes: of trainings, one a GPU, under torchrun.
    """

    datalist: Path
    data: Path
    output: Path
    weights: Path | None = None
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    processes: int = 1


def travel(recipe: Recipe, given: Given, run: Callable[[Stage], None]) -> dict[str, Path]:
    """Run a recipe.

    Args:
        recipe: see there.
        given: see there.
        run: runs a stage, or passes over one that is done.

    Returns:
        Step -> the ``metrics.json`` that it wrote, for each that did.

    Raises:
        InputError: an override is unknown, or a stage failed.
    """
    if recipe.pipeline:
        settings = load_settings(recipe.pipeline)
        for part in PARTS:
            more = {**given.overrides.get("", {}), **given.overrides.get(part, {})}
            weights = {"backbone_weights": str(given.weights)} if given.weights else {}
            settings[part] |= {"overrides": {**settings[part]["overrides"], **weights, **more}}
        road = Road(given.datalist, given.data, recipe.localizer, given.output, settings, given.processes)
        road.travel(run)
        found = {"segmenter": given.output / "evaluation" / "metrics.json"}
    else:
        found = {}
    before: Stage | None = None
    for step in recipe.steps:
        before = _stage(step, recipe, given, before)
        check_overrides(before.config_files, before.overrides, f"step {step.name}")
        run(before)
        found[step.name] = before.output / "metrics.json"
    return {name: path for name, path in found.items() if path.is_file()}


def _stage(step: Step, recipe: Recipe, given: Given, before: Stage | None) -> Stage:
    places = {"data": given.data, "datalist": given.datalist, "weights": given.weights, "output": given.output}
    places |= {other.name: given.output / other.name for other in recipe.steps}
    places |= {part: given.output / part for part in (*PARTS, "heatmaps", "pseudo_masks")}
    overrides = {key: _filled(value, places) for key, value in step.overrides.items()}
    overrides |= {**given.overrides.get("", {}), **given.overrides.get(step.name, {})}
    inputs = {"datalist": file_sha256(given.datalist)} | ({"before": before.key()} if before else {})
    if given.weights:
        inputs["weights"] = file_sha256(given.weights)
    processes = given.processes if step.distributed else 1
    return Stage(step.name, step.bundle, step.configs, overrides, given.output / step.name, inputs, processes)


def _filled(value: Any, places: Mapping[str, Path | None]) -> Any:
    """An override with its places filled in; null where it is nothing but the ImageNet file, and none is given."""
    if value == "{weights}" and places["weights"] is None:
        return None
    if isinstance(value, str):
        for name, path in places.items():
            value = value.replace(f"{{{name}}}", str(path))
    return value
