"""The plain way to what pieces of ours do, as a user would write it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from monai.bundle import ConfigParser
from pydicom.pixels import apply_rescale, apply_voi_lut

#: Handlers that work once in an epoch: they are no part of a step.
_ONCE = ("ValidationHandler", "LrScheduleHandler", "StopAtLearningRate", "TrainingCheckpoint")


def read_dicom(path: Path) -> np.ndarray:
    """A DICOM radiograph as float32 (rows, columns) in [0, 1], by pydicom alone."""
    dataset = pydicom.dcmread(path)
    values = apply_voi_lut(apply_rescale(dataset.pixel_array, dataset), dataset).astype(np.float32)
    return (values - values.min()) / (values.max() - values.min())


def trainings(
    config: list[Path], options: dict[str, Any], output: Path
) -> tuple[Callable[[], None], Callable[[], None]]:
    """An epoch of a bundle's trainer, and a loop over the same batches with a copy of its network.

    Both read the images from the same cache in memory. Validation and checkpoints are left out.

    Args:
        config: files of a training.
        options: values over theirs.
        output: folder for what the trainer writes.
    """
    parser = ConfigParser()
    parser.read_config(config)
    parser.update({**options, "output_dir": str(output / "run"), "max_epochs": 1})
    parser["train"]["handlers"] = [h for h in parser["train"]["handlers"] if not h["_target_"].endswith(_ONCE)]
    network = copy.deepcopy(parser.get_parsed_content("network_def"))  # before `network` makes it faster
    loss, optimizer, loader = map(parser.get_parsed_content, ("loss", "optimizer", "train#dataloader"))
    trainer = parser.get_parsed_content("train#trainer")
    plain = type(optimizer)(network.parameters(), lr=parser["learning_rate"])
    network.train()

    def loop() -> None:
        for batch in loader:
            plain.zero_grad()
            loss(network(batch["image"]), batch["label"]).backward()
            plain.step()

    return trainer.run, loop
