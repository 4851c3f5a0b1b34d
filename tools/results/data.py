"""Data that several experiments share: phantoms, rows of NIH's images, and their mixture for training."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data import load_datalist, read_datalist, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.data.phantom.identity import identity
from cxr_common.data.prevalence import match_prevalence
from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from tools.prepare.merge import merge_datalists

Items = list[dict[str, Any]]
SECTIONS = ("training", "validation", "testing")
#: What rounding may do to mean and deviation of the grey values of a set of pictures.
GREY_TOLERANCE = 1e-5
#: Patients among whom NIH's No Finding rows lie; figures within them do not depend on the acquisition era, though on
#: how the images were picked: see opacity_probe.yaml.
ERA = (1280, 3970)
#: Rows of NIH's images that are scored: those of validation and testing; training rows are left out.
SCORED_ROWS = "images.splits={train: null, val: testing, test: testing}"


def run_tool(*arguments: object) -> None:
    """Run ``python -m`` with these arguments."""
    subprocess.run([sys.executable, "-m", *map(str, arguments)], check=True)


def prepare(mapping: str, root: Path, output: Path, *more: object) -> Path:
    """Make a datalist with ``tools.prepare csv``; returns it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    run_tool("tools.prepare", "csv", "--mapping", mapping, "--root", root, "--output", output, *more)
    return output


def make_phantoms(settings: dict[str, Any], folder: Path) -> list[Path]:
    """Make the experiment's phantoms once; returns their datalist, and that of clearer ones to learn from, if any.

    Raises:
        InputError: when the test section is not the one the experiment was fixed with.
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
        sizes = {section: len(read_datalist(datalist).get(section, [])) for section in SECTIONS}
        if sizes != wanted or json.loads(config.read_text(encoding="utf-8")) != settings["config"]:
            raise InputError(
                f"holds other phantoms ({sizes}) than the experiment wants ({wanted}, {settings['config']})",
                folder,
                "delete it, or choose another work folder",
            )
        return datalist
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(settings["config"]), encoding="utf-8")
    counts = [argument for section, count in wanted.items() for argument in (f"--{section}", count)]
    options = ("--seed", settings["seed"], "--size", settings["size"], "--config", config)
    run_tool("tools.make_phantoms", "--output", folder, *counts, *options)
    return datalist


def make_nih(settings: dict[str, Any], shared: Path, folder: Path) -> Path:
    """Datalist of NIH's training rows, split again, without boxes."""
    split = ("--set", "images.split=null", "--fractions", f"{settings['validation_fraction']},0")
    where = ("--where", "split=train", "--set", "boxes=null")
    return prepare(settings["mapping"], shared, folder / "nih_develop.json", *where, *split)


def mix(sources: Sequence[tuple[Path, Path]], output: Path) -> Path:
    """Write the training datalist of several sources, each label with the same prevalence in all of them.

    Args:
        sources: datalists and their data set roots; test sections stay out.
        output: the datalist to write; paths become relative to its folder.
    """
    data = merge_datalists([d for d, _ in sources], [r for _, r in sources], output.parent, LABELS)
    for section in ("training", "validation"):
        data[section] = match_prevalence(data[section], len(LABELS))
    data["testing"] = []
    write_datalist(data, output)
    return output


def write_items(
    output: Path, sections: Mapping[str, Items], unread: Sequence[str] = (), labels: Sequence[str] = LABELS
) -> Path:
    """Write a datalist of items with absolute paths, which become relative to its folder, without keys nobody reads."""
    rows = {name: [relative_item(item, output.parent, unread) for item in items] for name, items in sections.items()}
    write_datalist({"labels": list(labels), **rows}, output)
    return output


def count_sources(datalist: Path, sources: Sequence[str]) -> dict[str, int]:
    """``training_phantom`` and so on: how many items of each source the sections have."""
    found = {section: load_datalist(datalist, section) for section in ("training", "validation")}
    return {f"{s}_{source}": sum(i.get("source") == source for i in found[s]) for s in found for source in sources}


def nih_subsets(items: Items) -> dict[str, np.ndarray]:
    """Name -> (N,) bool: all rows of NIH's images, those of :data:`ERA`, and those of one view."""
    number, view = np.array([int(i["patient_number"]) for i in items]), np.array([i.get("view", "") for i in items])
    era = (number >= ERA[0]) & (number <= ERA[1])
    return {"all": np.ones(len(items), bool), "era": era, "PA": view == "PA", "AP": view == "AP"}
