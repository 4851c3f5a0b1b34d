"""Markdown of the lung model."""

from __future__ import annotations

from typing import Any

from tools.results.markdown import number, table

Record = dict[str, Any]
_TITLES = {
    "open": "open images, held-out patients, V7 masks",
    "nc": "images of licence class nc, V7 masks",
    "radiologists": "radiologists' masks (left and right joined)",
}


def methods(record: Record) -> str:
    """Dice and IoU on every test set."""
    rows = [
        [_TITLES[name], f"{test['n_images']} of {test['n_groups']}", number(test["dice"]), number(test["iou"])]
        for name, test in record["tests"].items()
    ]
    images = record["images"]
    how = f"{images['training']} open images, {images['validation']} for validation"
    minutes, sha = record["training_minutes"], record["weights_sha256"][:16]
    text = (
        f"Real radiographs; 95% intervals by patient. Trained on {how}, in {minutes:.0f} minutes on CPU cores;"
        f" weights sha256 `{sha}…`; scored {record['date']}.\n"
    )
    return table(["test set", "images of patients", "Dice", "IoU"], rows) + "\n" + text
