"""A bundle's decisions beside the labels of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.datalist import item_group
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.files import file_sha256, write_json
from cxr_common.json_files import read_json
from cxr_common.labels import LABELS
from cxr_common.metrics import auroc, bootstrap_ci
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.statistics import hit_statistic, label_statistic
from cxr_tools.workflow import run_workflow, workflow_command

Record = dict[str, Any]
Items = list[dict[str, Any]]


def label_table(items: Items) -> np.ndarray:
    """(N, C): 1 where an image has the finding, 0 where it has not, NaN where nobody says."""
    return np.array([item["label"] for item in items], float)


def gather_images(items: Items, folder: Path) -> Path:
    """Link images into a folder of their own, which inference then reads; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (Path(item["image"]).resolve() for item in items):
        link = folder / path.name
        if not link.is_symlink():
            link.symlink_to(path)
    return folder


def read_decisions(findings: Path, items: Items) -> tuple[np.ndarray, np.ndarray]:
    """Decisions and probabilities (N, C) in a ``findings.json``, in the order of `items`; C as in ``LABELS``.

    Raises:
        InputError: an image of `items` is not in the file.
    """
    found = {image["path"]: image["findings"] for image in read_json(findings, "run it again")["images"]}
    names = [Path(item["image"]).name for item in items]
    if missing := [name for name in names if name not in found]:
        raise InputError(f"{len(missing)} images have no findings, {missing[0]} first", findings, "run it again")
    of_class = [{finding["label"]: finding for finding in found[name]} for name in names]
    table = [[(image[name]["decision"], image[name]["probability"]) for name in LABELS] for image in of_class]
    decisions, probabilities = np.moveaxis(np.array(table, float), 2, 0)
    return decisions.astype(bool), probabilities


def figures(decided: np.ndarray, probability: np.ndarray, label: np.ndarray, patients: Sequence[str]) -> Record:
    """Figures of one bundle with 95% intervals by patient.

    Args:
        decided: (N, C), whether a finding is shown.
        probability: (N, C).
        label: (N, C), as of :func:`label_table`.
        patients: of each image.

    Returns:
        "auroc", "sensitivity" and "specificity": the mean over classes ("macro") and each class. Of images without any
        of the findings, "shown": how many findings one shows on average; "none shown": the share that shows none.
    """
    normal = (label == 0).all(1)
    shown = decided.sum(1)
    tables = {
        "sensitivity": np.where(label == 1, decided, np.nan),
        "specificity": np.where(label == 0, ~decided, np.nan),
        "shown": np.where(normal, shown, np.nan)[:, None],
        "none shown": np.where(normal, shown == 0, np.nan)[:, None],
    }

    def measured(statistic: Statistic) -> Record:
        return dict(bootstrap_ci([statistic], patients).to_dict())

    out: Record = {
        "auroc": {
            name: measured(label_statistic(auroc, probability[:, part], label[:, part]))
            for name, part in _parts().items()
        }
    }
    for name in ("sensitivity", "specificity"):
        out[name] = {of: measured(hit_statistic(tables[name][:, part], "macro")) for of, part in _parts().items()}
    for name in ("shown", "none shown"):
        out[name] = measured(hit_statistic(tables[name]))
    return out


def _parts() -> dict[str, list[int]]:
    return {"macro": [*range(len(LABELS))], **{name: [place] for place, name in enumerate(LABELS)}}


def measure(bundle: Path, items: Items, work: Path) -> Record:
    """Run a bundle's inference, unless the work folder has it, and score it.

    Raises:
        InputError: inference failed, or an image was left out.
    """
    held = {name: file_sha256(bundle / "models" / name) for name in ("model.pt", "thresholds.json")}
    folder = work / bundle.name
    known = folder / "made_from.json"
    made_from = {**held, "images": data_sha256(items)}
    if not known.exists() or read_json(known, "remove it") != made_from:
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "dataset_dir": gather_images(items, work / "images"),
            "output_dir": folder / "found",
            "outputs": "['json']",
            "batch_size": 8,
        }
        command = workflow_command(bundle, [bundle / "configs" / "inference.json"], options)
        status, reason = run_workflow(command, folder / "log.txt")
        if status:
            raise InputError(reason or f"ended with status {status}", bundle.name, f"see {folder / 'log.txt'}")
        write_json(made_from, known)
    found = read_decisions(folder / "found" / "findings.json", items)
    return {
        "weights_sha256": held["model.pt"],
        "thresholds_sha256": held["thresholds.json"],
        "figures": figures(*found, label_table(items), [item_group(item) for item in items]),
    }
