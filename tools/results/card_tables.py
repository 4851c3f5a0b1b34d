"""Markdown of the bundles' cards: figures of the shipped weights' own method alone, one row per finding."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import NOT_MEASURED, number, signed, table
from tools.results.refinement_score import FIGURES
from tools.results.score import BY_CLASS

Record = dict[str, Any]
_MEAN = "**mean of findings**"


def nih(record: Record, method: str, heatmaps: str | None = None) -> str:
    """A localiser on real radiographs: points for every way to show its network, overlap and AUROC.

    Args:
        record: of the NIH experiment.
        method: that of the shipped weights.
        heatmaps: the method whose heatmaps the bundle gives, if it does not give those of `method`; shown alone.
    """
    boxes, labels, planned = record["boxes"], record["nih"], record["recipe"]["methods"]
    if method not in boxes["methods"]:
        return NOT_MEASURED
    others = {n: planned[n]["title"] for n in boxes["methods"] if planned[n].get("weights_of") == method}
    shown = {heatmaps: others[heatmaps]} if heatmaps else {method: planned[method]["title"], **others}
    own, auroc = boxes["methods"][heatmaps or method], labels["methods"][method]["auroc"]
    pairs, present = boxes["pairs"], labels["present"]
    findings = [*pairs, *(c for c in present if c not in pairs)]

    def row(name: str, points: str, overlap: Record | None, recognised: Record | None) -> list[str]:
        figures = [number(boxes["methods"][n]["point"].get(points)) for n in shown]
        return [name, *figures, number(overlap), number(recognised)]

    rows = [
        row(
            f"{finding} ({pairs.get(finding, '–')}, {present.get(finding, '–')})",
            finding,
            own["overlap_by_class"][BY_CLASS].get(finding),
            auroc.get(finding),
        )
        for finding in findings
    ]
    rows.append(row(_MEAN, "macro", None, auroc["macro"]))
    rows.append(row("**all boxes together**", "micro", own["overlap"][BY_CLASS], None))
    head = ["finding (boxes, test images)", *(f"points, {title}" for title in shown.values()), "T(IoBB) .25", "AUROC"]
    of = f" T(IoBB) .25 is of {planned[method]['title']}." if len(shown) > 1 else ""
    return table(head, rows) + (
        f"\nReal radiographs (NIH ChestX-ray14): {boxes['n_images']} images of {boxes['n_patients']} patients with"
        f" official boxes; {labels['n_images']} images of {labels['n_patients']} other patients for AUROC, whose mean"
        f" is over 7 classes.{of} The picture's centre as the point:"
        f" {number(boxes['centre pixel']['micro'])} of all boxes. 95% intervals by patient and seed; training seeds:"
        f" {own['seeds']}.\n"
    )


def nih_training(record: Record, method: str) -> str:
    """What the shipped localiser was trained with."""
    on, run = record["trained_on"], f"{method}-seed0"
    if run not in record["weights_sha256"]:
        return NOT_MEASURED
    validation = {source: on[f"validation_{source}"] for source in ("nih", "simulated", "phantom")}
    sources = ", ".join(f"{on[f'training_{name}']:,} {name} (validation {n})" for name, n in validation.items())
    return (
        f"- seed 0; images: {sources}\n"
        f"- {record['training_minutes'][run]:.0f} minutes on {record['training_machine']}\n"
        f"- sha256: weights `{record['weights_sha256'][run][:16]}…`, training data `{on['sha256'][:16]}…`\n"
        f"- scored {record['date']}; torch {record['versions']['torch']}, MONAI {record['versions']['monai']}\n"
    )


def trained(record: Record, run: str, data: str | None = None) -> str:
    """Seed, data, time and device of shipped weights.

    Args:
        record: of an experiment on phantoms.
        run: name of the training, which ends with its seed.
        data: which of the experiment's training sets it had, where there are several.
    """
    minutes = record["training_minutes"].get(run)
    time = "" if minutes is None else f"; {minutes:.0f} minutes on a CPU core"
    images = record["trained_on"][data] if data else record["trained_on"]
    return (
        f"- seed {run.rpartition('seed')[2]}{time}; sha256: weights `{record['weights_sha256'][run][:16]}…`,"
        f" training data `{images[:16]}…`\n"
        f"- scored {record['date']} on {record['device']}; torch {record['versions']['torch']}\n"
    )


def refinement(record: Record) -> str:
    """The shipped relation network beside the best threshold of the heatmaps it starts from."""
    name = next(n for n, part in record["recipe"]["localizers"].items() if part.get("ships"))
    if name not in record["localizers"]:
        return NOT_MEASURED
    titles = {"image iou": "IoU of images", "data set iou": "IoU of the data set", "boundary f": "boundary F1"}
    sets = {"phantoms": "synthetic phantoms", "ieee8023": "real opacities, ieee8023"}
    method, rows = record["recipe"]["headline"], []
    for test, title in sets.items():
        if found := record["localizers"][name].get(test):
            for figure in FIGURES:
                values, gain = found["figures"][figure]["values"], found["figures"][figure]["difference to heatmap"]
                rows.append(
                    [f"{title} ({found['n_images']} images)", titles[figure]]
                    + [number(values["heatmap"]), number(values[method]), signed(gain[method])]
                )
    head = ["test set", "figure", "best threshold of the heatmaps", "refined", "gain, paired"]
    return table(head, rows) + (
        "\nOnly findings that an image is said to have; thresholds and steps chosen on validation phantoms; one"
        " training seed; 95% intervals by patient.\n"
    )


def steps(record: Record) -> str:
    """The walk that ships: how many steps every class goes and which threshold cuts the result."""
    name = next(n for n, part in record["recipe"]["localizers"].items() if part.get("ships"))
    if name not in record["localizers"]:
        return NOT_MEASURED
    found, method = record["localizers"][name], record["recipe"]["headline"]
    walked, cut = found["steps"][method][0], found["thresholds"][method][0]
    rows = [["steps", *(f"{walked[c]}" for c in walked)], ["threshold", *(f"{cut[c]:g}" for c in walked)]]
    return table(["", *walked], rows)


def segmentation(record: Record) -> str:
    """The shipped segmenter, finding by finding."""
    return _phantoms(record, "chexseg", "IoU of the data set", record["figures"]["iou of the data set"], "present")


def detection(record: Record) -> str:
    """The shipped detector, finding by finding."""
    return _phantoms(record, "oxnet", "AP40", record["figures"]["AP40"], "boxes")


def _phantoms(record: Record, method: str, title: str, mean: Record, counts: str) -> str:
    if method not in mean["values"]:
        return NOT_MEASURED
    cells = record["per_class"]
    rows = [[f"{name} ({record[counts][name]})", number(cells[name]["values"][method])] for name in cells]
    rows.append([_MEAN, number(mean["values"][method])])
    return table([f"finding ({counts})", title], rows) + (
        f"\nSynthetic phantoms: {record['n_images']} test images; 95% intervals by patient; training seeds:"
        f" {mean['values'][method]['n_seeds']}.\n"
    )
