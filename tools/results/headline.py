"""Markdown tables of the localisation experiment's headline: PYLON against CAM."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import NOT_MEASURED, number, signed, table

Record = dict[str, Any]


def _title(record: Record, method: str) -> str:
    return record["recipe"]["methods"][method]["title"]


def _methods(record: Record) -> list[str]:
    return [name for name in record["recipe"]["headline"] if name in record["phantoms"]["methods"]]


def _size(part: Record) -> str:
    return f"{part['n_images']} images of {part['n_patients']} patients"


def _seeds(record: Record) -> int:
    return min(record["phantoms"]["methods"][m]["seeds"] for m in _methods(record))


def summary(record: Record) -> str:
    """The README's table: what is localised better, on phantoms and on real radiographs."""
    phantoms, real = record["phantoms"], record.get("nih")
    head = ["", *(_title(record, m) for m in _methods(record))]
    rows = [
        [
            "phantoms: point accuracy (micro)",
            *(number(phantoms["methods"][m]["point"]["micro"]) for m in _methods(record)),
        ],
        ["phantoms: AUROC (macro)", *(number(phantoms["methods"][m]["auroc"]["macro"]) for m in _methods(record))],
    ]
    if real:
        rows.append(
            [
                "NIH: point accuracy on official boxes",
                *(number(real["boxes"]["methods"][m]["point"]["micro"]) for m in _methods(record)),
            ]
        )
        third = record["nihmass"]["boxes"]
        rows.append(
            [
                "NIH: point accuracy on a third party's Mass boxes",
                *(number(third["methods"][m]["point"]["Mass"]) for m in _methods(record)),
            ]
        )
    text = table(head, rows)
    for method in _methods(record)[:1]:
        against = phantoms["methods"][method].get("against")
        if against:
            fewer = against["point micro"]["fewer_misses"]
            auroc = against["auroc"]["difference"]
            text += (
                f"\nOn phantoms {_title(record, method)} points beside the finding {number(fewer, percent=True)}"
                f" less often than {_title(record, against['baseline'])}; its AUROC differs by {signed(auroc)}.\n"
            )
    pairs = sum(real["boxes"]["pairs"].values()) if real else 0
    text += (
        f"\nValue and 95% interval by patient (and seed) bootstrap; training seeds: {_seeds(record)}."
        f" Phantoms: synthetic, {_size(phantoms)}."
    )
    if real:
        text += (
            f" NIH: {pairs} official boxes' (image, class) pairs; unverified Mass boxes on {third['pairs']['Mass']}"
            " more images. How well findings are recognised on real images is not given: the classes of the set at hand"
            " differ by how they were picked (docs/results.md)."
        )
    return text + "\n"


def goals(record: Record) -> str:
    """What was aimed at before the runs, and what came out."""
    if "pylon" not in record["phantoms"]["methods"]:
        return NOT_MEASURED
    against = record["phantoms"]["methods"]["pylon"]["against"]
    fewer, difference = against["point micro"]["fewer_misses"], against["auroc"]["difference"]
    rows = [
        ["phantoms: fewer missed points than CAM", "at least 31%", number(fewer, percent=True), fewer["value"] >= 0.31],
        ["phantoms: AUROC against CAM", "at least -.010", signed(difference), difference["value"] >= -0.01],
    ]
    return table(["", "goal", "PYLON", "met"], [[*row[:3], "yes" if row[3] else "**no**"] for row in rows])


def phantoms(record: Record) -> str:
    """Phantom test set: every method, chance, and the paired comparison."""
    part = record["phantoms"]
    rows = []
    for method in _methods(record):
        entry = part["methods"][method]
        against = entry.get("against")
        rows.append(
            [
                _title(record, method),
                number(entry["point"]["micro"]),
                number(entry["point"]["macro"]),
                number(entry["auroc"]["macro"]),
                number(against["point micro"]["fewer_misses"], percent=True) if against else "–",
                signed(against["auroc"]["difference"]) if against else "–",
            ]
        )
    for chance in ("random pixel", "centre pixel"):
        rows.append([chance, number(part[chance]["micro"]), number(part[chance]["macro"]), "–", "–", "–"])
    head = ["", "point, micro", "point, macro", "AUROC, macro", "fewer misses (micro)", "AUROC difference"]
    return table(head, rows) + f"\nSynthetic phantoms: {_size(part)}.\n"


def classes(record: Record) -> str:
    """Phantom test set, class by class."""
    part = record["phantoms"]
    head = ["", "boxed images"]
    for method in _methods(record):
        head += [f"{_title(record, method)}: point", "AUROC"]
    rows = []
    for label, count in part["pairs"].items():
        row = [label, str(count)]
        for method in _methods(record):
            entry = part["methods"][method]
            row += [number(entry["point"][label]), number(entry["auroc"][label])]
        rows.append(row)
    return table(head, rows)


def overlap(record: Record) -> str:
    """Phantom test set: T(IoU) and T(IoBB), both levels."""
    part = record["phantoms"]
    names = list(part["methods"][record["recipe"]["baseline"]]["overlap"])
    rows = [[name, *(number(part["methods"][m]["overlap"][name]) for m in _methods(record))] for name in names]
    return table(["", *(_title(record, m) for m in _methods(record))], rows)


def nih(record: Record) -> str:
    """Real NIH images: points on official boxes."""
    real = record.get("nih")
    if not real:
        return "The real radiographs were not at hand.\n"
    boxes = real["boxes"]
    head = ["", *(_title(record, m) for m in _methods(record)), "random pixel", "centre pixel"]
    row = ["all boxes", *(number(boxes["methods"][m]["point"]["micro"]) for m in _methods(record))]
    row += [number(boxes[chance]["micro"]) for chance in ("random pixel", "centre pixel")]
    return f"Point accuracy on the official boxes, {_size(boxes)}:\n\n" + table(head, [row])


def training(record: Record) -> str:
    """What the runs were trained on, and which files they are."""
    on = record["trained_on"]
    sources = ", ".join(
        f"{on[f'training_{s}']} {s} + {on[f'validation_{s}']} for validation" for s in ("phantom", "nih")
    )
    start = record["training_minutes"].get("start-seed0")
    weights = f"- the backbone all start from: {start:.0f} minutes\n" if start else ""
    weights += "\n".join(
        f"- weights `{name}`: {record['training_minutes'][name]:.0f} minutes, sha256 `{value[:16]}…`"
        for name, value in record["weights_sha256"].items()
    )
    epochs = " + ".join(str(cycle.get("max_epochs", "those of the config")) for cycle in record["recipe"]["cycles"])
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    return (
        f"- images: {sources}\n- training data sha256 `{on['sha256'][:16]}…`,"
        f" phantom test data sha256 `{record['test_sha256']['phantoms'][:16]}…`\n{weights}\n"
        f"- epochs: {epochs}; machine: {record['training_machine']}\n"
        f"- scored {record['date']} on {record['device']};"
        f" {versions}\n"
    )
