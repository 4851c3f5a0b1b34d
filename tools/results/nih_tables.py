"""Markdown tables of the NIH experiment."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import not_trained, number, signed, table
from tools.results.score import BY_CLASS

Record = dict[str, Any]
#: What the PYLON paper reports for networks that learned from all of NIH ChestX-ray14 (arXiv:2010.11475, table 1).
PAPER = {"pylon": ".62", "cam": ".45"}
OVERLAPS = (
    "box T(IoU) > 0.1",
    "box T(IoU) > 0.25",
    "box T(IoU) > 0.5",
    "box T(IoBB) > 0.1",
    BY_CLASS,
    "box T(IoBB) > 0.5",
)


def titles(record: Record) -> dict[str, str]:
    """Method -> what it is called, in the order of the experiment file; scored methods only."""
    methods = record["recipe"]["methods"]
    return {name: method["title"] for name, method in methods.items() if name in record["boxes"]["methods"]}


def summary(record: Record) -> str:
    """README and cards: points on the official boxes and AUROC of the networks that ship, beside chance."""
    boxes, labels = record["boxes"], record["nih"]
    headline = [name for name in record["recipe"]["headline"] if name in boxes["methods"]]
    names = titles(record)
    rows = [
        ["point accuracy on the official boxes, micro"]
        + [number(boxes["methods"][m]["point"]["micro"]) for m in headline]
        + [number(boxes[chance]["micro"]) for chance in ("centre pixel", "random pixel")],
        ["the same, macro"]
        + [number(boxes["methods"][m]["point"]["macro"]) for m in headline]
        + [number(boxes[chance]["macro"]) for chance in ("centre pixel", "random pixel")],
        ["AUROC of image labels, macro"]
        + [number(labels["methods"][m]["auroc"]["macro"]) for m in headline]
        + ["–", ".50"],
    ]
    head = ["", *(names[m] for m in headline), "picture's centre", "random pixel"]
    return table(head, rows) + f"\n{_sizes(record)}\n"


def _sizes(record: Record) -> str:
    boxes, labels = record["boxes"], record["nih"]
    on = record["trained_on"]
    pairs = sum(boxes["pairs"].values())
    seeds = record["recipe"]["headline"][0]
    return (
        f"Real radiographs (NIH ChestX-ray14): {boxes['n_images']} images of {boxes['n_patients']} patients with"
        f" official boxes ({pairs} pairs of image and finding), {labels['n_images']} images of {labels['n_patients']}"
        f" other patients for AUROC (7 classes). Trained on {on['training_nih']} real images,"
        f" {on['training_simulated']} with simulated findings and {on['training_phantom']} phantoms, at 128 pixels."
        " Value and 95% interval by patient (and seed) bootstrap;"
        f" seeds of {titles(record)[seeds]}: {boxes['methods'][seeds]['seeds']}."
    )


def methods(record: Record) -> str:
    """Every method: points and AUROC, and their paired differences from the baseline."""
    boxes, labels, names = record["boxes"], record["nih"], titles(record)
    rows = []
    for name, title in names.items():
        entry, other = boxes["methods"][name], labels["methods"][name]
        against = entry.get("against")
        own = "weights_of" not in record["recipe"]["methods"][name]
        rows.append(
            [
                title,
                str(entry["seeds"]),
                number(entry["point"]["micro"]),
                number(entry["point"]["macro"]),
                signed(against["point micro"]["difference"]) if against else "–",
                number(other["auroc"]["macro"]) if own else "",
                signed(other["against"]["auroc"]["difference"]) if against and own else "–" if own else "",
                number(other["ap"]["macro"]) if own else "",
                PAPER.get(name, ""),
            ]
        )
    for chance in ("centre pixel", "random pixel"):
        rows.append([chance, "", number(boxes[chance]["micro"]), number(boxes[chance]["macro"]), *[""] * 5])
    baseline = names[record["recipe"]["baseline"]]
    head = ["", "seeds", "point, micro", "point, macro", f"point - {baseline}", "AUROC, macro", f"AUROC - {baseline}"]
    head += ["AP, macro", "*the paper's points, on the full data*"]
    return table(head, rows) + f"\n{_sizes(record)}\n" + not_trained(record["missing"])


def by_class(record: Record) -> str:
    """Points and T(IoBB) .25 on the official boxes, finding by finding."""
    boxes, names = record["boxes"], titles(record)
    labels = list(boxes["pairs"])
    head = ["", *(f"{label} ({boxes['pairs'][label]})" for label in labels)]
    points = [[t, *(number(boxes["methods"][n]["point"][c]) for c in labels)] for n, t in names.items()]
    overlap = [
        [t, *(number(boxes["methods"][n]["overlap_by_class"][BY_CLASS][c]) for c in labels)] for n, t in names.items()
    ]
    return (
        "Point accuracy; pairs of image and finding in brackets:\n\n"
        + table(head, points)
        + f"\n{BY_CLASS}, the boxes made as Wang 2017 does:\n\n"
        + table(head, overlap)
    )


def overlaps(record: Record) -> str:
    """T(IoU) and T(IoBB) at all levels, micro."""
    names = titles(record)
    rows = [[t, *(number(record["boxes"]["methods"][n]["overlap"][o]) for o in OVERLAPS)] for n, t in names.items()]
    return table(["", *(o.removeprefix("box ") for o in OVERLAPS)], rows)


def labels(record: Record) -> str:
    """AUROC of every network on the test images, class by class and view by view."""
    part = record["nih"]
    own = {n: t for n, t in titles(record).items() if "weights_of" not in record["recipe"]["methods"][n]}
    columns = [c for c in next(iter(part["methods"].values()))["auroc"] if c not in ("macro", *part["views"])]
    rows = [[t, *(number(part["methods"][n]["auroc"][c]) for c in columns)] for n, t in own.items()]
    views = [[t, *(number(part["methods"][n]["auroc"][v]) for v in part["views"])] for n, t in own.items()]
    return (
        "Images that have the finding in brackets; Infiltration, Pneumonia and Consolidation are read off the Opacity"
        " logit:\n\n"
        + table(["", *(f"{c} ({part['present'][c]})" for c in columns)], rows)
        + "\nMacro AUROC within one view (images in brackets):\n\n"
        + table(["", *(f"{v} ({n})" for v, n in part["views"].items())], views)
    )


def phantoms(record: Record) -> str:
    """The same networks on the test phantoms of the controlled experiment."""
    part = record["phantoms"]
    rows = [
        [
            t,
            *(
                number(part["methods"][n][figure][average])
                for figure, average in (("point", "micro"), ("auroc", "macro"))
            ),
        ]
        for n, t in titles(record).items()
    ]
    size = f"\nSynthetic phantoms: {part['n_images']} images.\n"
    return table(["", "point, micro", "AUROC, macro"], rows) + size


def claims(record: Record) -> str:
    """What was claimed, and what was measured."""
    names = {name: method["title"] for name, method in record["recipe"]["methods"].items()}
    rows = []
    for claim in record["claims"]:
        difference = claim.get("difference")
        rows.append(
            [
                claim["paper"],
                claim["claim"],
                f"{claim['figure']}{', ' + claim['class'] if 'class' in claim else ''}",
                f"{names[claim['first']]} - {names[claim['second']]}",
                f"{signed(difference)}, {difference['n_seeds']} seed(s)" if difference else "–",
                claim["verdict"] if claim["verdict"] == "holds" else f"**{claim['verdict']}**",
            ]
        )
    return table(["paper", "claim", "figure", "compared", "difference", "verdict"], rows)


def goals(record: Record) -> str:
    """What was aimed at before the runs, and by how much it was reached or missed."""
    boxes, labels, names = record["boxes"], record["nih"], titles(record)
    rows = []

    def row(text: str, goal: str, value: str, met: bool) -> None:
        rows.append([text, goal, value, "yes" if met else "**no**"])

    if "pylon" in names:
        entry = boxes["methods"]["pylon"]
        micro = entry["point"]["micro"]
        row("PYLON's points, micro", "at least .62", number(micro), micro["value"] >= 0.62)
        gain = entry["against"]["point micro"]["difference"]
        row(
            "PYLON's points above CAM's",
            "+.100, interval above 0",
            signed(gain),
            gain["value"] >= 0.1 and gain["low"] > 0,
        )
        below = _below_chance(boxes, "pylon")
        row("PYLON above centre and random in every class but Cardiomegaly", "all", below or "all", not below)
    best = max((labels["methods"][n]["auroc"]["macro"] for n in names), key=lambda i: i["value"])
    row("macro AUROC of the best network", "at least .80", number(best), best["value"] >= 0.8)
    for name in ("pylon", "multiscale"):
        if name in names:
            difference = labels["methods"][name]["against"]["auroc"]["difference"]
            text = f"AUROC, {names[name]} against {names[record['recipe']['baseline']]}"
            row(text, "at least -.010", signed(difference), difference["value"] >= -0.01)
    for claim in record["claims"]:
        if claim["paper"] == "Sedai" and "difference" in claim:
            text = f"multiscale against its last stage, {claim['class']}, T(IoBB) .25"
            row(text, "interval above 0", signed(claim["difference"]), claim["verdict"] == "holds")
    return table(["", "goal", "measured", "met"], rows)


def _below_chance(boxes: Record, method: str) -> str:
    """The findings whose points are not above those of the picture's centre and of a random pixel."""
    points = boxes["methods"][method]["point"]
    names = [
        label
        for label, count in boxes["pairs"].items()
        if count
        and label != "Cardiomegaly"
        and points[label]["value"] <= max(boxes[c]["by_class"][label] for c in ("centre pixel", "random pixel"))
    ]
    return f"not {', '.join(names)}" if names else ""


def training(record: Record) -> str:
    """What the runs were trained on, and which files they are."""
    on, minutes = record["trained_on"], record["training_minutes"]
    sources = ", ".join(
        f"{on[f'training_{s}']} {s} (validation {on[f'validation_{s}']})" for s in ("nih", "simulated", "phantom")
    )
    weights = "\n".join(
        f"- weights `{name}`: {minutes[name]:.0f} minutes, sha256 `{value[:16]}…`"
        for name, value in record["weights_sha256"].items()
    )
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    return (
        f"- images: {sources}\n- training data sha256 `{on['sha256'][:16]}…`; official boxes' images"
        f" `{record['test_sha256']['boxes'][:16]}…`, test images `{record['test_sha256']['nih'][:16]}…`\n{weights}\n"
        f"- machine: {record['training_machine']}, beside other work\n- scored {record['date']} on {record['device']};"
        f" {versions}\n"
    )
