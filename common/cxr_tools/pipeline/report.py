"""The report of a pipeline run: what each stage did, a picture of it, and the figures at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_common.data import load_datalist, read_datalist
from cxr_common.evaluation import provenance
from cxr_common.files import write_json, write_text
from cxr_common.findings import read_findings
from cxr_common.networks import weights_sha256
from cxr_tools.markdown import number, table
from cxr_tools.pipeline.road import Road
from cxr_tools.pipeline.stage import DONE, Stage

Record = dict[str, Any]
#: Pictures a stage shows.
SHOWN = 3


def write_report(road: Road, stages: Sequence[Stage]) -> Path:
    """Write ``report.md`` into the output folder, and its numbers as ``report.json``; returns the page's path."""
    record = make_record(road, stages)
    write_json(record, road.output / "report.json")
    parts = [
        f"# {record['title']}\n",
        f"- datalist: `{road.datalist}`",
        data(record),
        "## Stages\n",
        stage_table(record),
    ]
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
    if "metrics" in record:
        parts += ["## Figures of the segmenter, test images\n", figures(record)]
    parts.append("Research use only. Not a medical device; not for diagnosis or treatment.\n")
    path = road.output / "report.md"
    write_text("\n".join(parts), path)
    return path


def make_record(road: Road, stages: Sequence[Stage]) -> Record:
    """All numbers of a run: images, minutes and weights of every stage, figures on the test images, versions."""
    sections = read_datalist(road.datalist)
    mixed = load_datalist(road.output / "mixed" / "datalist.json", "training", require=())
    experts = sum(item["mask_origin"] == "expert" for item in mixed)
    rows = []
    for stage in stages:
        own, used = stage.output / "model.pt", stage.overrides.get("weights")
        weights = own if own.is_file() else Path(used) if used else None
        rows.append(
            {
                "stage": stage.name,
                "bundle": stage.bundle,
                "minutes": json.loads((stage.output / DONE).read_text())["minutes"],
                "weights_sha256": None if weights is None else weights_sha256(weights),
                "folder": os.path.relpath(stage.output, road.output),
            }
        )
    record: Record = {
        "title": road.settings.get("title", "From image labels to masks"),
        "localizer": road.localizer,
        "settings": dict(road.settings),
        "images": {name: len(sections.get(name, [])) for name in ("training", "validation", "testing")},
        "learnt_from": {"experts": experts, "pseudo": len(mixed) - experts},
        "stages": rows,
        "cores": os.cpu_count(),
        **provenance(),
    }
    metrics = road.output / "evaluation" / "metrics.json"
    return record | ({"metrics": json.loads(metrics.read_text())} if metrics.is_file() else {})


def summary(record: Record) -> str:
    """All numbers of a run as Markdown, for a page that shows several."""
    found = f"\n{figures(record)}" if "metrics" in record else ""
    return f"{data(record)}\n{stage_table(record)}{found}"


def data(record: Record) -> str:
    """Images, localiser, and what the segmenter learned from."""
    counts, learned = ", ".join(f"{name} {n}" for name, n in record["images"].items()), record["learnt_from"]
    lines = [f"- images: {counts}", f"- heatmaps by: {record['localizer']}"]
    lines.append(
        f"- the segmenter learned from {learned['experts']} images with experts' masks and {learned['pseudo']} with"
        " pseudo-masks"
    )
    return "\n".join(lines) + "\n"


def stage_table(record: Record) -> str:
    """What ran, how long, with which weights."""
    rows = []
    for stage in record["stages"]:
        sha = "–" if stage["weights_sha256"] is None else f"`{stage['weights_sha256'][:12]}…`"
        rows.append([stage["stage"], f"`{stage['bundle']}`", f"{stage['minutes']:.1f}", sha, f"`{stage['folder']}`"])
    minutes = sum(stage["minutes"] for stage in record["stages"])
    rows.append(["in all", "", f"{minutes:.1f}", "", ""])
    head = ["stage", "bundle", "minutes", "weights", "folder"]
    return table(head, rows) + f"\n{record['date']}, {record['cores']} CPU cores, {record['device']}.\n"


def _positive_cases(folder: Path) -> list[str]:
    """The first images that have a mask, else the first images."""
    images = read_findings(folder)["images"]
    masked = [image["case"] for image in images if image["files"]["masks"]]
    return (masked or [image["case"] for image in images])[:SHOWN]


def _pictures(folder: Path, kind: str, output: Path, cases: Sequence[str]) -> str:
    files = {image["case"]: image["files"] for image in read_findings(folder)["images"]}
    named = [(case, files[case][kind]) for case in cases if case in files]
    return "\n\n".join(f"![{case}]({os.path.relpath(folder / name, output)})" for case, name in named) + "\n"


#: "peak in mask" is the share of tied maxima that lies in the mask, which records before CheXlocalize's hit rate have.
_COLUMNS = ("iou of the data set", "iou of images", "dice", "dice where present", "hit rate", "peak in mask")
#: Of test images with boxes alone: the map's largest pixel, boxes around its bright parts, its bright parts themselves.
_BOX_COLUMNS = ("point", "point of the centre", "box T(IoBB) > 0.25", "mask T(IoBB) > 0.25", "mask T(IoU) > 0.25")
_BOX_MEANINGS = (
    "Only findings that an image has are counted. *point*: how often the map's largest pixel lies in a true box; *point"
    " of the centre*: how often the middle of the image does. *box*: one of the boxes around bright parts of the map."
    " *mask*: where the map is above half its largest value. *T(IoBB) > 0.25*: more than a quarter of it lies in a true"
    " box. *T(IoU) > 0.25*: it and the true boxes share more than a quarter of their union.\n"
)


def figures(record: Record) -> str:
    """Figures in the originals' geometry beside masks, else beside boxes, or why there are none."""
    metrics = record["metrics"]
    if found := metrics.get("segmentation", {}).get("original"):
        names = [name for name in _COLUMNS if name in found]
        pairs, meanings = {label: n for label, n in found["iou of the data set"]["present"].items() if n}, ""
    elif found := metrics.get("localization"):
        names = [name for name in _BOX_COLUMNS if name in found]
        pairs, meanings = {label: n for label, n in found["point"]["pairs"].items() if n}, "\n" + _BOX_MEANINGS
    else:
        return "The test images have no masks or boxes to compare with.\n"
    rows = [
        [f"{label} ({n})", *(number(found[name]["per_class"][label]) for name in names)] for label, n in pairs.items()
    ]
    mean = ["mean over classes", *(number(found[name]["macro"]) for name in names)]
    text = f"{metrics['n_images']} images; 95% intervals by patient. In brackets behind a class: images that have it.\n"
    return table(["class", *names], [*rows, mean]) + "\n" + text + meanings
