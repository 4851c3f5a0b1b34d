"""Training of a segmenter bundle from label maps that people saved."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import itk
import numpy as np
from fastapi import HTTPException
from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask
from PIL import Image

logger = logging.getLogger(__name__)
#: Fewer images than these cannot be split into a part to learn from and one to choose the best epoch by.
FEWEST = 4


class SegmenterTraining(TrainTask):
    """Train the bundle's weights further with what was saved, in a separate process; new weights replace the old ones.

    A label map is taken to be complete: a class that it does not show is absent.

    Args:
        folder: the bundle's.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__("Segmenter of findings, trained on saved label maps")
        self.folder = folder
        self.labels: list[str] = json.loads((folder / "models" / "thresholds.json").read_text("utf-8"))["labels"]

    def config(self) -> dict[str, Any]:
        """What a client may set."""
        return {"max_epochs": 20, "val_split": 0.2, "learning_rate": 1e-4}

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        """Train.

        Raises:
            HTTPException: there are too few label maps, one does not fit its image, or the training failed.
        """
        items = datastore.datalist()
        if len(items) < FEWEST:
            raise HTTPException(422, f"{len(items)} label maps are saved; {FEWEST} or more are needed")
        given = {**self.config(), **{key: value for key, value in request.items() if key in self.config()}}
        with tempfile.TemporaryDirectory(prefix="cxr-label-") as name:
            work = Path(name)
            self._write_datalist(items, float(given["val_split"]), work)
            self._run(given, work)
            self._replace(work / "run")
        return {"images": len(items), "epochs": given["max_epochs"]}

    def _write_datalist(self, items: list[dict[str, Any]], split: float, work: Path) -> None:
        entries = []
        for number, item in enumerate(sorted(items, key=lambda item: item["image"])):
            masks: dict[str, str | None] = {}
            label_map = read_label_map(item["label"], len(self.labels))
            for value, label in enumerate(self.labels, start=1):
                inside, file = label_map == value, f"{number}_{value}.png"
                masks[label] = file if inside.any() else None
                if inside.any():
                    Image.fromarray(inside.astype(np.uint8) * 255).save(work / file)
            image = f"{number}{Path(item['image']).suffix}"
            shutil.copyfile(item["image"], work / image)  # a datalist's paths lie within its folder
            entries.append({"image": image, "patient": str(number), "mask": masks, "mask_origin": "expert"})
        held = max(1, round(len(entries) * split))
        content = {"labels": self.labels, "training": entries[held:], "validation": entries[:held], "testing": []}
        (work / "datalist.json").write_text(json.dumps(content), encoding="utf-8")

    def _run(self, given: dict[str, Any], work: Path) -> None:
        configs = self.folder / "configs"
        inference = json.loads((configs / "inference.json").read_text("utf-8"))
        words = [sys.executable, "-m", "monai.bundle", "run"]
        words += ["--config_file", f"['{configs / 'train.yaml'}','{configs / 'from_imagenet.yaml'}']"]
        settings = {
            "bundle_root": self.folder,
            "dataset_dir": work,
            "output_dir": work / "run",
            "initial_weights": self.folder / "models" / "model.pt",
            "backbone_weights": "$None",  # MONAI passes over an option that is None
            "supervision": "expert",
            "max_epochs": int(given["max_epochs"]),
            "val_interval": 1,
            "learning_rate": float(given["learning_rate"]),
            "batch_size": 4,
            "lr_scheduler#pct_start": 0.3,  # a quarter of four steps, as few images have, is no ramp
            # The network whose weights these are, whatever the recipe says.
            **{key: inference[key] for key in ("backbone", "intensity_mean", "intensity_std") if key in inference},
        }
        for key, value in settings.items():
            words += [f"--{key}", str(value)]
        done = subprocess.run(words, cwd=work, capture_output=True, text=True)
        if done.returncode:
            logger.error("training of %s failed:\n%s", self.folder.name, done.stderr)
            reason = done.stderr.rpartition("\nerror: ")[2] or done.stdout
            raise HTTPException(422, f"training failed: {reason.strip()[-1000:]}")

    def _replace(self, run: Path) -> None:
        """Put weights and thresholds in their place; the server reads both anew, the thresholds last."""
        models = self.folder / "models"
        for name in ("model.pt", "thresholds.json"):
            temporary = models / f".{name}.new"
            shutil.copyfile(run / name, temporary)
            temporary.replace(models / name)


def read_label_map(path: str, classes: int) -> np.ndarray:
    """A saved label map (rows, columns) of 0 and class numbers.

    Raises:
        HTTPException: it is not a picture of one slice, or has other numbers.
    """
    values = itk.array_from_image(itk.imread(path)).squeeze()
    if values.ndim != 2 or values.min() < 0 or values.max() > classes:
        raise HTTPException(422, f"{path}: is not a label map of one slice with the numbers 0 to {classes}")
    return np.asarray(values, dtype=np.uint8)
