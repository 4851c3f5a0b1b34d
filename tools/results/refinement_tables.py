"""Markdown of the refinement experiment."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import NOT_MEASURED, not_trained, number, signed, table
from tools.results.refinement_score import FIGURES, METHODS

Record = dict[str, Any]
_TITLES = {"image iou": "IoU of images", "data set iou": "IoU of the data set", "boundary f": "boundary F1"}
_SETS = {"phantoms": "Synthetic phantoms", "ieee8023": "Real radiographs, masks of opacities (ieee8023)"}


def methods(record: Record) -> str:
    """Every localiser and method on every test set, and what the learnt boundaries add."""
    parts = []
    for test, title in _SETS.items():
        results = {n: r[test] for n, r in record["localizers"].items() if test in r}
        if not results:
            continue
        head = ["heatmaps of", "method", *(_TITLES[f] for f in FIGURES), *(f"{_TITLES[f]}, gain" for f in FIGURES)]
        rows = []
        for name, result in results.items():
            for method, text in METHODS.items():
                figures = [result["figures"][f] for f in FIGURES]
                row = [record["recipe"]["localizers"][name]["title"], text]
                row += [number(f["values"][method]) for f in figures]
                row += [signed(f["difference to heatmap"][method]) if method != "heatmap" else "–" for f in figures]
                rows.append(row)
        first = next(iter(results.values()))
        size = f"{title}: {first['n_pairs']} findings on {first['n_images']} images. "
        parts.append(table(head, rows) + "\n" + size + _how(record) + "\n")
    missing = not_trained(record["recipe"]["localizers"][name]["title"] for name in record["missing"])
    return "\n".join(parts) + missing


def summary(record: Record) -> str:
    """The README's sentence: what the relation network adds to the best threshold, for the localiser that ships."""
    localizers, method = record["recipe"]["localizers"], record["recipe"]["headline"]
    name = next(n for n, part in localizers.items() if part.get("ships"))
    if name not in record["localizers"]:
        return NOT_MEASURED
    found = record["localizers"][name]["phantoms"]
    image, data = found["figures"]["image iou"], found["figures"]["data set iou"]
    gains = [signed(figure["difference to heatmap"][method]) for figure in (image, data)]
    return (
        f"**Pseudo-masks**: {localizers[name]['title']}'s heatmaps of findings that an image is said to have, refined"
        f" by the relation network: IoU of images {number(image['values'][method])}; cut at the best threshold of every"
        f" class {number(image['values']['heatmap'])} (difference {gains[0]}; in the IoU of the data set {gains[1]})."
        f" {found['n_images']} synthetic phantoms; the walk was added after a first scoring on them, its steps are"
        " chosen on others.\n"
    )


def _how(record: Record) -> str:
    found = [localizer["phantoms"]["figures"]["image iou"]["values"] for localizer in record["localizers"].values()]
    seeds = min(values[record["recipe"]["headline"]]["n_seeds"] for values in found)
    return (
        "Gain: over the thresholded heatmap, paired. In brackets the 95% interval by patient (and seed) bootstrap;"
        f" training seeds: {seeds}. Only findings an image is said to have; thresholds of every method and class chosen"
        " on validation phantoms."
    )


def classes(record: Record) -> str:
    """IoU of the data set class by class, on phantoms."""
    parts = []
    for name, result in record["localizers"].items():
        found = result["phantoms"]
        head = [record["recipe"]["localizers"][name]["title"]]
        head += [f"{c} ({found['pairs'][c]})" for c in found["per_class"]]
        rows = [
            [text, *(number(found["per_class"][c]["values"][method]) for c in found["per_class"])]
            for method, text in METHODS.items()
        ]
        parts.append(table(head, rows))
    return "\n".join(parts)


def steps(record: Record) -> str:
    """How many steps every class goes, for every localiser's heatmaps, and which threshold cuts the result."""
    rows, labels = [], []
    for name, result in record["localizers"].items():
        for method, chosen in result.get("steps", {}).items():
            labels = list(chosen[0])
            cells = [
                "; ".join(f"{s[c]}, {t[c]:g}".replace(", 0.", ", .") for s, t in zip(chosen, cuts, strict=True))
                for cuts in [result["thresholds"][method]]
                for c in labels
            ]
            rows.append([record["recipe"]["localizers"][name]["title"], METHODS[method].split(", ")[-1], *cells])
    return table(["steps, threshold", "", *labels], rows) if rows else NOT_MEASURED


def training(record: Record) -> str:
    """What the networks were trained with."""
    lines = [f"- training images sha256 `{record['trained_on'][:16]}…`, phantom and NIH images with a finding"]
    for run, sha in record["weights_sha256"].items():
        minutes = record["training_minutes"].get(run)
        how = "as shipped" if minutes is None else f"{minutes:.0f} minutes"
        lines.append(f"- weights `{run}`: {how}, sha256 `{sha[:16]}…`")
    lines.append(f"- scored {record['date']} on {record['device']}; torch {record['versions']['torch']}")
    return "\n".join(lines) + "\n"
