"""Data that several experiments share: rows of NIH's images, and mixtures for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.data.datalist_schema import Item
from cxr_common.data.prevalence import match_prevalence
from cxr_common.labels import LABELS
from cxr_tools.prepare.merge import merge_datalists
from cxr_tools.workflow import run_tool
from tools.results.settings import Settings

Items = list[Item]
SECTIONS = ("training", "validation", "testing")
#: Rows of NIH's images that are scored: those of validation and testing; training rows are left out.
SCORED_ROWS = "images.splits={train: null, val: testing, test: testing}"

#: Patients among whom No Finding rows lie; figures within them do not depend on the acquisition era, though on how the
#: images were picked: see tools/image_cues/opacity_probe.yaml.
ERA = (1280, 3970)


def prepare(mapping: str, root: Path, output: Path, *more: object) -> Path:
    """Make a datalist with ``cxr_tools.prepare csv``; returns it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    run_tool("cxr_tools.prepare", "csv", "--mapping", mapping, "--root", root, "--output", output, *more)
    return output


def make_nih(settings: Settings, shared: Path, folder: Path) -> Path:
    """Datalist of NIH's training rows, split again, without boxes."""
    rows = ("--where", "split=train", "--set", "boxes=null", "--set", "images.split=null")
    fractions = ("--fractions", f"{settings['validation_fraction']},0")
    return prepare(settings["mapping"], shared, folder / "nih_develop.json", *rows, *fractions)


def mix(sources: Sequence[tuple[Path, Path]], output: Path, phantoms: Mapping[str, Any] | None = None) -> Path:
    """Write the training datalist of several sources, each label with the same prevalence in all of them.

    Args:
        sources: datalists and their data set roots; test sections stay out.
        output: the datalist to write; paths become relative to its folder.
        phantoms: section -> how many phantoms, which come first; default all in their order.
    """
    data = merge_datalists([d for d, _ in sources], [r for _, r in sources], output.parent, LABELS)
    for section in ("training", "validation"):
        items = match_prevalence(data[section], len(LABELS))
        if phantoms:
            drawn = [item for item in items if item["source"] == "phantom"][: phantoms[section]]
            items = drawn + [item for item in items if item["source"] != "phantom"]
        data[section] = items
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


def nih_subsets(items: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Name -> (N,) bool: all rows of NIH's images, those of :data:`ERA`, and those of one view."""
    number, view = np.array([int(i["patient_number"]) for i in items]), np.array([i.get("view", "") for i in items])
    era = (number >= ERA[0]) & (number <= ERA[1])
    return {"all": np.ones(len(items), bool), "era": era, "PA": view == "PA", "AP": view == "AP"}
