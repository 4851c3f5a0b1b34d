"""Which trainings an experiment plans, which of them are asked for, and what of them ships."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.files import replacing
from tools.repository import BUNDLES
from tools.trainings import Run

#: Method -> seed -> its training.
Runs = Mapping[str, Mapping[int, Run]]


def plan_runs(
    settings: Mapping[str, Any], work: Path, methods: Mapping[str, Any] | None = None, prefix: str = ""
) -> list[Run]:
    """The last training of every method and seed: first seeds first, so that all methods can be compared early.

    Args:
        settings: of the experiment, with "bundle" and "configs"; and, where there are any, "overrides" of all methods,
            "cycles" (a cycle starts from the best weights of the one before) and "start" (a training whose backbone all
            start from).
        work: folder of everything; runs lie in ``work/runs``.
        methods: method -> its "seeds" and, where it differs, "bundle", "configs" and "overrides"; default those of the
            settings.
        prefix: of the runs' names.
    """

    def bundle_and_configs(part: Mapping[str, Any]) -> tuple[Path, tuple[Path, ...]]:
        bundle = BUNDLES / part.get("bundle", settings["bundle"])
        return bundle, tuple(bundle / "configs" / config for config in part.get("configs", settings["configs"]))

    first, start, runs = settings.get("start"), None, []
    if first:
        start = Run("start", 0, *bundle_and_configs(first), first["overrides"], work / "runs" / "start")
    for name, method in (settings["methods"] if methods is None else methods).items():
        bundle, configs = bundle_and_configs(method)
        for place, seed in enumerate(method.get("seeds", [])):
            run: Run | None = None
            for number, cycle in enumerate(settings.get("cycles", [{}]), start=1):
                # A method may change what all methods and the cycle say.
                overrides = {**settings.get("overrides", {}), **cycle, **method.get("overrides", {})}
                folder = f"{prefix}{name}-seed{seed}" + (f"-cycle{number}" if "cycles" in settings else "")
                begin = start if run is None else None
                run = Run(prefix + name, seed, bundle, configs, overrides, work / "runs" / folder, run, begin)
            runs.append((place, run))
    return [run for _, run in sorted(runs, key=lambda pair: pair[0]) if run]


def by_method(runs: Sequence[Run], prefix: str) -> dict[str, dict[int, Run]]:
    """Runs by method, named without the prefix, and seed."""
    out: dict[str, dict[int, Run]] = {}
    for run in runs:
        out.setdefault(run.method.removeprefix(prefix), {})[run.seed] = run
    return out


def chosen(runs: Sequence[Run], prefix: str, only: Sequence[str] | None, experiment: Path) -> list[Run]:
    """The runs that `only` names, or whose methods it names; all where it is None.

    Raises:
        InputError: it names one that there is not.
    """
    names = {run.name: {run.name, *(name.removeprefix(prefix) for name in (run.name, run.method))} for run in runs}
    if unknown := {*(only or [])} - {name for both in names.values() for name in both}:
        raise InputError(f"no such method: {', '.join(sorted(unknown))}", "--only", f"see {experiment}")
    return [run for run in runs if only is None or names[run.name] & {*only}]


def shipped(run: Run) -> list[Run]:
    """A run as its bundle holds it: weights and thresholds, no log; nothing where the bundle has no weights."""
    held = replace(run, folder=run.bundle / "models")
    return [held] if held.weights.exists() else []


def ship(runs: Runs, methods: Mapping[str, Mapping[str, Any]], into: str = "models") -> None:
    """Copy weights and thresholds of the methods whose settings say "ships", first seed, into their bundles.

    They go into the folder `into` below the bundle, unless "ships" names another.

    Raises:
        InputError: there is nothing to ship: no such method's first seed is trained here.
    """
    first = {name: method.get("seeds", [0])[0] for name, method in methods.items() if method.get("ships")}
    chosen = {name: runs[name][seed] for name, seed in first.items() if seed in runs.get(name, {})}
    if not chosen:
        raise InputError(f"no first seed of {', '.join(first)} is trained here", "--ship", "train it first")
    for name, run in chosen.items():
        where = methods[name]["ships"]
        for file in ("model.pt", "thresholds.json"):
            with replacing(run.bundle / (where if isinstance(where, str) else into) / file) as temporary:
                shutil.copyfile(run.folder / file, temporary)
