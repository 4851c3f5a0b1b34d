"""What CheXpert and MIMIC-CXR-JPG share: the 14 observations of CheXpert's labeller and their cells."""

from __future__ import annotations

import argparse

from cxr_tools.prepare.labels import cell_value
from cxr_tools.prepare.tables import Row

FINDINGS = (
    *("Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation"),
    *("Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices"),
)
#: Lung Lesion is mass and nodule in one, so neither is known.
SHARED = {
    **{name: name for name in ("Atelectasis", "Cardiomegaly", "Consolidation", "Pneumothorax")},
    "Effusion": "Pleural Effusion",
    "Opacity": "Lung Opacity",
}


def add_blank_option(parser: argparse.ArgumentParser) -> None:
    """``--blank``: what an empty cell means."""
    parser.add_argument(
        "--blank",
        choices=("unknown", "absent"),
        default="unknown",
        help="what an empty cell of a finding means: not annotated (default), or absent. Uncertain (-1) stays -1: what"
        " to learn from it is --label_policy of a training",
    )


def finding_values(row: Row, blank: str) -> list[int | None]:
    """One value per finding: 1, 0, -1 uncertain, and for an empty cell None, or 0 where ``blank`` is "absent"."""
    values = [cell_value(row, name, {}, "cells are 1, 0, -1 or empty; use the table as it came") for name in FINDINGS]
    return [0 if value is None else value for value in values] if blank == "absent" else values
