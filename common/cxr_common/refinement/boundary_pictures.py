"""Boundaries over radiographs in TensorBoard, to watch what a relation network learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ignite.engine import Engine, Events

from cxr_common.training.pictures import overlay_picture

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoardBoundaries:
    """Handler that writes the first images of each validation with the boundaries the relation network sees.

    Args:
        writer: TensorBoard writer of the run.
        count: images shown.
    """

    def __init__(self, writer: SummaryWriter, count: int = 4) -> None:
        self.writer, self.count = writer, count

    def attach(self, engine: Engine) -> None:
        """Look at the first batch of every epoch of the validating engine."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Write the pictures of an epoch's first batch."""
        if (engine.state.iteration - 1) % (engine.state.epoch_length or 1) != 0:
            return
        output: Any = engine.state.output
        for i, (image, pred) in enumerate(zip(output["image"][: self.count], output["pred"], strict=False)):
            picture = overlay_picture(image[:1], pred[0].float().sigmoid())
            self.writer.add_image(f"validation/{i}/boundary", picture, engine.state.epoch)
