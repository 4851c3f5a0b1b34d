"""What a recipe is made of, as read from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.yaml_files import read_yaml

FOLDER = Path(__file__).resolve().parent / "recipes"


@dataclass(frozen=True)
class Step:
    """A workflow of a bundle.

    Attributes:
        name: also that of its folder.
        bundle: folder name below ``bundles/``.
        configs: its config files, in order.
        overrides: the overlay. In texts ``{data}``, ``{datalist}``, ``{weights}``, ``{output}`` and ``{NAME}`` of an
            earlier step stand for the data set root, the datalist, the ImageNet file, the folder of all steps and that
            step's folder.
        distributed: whether it runs under torchrun where several processes are asked for.
    """

    name: str
    bundle: str
    configs: tuple[str, ...]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    distributed: bool = False


@dataclass(frozen=True)
class Recipe:
    """A paper's experiment.

    Attributes:
        name: of its file.
        title: what is trained on what.
        paper: where it is described.
        prepare: commands that make the datalist.
        hardware: what it takes, and what of that is an estimate.
        images: section -> number of images that the full data set has there.
        figures: what is reported: ``name``, ``of`` (a step, or segmenter), ``at`` (keys of its metrics.json) and
            ``published`` (``by``, ``source`` and values).
        weights: name of the ImageNet file that the paper starts from, in torchvision's layout; "" for none.
        steps: workflows, in order.
        pipeline: instead of steps, settings of :mod:`cxr_tools.pipeline`, such as ``chexseg``.
        localizer: of that pipeline.
    """

    name: str
    title: str
    paper: str
    prepare: tuple[str, ...]
    hardware: str
    images: Mapping[str, int]
    figures: tuple[Mapping[str, Any], ...]
    weights: str = ""
    steps: tuple[Step, ...] = ()
    pipeline: str = ""
    localizer: str = "gradcam"


def recipe_names() -> list[str]:
    """Names of all recipes."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_recipe(name: str) -> Recipe:
    """Read a recipe by its name.

    Raises:
        InputError: there is no such recipe, or its file has another key.
    """
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise InputError(f"there is no recipe {name!r}", action=f"recipes are {', '.join(recipe_names())}")
    data = read_yaml(path)
    if unknown := sorted(set(data) - {f.name for f in fields(Recipe)}):
        raise InputError(f"unknown key {unknown[0]!r}", path, f"keys are {', '.join(f.name for f in fields(Recipe))}")
    steps = tuple(Step(**{**step, "configs": tuple(step["configs"])}) for step in data.pop("steps", []))
    prepare, figures = tuple(data.pop("prepare")), tuple(data.pop("figures"))
    return Recipe(name=name, steps=steps, prepare=prepare, figures=figures, **data)
