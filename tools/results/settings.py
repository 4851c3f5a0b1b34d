"""Experiment files that take their data from another experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

Settings = dict[str, Any]


def load_experiment(experiment: Path, quick: bool = False, data: Sequence[str] = ("phantoms",)) -> Settings:
    """Read an experiment file; with `quick`, with what its section of that name changes.

    Args:
        experiment: YAML file; its "data" names the experiment beside it whose data it shares.
        quick: a fraction of everything.
        data: sections of that other file.
    """
    settings: Settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    other = yaml.safe_load(experiment.with_name(settings["data"]).read_text(encoding="utf-8"))
    change = settings.pop("quick")
    settings |= {"quick": quick, **{section: other[section] for section in data}}
    if quick:
        settings["phantoms"] |= other["quick"]["phantoms"]
        settings["overrides"] |= change.pop("overrides")
        settings |= change
    return settings
