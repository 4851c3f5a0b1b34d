"""The report of a pipeline run: what each stage did, a picture of it, and the figures at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_common.data import load_datalist, read_datalist
from cxr_common.findings.report import read_findings
from cxr_common.networks import weights_sha256
from tools.pipeline.road import Road
from tools.pipeline.stage import DONE, Stage
from tools.results.tables import number, table

#: Pictures a stage shows.
SHOWN = 3


def write_report(road: Road, stages: Sequence[Stage]) -> Path:
    """Write ``report.md`` into the output folder; returns its path."""
    title = road.settings.get("title", "From image labels to masks")
    parts = [f"# {title}\n", _data(road), "## Stages\n", _stages(stages, road.output)]
    heat, pseudo, masks = (road.output / name for name in ("heatmaps/training", "pseudo_masks/training", "masks"))
    cases = _positive_cases(pseudo)
    parts += ["## Heatmaps of the localiser\n", _pictures(heat, "overlay", road.output, cases)]
    parts += ["## Boundaries of the relation network\n", _pictures(pseudo, "boundary", road.output, cases)]
    parts += ["## Pseudo-masks\n", _pictures(pseudo, "overlay", road.output, cases)]
    if masks.is_dir():
        parts += [
            "## Masks of the segmenter, test images\n",
            _pictures(masks, "overlay", road.output, _positive_cases(masks)),
        ]
    metrics = road.output / "evaluation" / "metrics.json"
    if metrics.is_file():
        parts += ["## Figures of the segmenter, test images\n", _figures(json.loads(metrics.read_text()))]
    parts.append("Research use only. Not a medical device; not for diagnosis or treatment.\n")
    path = road.output / "report.md"
    temporary = path.with_name(".report.md.tmp")
    temporary.write_text("\n".join(parts), encoding="utf-8")
    temporary.replace(path)
    return path


def _data(road: Road) -> str:
    sections = read_datalist(road.datalist)
    counts = ", ".join(f"{s} {len(sections.get(s, []))}" for s in ("training", "validation", "testing"))
    mixed = load_datalist(road.output / "mixed" / "datalist.json", "training", require=())
    experts = sum(item["mask_origin"] == "expert" for item in mixed)
    lines = [f"- datalist: `{road.datalist}` ({counts} images)", f"- heatmaps by: {road.localizer}"]
    lines.append(
        f"- the segmenter learnt from {experts} images with experts' masks and {len(mixed) - experts} with pseudo-masks"
    )
    return "\n".join(lines) + "\n"


def _stages(stages: Sequence[Stage], output: Path) -> str:
    rows = []
    for stage in stages:
        record = json.loads((stage.output / DONE).read_text())
        own = stage.output / "model.pt"
        used = stage.overrides.get("weights")
        weights = own if own.is_file() else Path(used) if used else None
        sha = "–" if weights is None else f"`{weights_sha256(weights)[:12]}…`"
        rows.append(
            [
                stage.name,
                f"`{stage.bundle}`",
                f"{record['minutes']:.1f}",
                sha,
                f"`{os.path.relpath(stage.output, output)}`",
            ]
        )
    return table(["stage", "bundle", "minutes", "weights", "folder"], rows)


def _positive_cases(folder: Path) -> list[str]:
    """The first images that have a mask, else the first images."""
    images = read_findings(folder)["images"]
    masked = [image["case"] for image in images if image["files"]["masks"]]
    return (masked or [image["case"] for image in images])[:SHOWN]


def _pictures(folder: Path, kind: str, output: Path, cases: Sequence[str]) -> str:
    files = {image["case"]: image["files"] for image in read_findings(folder)["images"]}
    named = [(case, files[case][kind]) for case in cases if case in files]
    return "\n\n".join(f"![{case}]({os.path.relpath(folder / name, output)})" for case, name in named) + "\n"


def _figures(metrics: dict[str, Any]) -> str:
    """Figures in the originals' geometry, or why there are none."""
    found = metrics.get("segmentation", {}).get("original")
    if not found:
        return "The test images have no masks to compare with.\n"
    names = ("iou of the data set", "iou of images", "dice", "dice where present", "hit rate")
    labels = [name for name, n in found["iou of the data set"]["present"].items() if n]
    rows = []
    for label in labels:
        row = [f"{label} ({found['iou of the data set']['present'][label]})"]
        rows.append(row + [number(found[name]["per_class"][label]) for name in names])
    mean = ["mean over classes", *(number(found[name]["macro"]) for name in names)]
    text = f"{metrics['n_images']} images; 95% intervals by patient. In brackets behind a class: images that have it.\n"
    return table(["class", *names], [*rows, mean]) + "\n" + text
