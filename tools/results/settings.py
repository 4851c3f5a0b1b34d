"""What an experiment is asked, and the file that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

Settings = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """The command line of an experiment, as ``python -m tools.results run --help`` describes it.

    `experiment` is its YAML file. What is in `work` already and fits is used again; experiments may share it.
    """

    experiment: Path
    work: Path
    shared: Path
    output: Path
    parallel: int = 2
    only: Sequence[str] | None = None
    train: bool = True
    score: bool = True
    ship: bool = False
    quick: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "work", self.work.resolve())
        object.__setattr__(self, "shared", self.shared.resolve())


def load_settings(experiment: Path, quick: bool = False, shares: Sequence[str] = ("phantoms",)) -> Settings:
    """Read an experiment file; with `quick`, with what its section of that name changes.

    On a machine with a GPU it has the seeds of its section "gpu".

    Args:
        experiment: YAML file; "data" may name the experiment beside it whose data it shares.
        quick: a fraction of everything.
        shares: sections of that other file.
    """
    settings: Settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    change, gpu = settings.pop("quick", {}), settings.pop("gpu", None)
    if "data" in settings:
        other = yaml.safe_load((experiment.parent / settings["data"]).read_text(encoding="utf-8"))
        settings |= {section: other[section] for section in shares}
        change = {section: other["quick"][section] for section in shares if section in other["quick"]} | change
    settings["quick"] = quick
    if gpu and torch.cuda.is_available():
        _set_seeds(settings, gpu["seeds"])
    if quick:
        _set_seeds(settings, change.pop("seeds", None))
        for name, value in change.items():
            settings[name] = {**settings[name], **value} if isinstance(value, dict) else value
        if settings.get("start"):
            settings["start"]["overrides"] |= settings["cycles"][0]
    return settings


def _set_seeds(settings: Settings, seeds: list[int] | None) -> None:
    for method in settings["methods"].values() if seeds else ():
        if "weights_of" not in method:
            method["seeds"] = seeds
