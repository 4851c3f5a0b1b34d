"""Markdown of the segmentation experiment."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import NOT_MEASURED, not_trained, number, signed, table

Record = dict[str, Any]


def methods(record: Record) -> str:
    """Every method's figures, and its IoU less the baseline's."""
    titles = {name: method["title"] for name, method in record["recipe"]["methods"].items()}
    figures = record["figures"]
    base = record["recipe"]["baseline"]
    head = ["learnt from", *figures, f"IoU of the data set, less {titles[base]}"]
    rows = []
    for name, title in titles.items():
        if name not in figures["iou of the data set"]["values"]:
            continue
        gain = figures["iou of the data set"]["difference"].get(name)
        rows.append([title, *(number(f["values"][name]) for f in figures.values()), signed(gain) if gain else "–"])
    for name, step in record["recipe"]["steps"].items():
        if name in figures["iou of the data set"]["values"]:  # told what is there, it invents nothing: no other figure
            told = [number(f["values"][name]) if "where present" in key else "–" for key, f in figures.items()]
            rows.append([step["title"], *told, "–"])
    images = record["images"]
    text = (
        f"Synthetic phantoms: {record['n_images']} test images. Training: {images['training']} images,"
        f" {images['experts']} of them with experts' (true) masks. Means over classes (data set) or findings; 95%"
        " intervals by patient and seed.\n"
    )
    return table(head, rows) + "\n" + text + not_trained(titles[name] for name in record["missing"])


def summary(record: Record) -> str:
    """The README's sentence: few experts' masks and many pseudo-masks, against either alone."""
    images, found = record["images"], record["figures"]["iou of the data set"]
    values, size = found["values"], record["n_images"]
    if not {"chexseg", "expert", "irn", "full"} <= set(values):
        return NOT_MEASURED
    weak = next(claim for claim in record["claims"] if (claim["first"], claim["second"]) == ("chexseg", "irn"))
    return (
        f"**Segmentation**: from {images['experts']} experts' masks and pseudo-masks of the other"
        f" {images['training'] - images['experts']} images, IoU of the data set {number(values['chexseg'])}; from the"
        f" experts' alone {number(values['expert'])} (difference {signed(found['difference']['chexseg'])}); from"
        f" pseudo-masks alone {number(values['irn'])} (difference {signed(weak['difference'])}); from masks on all"
        f" images {number(values['full'])}. {size} synthetic phantoms; seeds: {values['chexseg']['n_seeds']}.\n"
    )


def classes(record: Record) -> str:
    """IoU of the data set class by class."""
    titles = {name: method["title"] for name, method in record["recipe"]["methods"].items()}
    head = ["", *(f"{name} ({record['present'][name]})" for name in record["per_class"])]
    rows = [
        [title, *(number(cell["values"][name]) for cell in record["per_class"].values())]
        for name, title in titles.items()
        if name in record["figures"]["iou of the data set"]["values"]
    ]
    return table(head, rows)


def claims(record: Record) -> str:
    """The papers' claims and what was measured."""
    rows = []
    for claim in record["claims"]:
        difference = signed(claim["difference"]) if "difference" in claim else "–"
        figure = claim.get("figure", "iou of the data set")
        rows.append([claim["paper"], claim["claim"], figure, difference, claim["verdict"]])
    return table(["paper", "claim", "figure", "difference", "verdict"], rows)


def training(record: Record) -> str:
    """What the networks were trained with."""
    lines = [f"- masks and images `{kind}`: sha256 `{sha[:16]}…`" for kind, sha in record["trained_on"].items()]
    for run, sha in record["weights_sha256"].items():
        lines.append(f"- weights `{run}`: {record['training_minutes'][run]:.0f} minutes, sha256 `{sha[:16]}…`")
    lines.append(f"- scored {record['date']} on {record['device']}; torch {record['versions']['torch']}")
    return "\n".join(lines) + "\n"
