"""Markdown of what bundles show: tables of all of them, and a sentence for each one's card."""

from __future__ import annotations

from typing import Any

from cxr_common.labels import LABELS
from cxr_tools.markdown import number, table

Record = dict[str, Any]
#: Bundles that decide about findings, in the order of the table. The relation network takes its localiser's decisions.
TITLES = {
    "cxr_pylon_localization": "PYLON",
    "cxr_multiscale_localization": "multiscale",
    "cxr_gradcam_classification": "CAM",
    "cxr_pcam_localization": "PCAM",
    "cxr_chexseg_segmentation": "segmenter",
    "cxr_oxnet_detection": "detector",
}


def bundles(record: Record) -> str:
    """One row for each bundle: what it finds, and what it shows that is not there."""
    heads = ["bundle", "AUROC", "sensitivity", "specificity", "none shown", "findings shown"]
    rows = []
    for name, title in TITLES.items():
        of = record["bundles"][name]["figures"]
        means = [number(of[figure]["macro"]) for figure in ("auroc", "sensitivity", "specificity")]
        rows.append([title, *means, number(of["none shown"]), number(of["shown"])])
    return table(heads, rows) + "\n" + _note(record)


def classes(record: Record) -> str:
    """Sensitivity and specificity, class by class."""
    parts = []
    for figure in ("sensitivity", "specificity"):
        heads = [figure, *(f"{name} ({record['counts'][name]})" for name in LABELS)]
        found = {title: record["bundles"][name]["figures"][figure] for name, title in TITLES.items()}
        parts.append(table(heads, [[title, *(number(of[label]) for label in LABELS)] for title, of in found.items()]))
    return "\n".join(parts)


def sentence(record: Record, bundle: str) -> str:
    """What a bundle's card says of false findings."""
    of = record["bundles"][bundle]["figures"]
    images = f"Of {record['n_normal']} NIH test images without any of its findings"
    return (
        f"{images}, {number(of['none shown'])} show none; the mean is {number(of['shown'])} false findings per image.\n"
    )


def _note(record: Record) -> str:
    parts = (
        f"Real radiographs (NIH ChestX-ray14, official test list): {record['n_images']} images of",
        f"{record['n_patients']} patients; the last two columns are of the {record['n_normal']} without any of the",
        "eight findings. Means over classes; value and 95% interval by patient. Weights and thresholds as shipped.",
        f"Scored {record['date']}.",
    )
    return " ".join(parts) + "\n"
