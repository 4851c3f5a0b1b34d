"""Markdown of the detection experiment."""

from __future__ import annotations

from typing import Any

from tools.results.detection import MAIN
from tools.results.detection_curves import curve_points
from tools.results.markdown import NOT_MEASURED, not_trained, number, signed, table

Record = dict[str, Any]


def methods(record: Record) -> str:
    """Every method's figures, and its AP40 less the baseline's."""
    titles = {name: method["title"] for name, method in record["recipe"]["methods"].items()}
    figures, base = record["figures"], record["recipe"]["baseline"]
    head = ["learnt from", *figures, f"{MAIN}, less {titles[base]}"]
    rows = []
    for name, title in titles.items():
        if name in figures[MAIN]["values"]:
            gain = figures[MAIN]["difference"].get(name)
            rows.append([title, *(number(f["values"][name]) for f in figures.values()), signed(gain) if gain else "–"])
    images = record["recipe"]["images"]
    text = (
        f"Synthetic phantoms: {record['n_images']} test images. Training: {images['boxes']} images with boxes,"
        f" {images['label']} with an image-level label only, {images['unlabelled']} with neither. AP: mean over IoU .4"
        " to .75; FROC: mean sensitivity at 1/8 to 8 false positives an image, IoU .4; AUROC: by an image's best box."
        " Means over classes but for FROC; 95% intervals by patient and seed.\n"
    )
    missing = not_trained(titles[name] for name in record["missing"] if name in titles)
    return table(head, rows) + "\n" + text + missing


def summary(record: Record) -> str:
    """The README's sentence: all kinds of supervision against boxes alone."""
    images, found = record["recipe"]["images"], record["figures"][MAIN]
    if not {"oxnet", record["recipe"]["baseline"]} <= set(found["values"]):
        return NOT_MEASURED
    ours, base = found["values"]["oxnet"], found["values"][record["recipe"]["baseline"]]
    return (
        f"**Detection**: with {images['boxes']} images with boxes, {images['label']} with an image-level label only and"
        f" {images['unlabelled']} with neither, OXnet's AP40 is {number(ours)}, that of a RetinaNet of the boxes alone"
        f" {number(base)} (difference {signed(found['difference']['oxnet'])}). {record['n_images']} synthetic"
        f" phantoms; training seeds: {ours['n_seeds']}.\n"
    )


def classes(record: Record) -> str:
    """AP40 class by class."""
    titles = {name: method["title"] for name, method in record["recipe"]["methods"].items()}
    head = ["", *(f"{name} ({record['boxes'][name]})" for name in record["per_class"])]
    rows = [
        [title, *(number(cell["values"][name]) for cell in record["per_class"].values())]
        for name, title in titles.items()
        if name in record["figures"][MAIN]["values"]
    ]
    return table(head, rows)


def curves(record: Record) -> str:
    """AP40 by the number of images with each kind of annotation."""
    names = {"boxes": "boxes", "label": "a label only", "unlabelled": "neither"}
    rows = []
    for kind, points in curve_points(record).items():
        for count, name in points:
            less = record["difference"].get(name)
            rows.append(
                [f"{count} images with {names[kind]}", number(record["values"][name]), signed(less) if less else "–"]
            )
    recipe = record["recipe"]["curves"]
    missing = [
        f"{count} with {names[kind]}"
        for kind, counts in recipe["images"].items()
        for count in counts
        if f"{recipe['of']}_{kind}_{count}" in record["missing"]
    ]
    text = "![AP40 by annotation](results/detection-curves.png)\n\n"
    text += table(["annotation, the others as above", MAIN, "less OXnet's as above"], rows)
    text += f"\nSynthetic phantoms: {record['n_images']} test images; one training seed a point.\n"
    return text + not_trained(missing)


def claims(record: Record) -> str:
    """The paper's claims and what was measured."""
    rows = []
    for claim in record["claims"]:
        difference = signed(claim["difference"]) if "difference" in claim else "–"
        rows.append([claim["paper"], claim["claim"], difference, claim["verdict"]])
    return table(["paper", "claim", f"difference of {MAIN}", "verdict"], rows)


def training(record: Record) -> str:
    """What the networks were trained with."""
    names = record["recipe"]["methods"]
    data = {name: sha for name, sha in record["trained_on"].items() if name in names}
    lines = [f"- images and annotations of `{name}`: sha256 `{sha[:16]}…`" for name, sha in data.items()]
    runs = {f"detect_{name}-seed{seed}" for name, method in names.items() for seed in method["seeds"]}
    for run, sha in record["weights_sha256"].items():
        if run not in runs:
            continue
        lines.append(f"- weights `{run}`: {record['training_minutes'][run]:.0f} minutes, sha256 `{sha[:16]}…`")
    lines.append(f"- scored {record['date']} on {record['device']}; torch {record['versions']['torch']}")
    return "\n".join(lines) + "\n"
