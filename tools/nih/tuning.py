"""Thresholds of what ships, tuned on more validation images than a training has."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import replacing
from cxr_tools.workflow import run_workflow, workflow_command
from tools.results.data import Items, write_items
from tools.results.settings import Settings
from tools.trainings import Run


def shipping(runs: Sequence[Run], methods: Settings, prefix: str = "") -> Run:
    """The training that ships: the first seed of the method whose settings say so."""
    name = next(name for name, settings in methods.items() if settings.get("ships"))
    return next(run for run in runs if run.method == prefix + name)


def tune_shipped(run: Run, items: Items, folder: Path) -> None:
    """Tune a bundle's shipped weights by its tune.yaml, and put the thresholds beside them.

    Args:
        run: the training that ships.
        items: images to tune on; classes that they cannot tune keep the thresholds of the training.
        folder: for their datalist, the log and the thresholds.

    Raises:
        InputError: tuning failed; names its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed, log = write_items(folder / "datalist.json", {"validation": items}), folder / "log.txt"
    configs = [*run.configs, *(run.bundle / "configs" / name for name in ("evaluate.yaml", "tune.yaml"))]
    options = {"datalist": listed, "dataset_dir": folder, "output_dir": folder}
    status, reason = run_workflow(workflow_command(run.bundle, configs, options), log)
    if status:
        raise InputError("tuning failed", log, reason or "read its end")
    with replacing(run.bundle / "models" / "thresholds.json") as temporary:
        shutil.copyfile(folder / "thresholds.json", temporary)
