"""Markdown tables that compare all methods of the localisation experiment."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import not_trained, number, signed, table
from tools.results.plots import mean_relevance, titles
from tools.results.score import BY_CLASS

Record = dict[str, Any]


def methods(record: Record) -> str:
    """Every method on the phantom test set, and its paired difference from the baseline."""
    part, rows = record["phantoms"], []
    for name, title in titles(record).items():
        entry = part["methods"][name]
        against = entry.get("against")
        rows.append(
            [
                title,
                str(entry["seeds"]),
                number(entry["point"]["micro"]),
                number(entry["point"]["macro"]),
                number(entry["auroc"]["macro"]),
                signed(against["point micro"]["difference"]) if against else "–",
                signed(against["auroc"]["difference"]) if against else "–",
                ", ".join(f"{v:.2f}".replace("0.", ".", 1) for v in entry["by_seed"]["point"]),
            ]
        )
    for chance in ("random pixel", "centre pixel"):
        rows.append([chance, "", number(part[chance]["micro"]), number(part[chance]["macro"]), *["–"] * 4])
    baseline = titles(record)[record["recipe"]["baseline"]]
    head = ["", "seeds", "point, micro", "point, macro", "AUROC, macro"]
    head += [f"point - {baseline}", f"AUROC - {baseline}", "point, by seed"]
    size = f"\nSynthetic phantoms: {part['n_images']} images of {part['n_patients']} patients.\n"
    return table(head, rows) + size + not_trained(record["missing"])


def by_class(record: Record) -> str:
    """Point accuracy, T(IoBB) 0.25 and AUROC of every method, class by class."""
    part = record["phantoms"]
    labels = [label for label, count in part["pairs"].items() if count]
    blocks = []
    for text, pick in (
        ("Point accuracy", lambda e, c: e["point"][c]),
        (BY_CLASS, lambda e, c: e["overlap_by_class"][BY_CLASS][c]),
    ):
        rows = [
            [title, *(number(pick(part["methods"][name], label)) for label in labels)]
            for name, title in titles(record).items()
        ]
        head = [f"{label} ({part['pairs'][label]})" for label in labels]
        blocks.append(f"{text}; boxed images in brackets:\n\n" + table(["", *head], rows))
    networks = {n: t for n, t in titles(record).items() if "weights_of" not in record["recipe"]["methods"][n]}
    rows = [
        [title, *(number(part["methods"][name]["auroc"][label]) for label in labels)]
        for name, title in networks.items()
    ]
    return "\n".join([*blocks, "AUROC of every network:\n\n" + table(["", *labels], rows)])


def by_seed(record: Record) -> str:
    """Point accuracy of every seed of the networks that have several, class by class."""
    part = record["phantoms"]
    labels = [label for label, count in part["pairs"].items() if count]
    rows = []
    for name, title in titles(record).items():
        entry = part["methods"][name]
        if entry["seeds"] > 1 and "weights_of" not in record["recipe"]["methods"][name]:
            for place in range(entry["seeds"]):
                values = [entry["by_seed"]["point"][place]]
                values += [entry["by_seed"]["point by class"][label][place] for label in labels]
                rows.append([f"{title}, {place + 1}", *(f"{v:.2f}".replace("0.", ".", 1) for v in values)])
    return table(["network, seed", "all", *labels], rows) if rows else "No network has a second seed yet.\n"


def claims(record: Record) -> str:
    """What the papers say, and what was measured."""
    names = titles(record)
    rows = []
    for claim in record["claims"]:
        measured = "difference" in claim
        rows.append(
            [
                claim["paper"],
                claim["claim"],
                f"{claim['figure']}{', ' + claim['class'] if 'class' in claim else ''}",
                f"{names[claim['first']]} - {names[claim['second']]}" if measured else "–",
                f"{signed(claim['difference'])}, {claim['difference']['n_seeds']} seed(s)" if measured else "–",
                claim["verdict"] if claim["verdict"] == "holds" else f"**{claim['verdict']}**",
            ]
        )
    return table(["paper", "claim", "figure", "compared", "difference", "verdict"], rows)


def relevance(record: Record) -> str:
    """Layer relevance weights of the multiscale network, mean over seeds."""
    weights = mean_relevance(record)
    if not weights:
        return "The multiscale network is not trained yet.\n"
    stages = list(next(iter(weights.values())))
    seeds = sum(name.startswith("multiscale-") for name in record["relevance"])
    rows = [[label, *(f"{row[s]:.2f}".replace("0.", ".", 1) for s in stages)] for label, row in weights.items()]
    shallow = {label: row["stride 4"] + row["stride 8"] for label, row in weights.items()}
    verdict = "more" if shallow["Nodule"] > shallow["Cardiomegaly"] else "**not** more"
    return table(["", *stages], rows) + (
        f"\nMean over {seeds} seed(s). Nodule puts {verdict} on the two shallow stages than Cardiomegaly:"
        f" {shallow['Nodule']:.3f} against {shallow['Cardiomegaly']:.3f}.\n"
    )


def real(record: Record) -> str:
    """Every method on real NIH images: official boxes, and a third party's Mass and Nodule boxes."""
    if "nih" not in record:
        return "The real radiographs were not at hand.\n"
    official, other = record["nih"]["boxes"], record["nihmass"]["boxes"]
    rows = []
    for name, title in titles(record).items():
        points = other["methods"][name]["point"]
        rows.append(
            [
                title,
                number(official["methods"][name]["point"]["micro"]),
                number(points["Mass"]),
                number(points["Nodule"]),
            ]
        )
    for chance in ("random pixel", "centre pixel"):
        rows.append([chance, number(official[chance]["micro"]), number(other[chance]["micro"]), "(both)"])
    head = ["", "point, official boxes", "point, Mass (third party)", "point, Nodule (third party)"]
    pairs = sum(official["pairs"].values())
    return table(head, rows) + (
        f"\nOfficial boxes: {pairs} (image, class) pairs of {official['n_patients']} patients. Third party: unverified"
        f" boxes on {other['n_images']} images of {other['n_patients']} patients ({other['pairs']['Mass']} with Mass,"
        f" {other['pairs']['Nodule']} with Nodule).\n"
    )


def opacity(record: Record) -> str:
    """Every method's AUROC of Opacity on the NIH rows whose two classes differ by more than disease."""
    if "nih" not in record:
        return "The real radiographs were not at hand.\n"
    parts = record["nih"]["opacity"]
    names = {"all": "all", "era": "patients 1280 to 3970", "PA": "PA views", "AP": "AP views"}
    head = ["", *(f"{names[key]} ({part['present']} / {part['absent']})" for key, part in parts.items())]
    rows = [
        [title, *(number(part["methods"][name]) for part in parts.values())] for name, title in titles(record).items()
    ]
    return table(head, rows)
