"""Sets of phantoms that are made once: what lies in a folder is used again if it is what is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data import load_datalist, read_datalist
from cxr_common.data.phantom import GENERATOR_VERSION
from cxr_common.data.phantom.set_identity import identity
from cxr_common.errors import InputError
from cxr_tools.workflow import run_tool

SECTIONS = ("training", "validation", "testing")
#: What rounding may do to mean and deviation of the grey values of a set of pictures.
GREY_TOLERANCE = 1e-5


def make_phantoms(settings: dict[str, Any], folder: Path) -> list[Path]:
    """Make phantoms once; returns their datalist, and that of clearer ones to learn from, if any.

    Raises:
        InputError: when the test section is not the one that was fixed.
    """
    datalist, fixed = _phantoms(settings, folder), settings["test"]
    if fixed is not None:
        found = identity(load_datalist(datalist, "testing"))
        near = [np.isclose(found[n], fixed[n], rtol=0, atol=GREY_TOLERANCE) for n in ("mean", "deviation")]
        if found["sha256"] != fixed["sha256"] or not all(near):
            raise InputError(
                f"the test phantoms are {found}, the experiment was fixed with {fixed}",
                folder,
                "delete the folder; if they come out so again, the generator changed and all runs are void",
            )
    if not settings.get("clear"):
        return [datalist]
    clear = {"size": settings["size"], "validation": 0, "testing": 0, **settings["clear"]}
    return [datalist, _phantoms(clear, folder.with_name(f"{folder.name}_clear"))]


def _phantoms(settings: dict[str, Any], folder: Path) -> Path:
    datalist, config = folder / "datalist.json", folder.with_suffix(".config.json")
    wanted = {section: settings[section] for section in SECTIONS}
    if datalist.exists():
        about = json.loads((folder / "phantoms.json").read_text(encoding="utf-8"))
        drawn = {"seed": settings["seed"], "size": settings["size"], "generator": GENERATOR_VERSION}
        found = {"seed": about["seed"], "size": about["config"]["size"], "generator": about["generator_version"]}
        sizes = {section: len(read_datalist(datalist).get(section, [])) for section in SECTIONS}
        own = json.loads(config.read_text(encoding="utf-8"))
        if (sizes, own, found) != (wanted, settings["config"], drawn):
            raise InputError(
                f"holds other phantoms ({sizes}, {own}, {found}) than the experiment wants"
                f" ({wanted}, {settings['config']}, {drawn})",
                folder,
                "delete it, or choose another work folder",
            )
        return datalist
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(settings["config"]), encoding="utf-8")
    counts = [argument for section, count in wanted.items() for argument in (f"--{section}", count)]
    options = ["--seed", settings["seed"], "--size", settings["size"], "--config", config]
    if settings.get("anatomy"):
        options.append("--anatomy")
    run_tool("cxr_tools.make_phantoms", "--output", folder, *counts, *options)
    return datalist
