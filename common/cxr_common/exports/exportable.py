"""What a bundle's inferer makes of its network, as one module that can be written as a file.

An inferer of logit maps has ``as_maps(network)``, a module that gives them; one whose result is something else has
``as_outputs(network)``, and a detector's ``as_boxes(network)`` too. Such a module has a tuple ``outputs``, the names of
what it returns, and ``expected(image, inferer, network)``, what the bundle itself gives in their place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SimpleInferer
from torch import nn

from cxr_common.errors import InputError


class HeatmapNetwork(nn.Module):
    """Images (N, 1, X, Y) to heatmaps (N, C, x, y), probabilities in [0, 1], and class logits (N, C).

    A class logit is the largest value of the class' logit map, as saliency inferers make it.

    Args:
        maps: images to logit maps (N, C, x, y).
    """

    outputs = ("heatmap", "logits")

    def __init__(self, maps: nn.Module) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Heatmaps and class logits of images."""
        maps = self.maps(image)
        return torch.sigmoid(maps), maps.amax((-2, -1))

    def expected(
        self, image: torch.Tensor, inferer: Callable[..., Any], network: nn.Module
    ) -> tuple[torch.Tensor, ...]:
        """The same, made by the inferer."""
        maps = inferer(image, network)
        return torch.sigmoid(maps), maps.amax((-2, -1))


class OwnHeatmaps(HeatmapNetwork):
    """As `HeatmapNetwork`, of a network whose own logit maps are the heatmaps: its ``pool`` makes the class logits."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Heatmaps and class logits of images."""
        maps = self.maps(image)
        return torch.sigmoid(maps), self.maps.pool(maps)

    def expected(
        self, image: torch.Tensor, inferer: Callable[..., Any], network: nn.Module
    ) -> tuple[torch.Tensor, ...]:
        """The same, made by the inferer."""
        maps = inferer(image, network)
        return torch.sigmoid(maps), network.pool(maps)


def logit_maps(inferer: Any, network: nn.Module) -> nn.Module:
    """The module that gives the logit maps of an inferer.

    Raises:
        InputError: it cannot be one module.
    """
    # By their methods, not their classes: a bundle that came out of a zip carries classes of its own.
    if hasattr(inferer, "as_maps"):
        return inferer.as_maps(network)
    if type(inferer) is SimpleInferer:
        return network
    action = "use a bundle's own inferer; to export the bare network use python -m monai.bundle onnx_export"
    raise InputError(f"{type(inferer).__name__} cannot be written as a file", "inferer", action)


def exportable(inferer: Any, network: nn.Module, boxes: bool = False) -> nn.Module:
    """A bundle's network and inferer as one module.

    Args:
        inferer: of the bundle.
        network: of the bundle.
        boxes: whether a detector's boxes are decoded and selected inside.

    Raises:
        InputError: the inferer cannot be written as a file, or gives no boxes.
    """
    if boxes:
        if not hasattr(inferer, "as_boxes"):
            raise InputError("the bundle is not a detector", "--boxes", "leave it out")
        module = inferer.as_boxes(network)
    elif hasattr(inferer, "as_outputs"):
        module = inferer.as_outputs(network)
    else:
        maps = logit_maps(inferer, network)
        own = maps is network and hasattr(network, "pool")
        module = OwnHeatmaps(maps) if own else HeatmapNetwork(maps)
    return module.eval()
