"""Heatmaps over radiographs in TensorBoard, to watch where a network looks while it learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from ignite.engine import Engine, Events
from monai.visualize import blend_images
from torch.nn import functional as F

from cxr_common.axes import tensor_to_picture

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def overlay_picture(image: torch.Tensor, heatmap: torch.Tensor) -> torch.Tensor:
    """Blend a probability map over an image.

    Args:
        image: (1, X, Y), any range.
        heatmap: (x, y) in [0, 1], any size.

    Returns:
        (3, Y, X) in [0, 1]: a colour picture, row first.
    """
    image = image.float().cpu()
    image = (image - image.min()) / (image.max() - image.min()).clamp_min(1e-6)
    heat = F.interpolate(heatmap[None, None].float().cpu(), size=image.shape[-2:], mode="bilinear")[0]
    # rescale_arrays would stretch a heatmap of .01 to full colour; probabilities keep their meaning as they are.
    blended = blend_images(
        image, heat, alpha=0.4 * heat, cmap="viridis", rescale_arrays=False, transparent_background=False
    )
    return tensor_to_picture(torch.as_tensor(blended)).clamp(0, 1)


class TensorBoardHeatmaps:
    """Handler that writes the first images of each validation, one overlay a class that is present (or the likeliest).

    Args:
        writer: TensorBoard writer of the run.
        labels: class names in the order of the maps.
        count: images shown.
        epoch_of: engine whose epoch numbers the pictures; default the engine attached to.
    """

    def __init__(
        self, writer: SummaryWriter, labels: Sequence[str], count: int = 4, epoch_of: Engine | None = None
    ) -> None:
        self.writer, self.labels, self.count, self.epoch_of = writer, list(labels), count, epoch_of

    def attach(self, engine: Engine) -> None:
        """Look at the first batch of every epoch of the validating engine."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Write the pictures of an epoch's first batch."""
        if (engine.state.iteration - 1) % (engine.state.epoch_length or 1) != 0:
            return
        epoch = (self.epoch_of or engine).state.epoch
        output: Any = engine.state.output
        images, maps, labels = output["image"], output["pred"].sigmoid(), output["label"]
        if labels.ndim == 4:  # masks
            labels = (labels == 1).flatten(2).any(-1)
        for i in range(min(self.count, len(images))):
            present = [c for c in range(len(self.labels)) if labels[i, c] == 1] or [
                int(maps[i].amax((-2, -1)).argmax())
            ]
            for c in present:
                tag = f"validation/{i}/{self.labels[c]}{'' if labels[i, c] == 1 else ' (absent)'}"
                self.writer.add_image(tag, overlay_picture(images[i], maps[i, c]), epoch)
