"""The data of the localisation experiment: phantoms, NIH rows, and their mixture for training."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.data import load_datalist, read_datalist, write_datalist
from cxr_common.data.prevalence import match_prevalence
from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from tools.prepare.merge import merge_datalists

#: What rounding may do to mean and deviation of the grey values of a set of pictures.
GREY_TOLERANCE = 1e-5


def run_tool(*arguments: object) -> None:
    """Run ``python -m`` with these arguments."""
    subprocess.run([sys.executable, "-m", *map(str, arguments)], check=True)


def make_phantoms(settings: dict[str, Any], folder: Path) -> list[Path]:
    """Make the experiment's phantoms once; returns their datalist, and that of clearer ones to learn from, if any.

    Raises:
        InputError: when the test section is not the one the experiment was fixed with.
    """
    datalist = _phantoms(settings, folder)
    if settings["test"] is not None:
        found = identity(load_datalist(datalist, "testing"))
        same = found["sha256"] == settings["test"]["sha256"]
        for name in ("mean", "deviation"):
            same &= bool(np.isclose(found[name], settings["test"][name], rtol=0, atol=GREY_TOLERANCE))
        if not same:
            raise InputError(
                f"the test phantoms are {found}, the experiment was fixed with {settings['test']}",
                folder,
                "delete the folder; if they come out so again, the generator changed and all runs are void",
            )
    if not settings.get("clear"):
        return [datalist]
    clear = {"size": settings["size"], "validation": 0, "testing": 0, **settings["clear"]}
    return [datalist, _phantoms(clear, folder.with_name(f"{folder.name}_clear"))]


def identity(items: list[dict[str, Any]]) -> dict[str, Any]:
    """What tells a set of phantoms from another on any processor.

    A hash of pixels does not: instructions differ in the last bit of exponentials, so that one grey level in millions
    is rounded to its neighbour.

    Args:
        items: datalist items with absolute paths, images of 8 bits.

    Returns:
        "sha256" of names, labels and boxes; "mean" and "deviation" of all grey values in [0, 1].
    """
    known = [[Path(i["image"]).name, i["label"], i["boxes"], i["box_labels"]] for i in items]
    moments = np.zeros(3)
    for item in items:
        with Image.open(item["image"]) as picture:
            grey = np.asarray(picture, dtype=np.float64) / 255
        moments += (grey.size, grey.sum(), np.square(grey).sum())
    mean = moments[1] / moments[0]
    return {
        "sha256": hashlib.sha256(json.dumps(known).encode()).hexdigest(),
        "mean": round(float(mean), 6),
        "deviation": round(float(np.sqrt(moments[2] / moments[0] - mean**2)), 6),
    }


def _phantoms(settings: dict[str, Any], folder: Path) -> Path:
    datalist, config = folder / "datalist.json", folder.with_suffix(".config.json")
    if datalist.exists():
        found = read_datalist(datalist)
        sizes = {section: len(found.get(section, [])) for section in ("training", "validation", "testing")}
        wanted = {section: settings[section] for section in sizes}
        if sizes != wanted or json.loads(config.read_text()) != settings["config"]:
            raise InputError(
                f"holds other phantoms ({sizes}) than the experiment wants ({wanted}, {settings['config']})",
                folder,
                "delete it, or choose another work folder",
            )
    else:
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(settings["config"]))
        counts = [a for s in ("training", "validation", "testing") for a in (f"--{s}", settings[s])]
        options = ["--seed", settings["seed"], "--size", settings["size"], "--config", config]
        run_tool("tools.make_phantoms", "--output", folder, *counts, *options)
    return datalist


def make_nih(settings: dict[str, Any], shared: Path, folder: Path) -> dict[str, Path]:
    """Datalists of the NIH rows: "develop" (training rows, split again, no boxes) and "score" (val and test rows)."""
    folder.mkdir(parents=True, exist_ok=True)
    develop, score = folder / "nih_develop.json", folder / "nih_score.json"
    common = ("tools.prepare", "csv", "--mapping", settings["mapping"], "--root", shared)
    fraction = settings["validation_fraction"]
    unsplit = ("--set", "images.split=null")
    new_split = (*unsplit, "--fractions", f"{fraction},0")
    run_tool(*common, "--where", "split=train", *new_split, "--set", "boxes=null", "--output", develop)
    run_tool(*common, "--set", "images.splits={train: null, val: testing, test: testing}", "--output", score)
    return {"develop": develop, "score": score}


def mix(sources: list[tuple[Path, Path]], output: Path) -> Path:
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


def make_nihmass(settings: dict[str, Any], shared: Path, folder: Path) -> Path:
    """Datalist of NIH images with a third party's Mass and Nodule boxes, patients that are trained on left out."""
    output = folder / "nihmass_score.json"
    splits = "images.splits={train: null, val: testing, test: testing}"
    run_tool(
        "tools.prepare", "csv", "--mapping", settings["mapping"], "--root", shared, "--set", splits, "--output", output
    )
    return output


def make_ieee8023(shared: Path, folder: Path) -> list[dict[str, Any]]:
    """Items of the ieee8023 images with masks of consolidation or ground-glass opacity, joined, as Opacity.

    They are scored only: nothing is trained or tuned on them. The joined masks are written below `folder`.
    """
    datalist = folder / "ieee8023.json"
    run_tool("tools.prepare", "csv", "--mapping", "shared_cxr_opacity", "--root", shared, "--output", datalist)
    label = [1 if name == "Opacity" else None for name in LABELS]
    items = []
    for item in load_datalist(datalist, "testing", shared):
        with Image.open(item["mask"]["Opacity"]) as mask:
            items.append({**item, "label": label, "size": list(mask.size)})
    return items
