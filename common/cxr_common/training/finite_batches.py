"""End training at the first batch that leads nowhere, and say which it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events

from cxr_common.data.loader import batch_paths
from cxr_common.errors import InputError

_SHOWN = 4


class FiniteBatches:
    """Handler that raises where an image has pixels, or a batch a loss, that is no finite number.

    Without it training goes on with weights that are not numbers until the epoch is done, and nobody knows why.

    Args:
        keys: of images in a batch.
        patience: batches in a row whose loss may be wrong where a gradient scaler is in use, which passes over such
            batches while it looks for a scale.
    """

    def __init__(self, keys: Sequence[str] = ("image", "image_strong"), patience: int = 10) -> None:
        self.keys, self.patience = tuple(keys), patience
        self._wrong = 0

    def attach(self, engine: Engine) -> None:
        """Look at every batch before, and at its loss after the iteration."""
        engine.add_event_handler(Events.ITERATION_STARTED, self.check_images)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.check_loss)

    def check_images(self, engine: Engine) -> None:
        """Look at the images of a batch.

        Raises:
            InputError: names the files whose pixels are not finite.
        """
        batch: Any = engine.state.batch
        for key in (key for key in self.keys if isinstance(batch, dict) and key in batch):
            images = batch[key]
            finite = torch.isfinite(torch.as_tensor(images).flatten(1)).all(1)
            if bool(finite.all()):
                continue
            paths = batch_paths(batch, self.keys[0])  # a second view has no name of its own
            bad = [paths[i] for i in range(len(finite)) if not finite[i] and i < len(paths)]
            reason = f"the image has pixels that are not finite numbers ({_place(engine)})"
            raise InputError(reason, _names(bad), "export it again, or leave it out of the datalist")

    def check_loss(self, engine: Engine) -> None:
        """Look at the loss of a batch.

        Raises:
            InputError: names the files of a batch whose loss is not finite.
        """
        output: Any = engine.state.output
        loss = (output[0] if isinstance(output, list) else output)["loss"]
        self._wrong = 0 if bool(torch.isfinite(torch.as_tensor(loss)).all()) else self._wrong + 1
        scaled = getattr(engine, "scaler", None) is not None and getattr(engine, "amp", False)
        if self._wrong > (self.patience if scaled else 0):
            reason = f"the loss is not a finite number ({_place(engine)})"
            action = "the training diverged: lower learning_rate, and look at the images of this batch"
            raise InputError(reason, _names(batch_paths(engine.state.batch, self.keys[0])), action)


def _place(engine: Engine) -> str:
    length = engine.state.epoch_length
    batch = engine.state.iteration - (engine.state.epoch - 1) * length if length else engine.state.iteration
    return f"epoch {engine.state.epoch}, batch {batch}"


def _names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more if paths else "training"
