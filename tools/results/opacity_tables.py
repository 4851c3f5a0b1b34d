"""Markdown of the opacity probe."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import number, table

Record = dict[str, Any]
SUBSETS = {"all": "all", "era": "patients 1280 to 3970", "PA": "PA views", "AP": "AP views"}


def probe(record: Record) -> str:
    """AUROC of every group of features on the rows that the networks are scored on."""
    learnt, scored = record["images"]["learnt"], record["images"]["scored"]
    sizes = scored["present and absent"]
    head = ["the probe sees", *(f"{text} ({sizes[key][0]} / {sizes[key][1]})" for key, text in SUBSETS.items())]
    rows = [[name, *(number(figures[key]) for key in SUBSETS)] for name, figures in record["groups"].items()]
    correlations = list(record["rank_correlation"].values())
    text = table(head, rows) + (
        "\nAUROC of Pneumonia against No Finding by logistic regression, fitted to"
        f" {sum(learnt['present and absent']['all'])} images of {learnt['patients']} patients and scored on"
        f" {sum(sizes['all'])} images of {scored['patients']} other patients, {record['date']}. In brackets: images"
        " with Pneumonia / No Finding.\n"
    )
    if correlations:
        text += (
            f"\nAmong Pneumonia images alone the scores of the {len(correlations)} networks rise with the score of the"
            f" probe that sees {record['recipe']['beside'].strip('*')}: rank correlation"
            f" {_two(min(correlations))} to {_two(max(correlations))}.\n"
        )
    return text


def others(record: Record) -> str:
    """This set's images beside the rest of NIH: machines, brightness, and the probe of NIH's table."""
    machines = record["machines"]
    widths = next(iter(machines.values()))["shares"]
    head = ["images", *(f"{width} mm" for width in widths)]
    rows = [
        [f"{name} ({part['images']})", *(f"{100 * share:.1f}%" for share in part["shares"].values())]
        for name, part in machines.items()
    ]
    text = "Machines, told by the width of a pixel in NIH's table:\n\n" + table(head, rows)
    views = sorted({view for part in record["tones"].values() for view in part})
    rows = [
        [name, *(f"{part[view]['median']:.0f} ({part[view]['images']})" for view in views)]
        for name, part in sorted(record["tones"].items())
    ]
    text += "\nMean grey value of a picture, 0 to 255, median over the images (their number):\n\n"
    text += table(["images", *views], rows)
    found = record["elsewhere"]
    return text + (
        f"\nThe probe of all of NIH's table, tried on other patients ({found['n_pneumonia']} Pneumonia and"
        f" {found['n_no_finding']} No Finding images of NIH): AUROC of Pneumonia against No Finding"
        f" {number(found['disease'])}; of those No Finding images against this set's scored No Finding images, all"
        f" without a finding, {number(found['selection'])}.\n"
    )


def _two(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1)
