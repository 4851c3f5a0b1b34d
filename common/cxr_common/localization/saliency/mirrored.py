"""Heatmaps of an image and of its mirror image, averaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from cxr_common.exports.exportable import logit_maps
from cxr_common.plain_inferer import PlainInferer


class MirroredInferer(Inferer):
    """The mean of the logit maps of an image and of its mirror image, mirrored back (left and right change places).

    It takes twice the time. MONAI's ``TestTimeAugmentation`` works on data sets, not as an inferer of an evaluator.

    Args:
        inferer: makes the logit maps; None: they are the network's own.
    """

    def __init__(self, inferer: Inferer | None = None) -> None:
        super().__init__()
        self.inferer = inferer or PlainInferer()
        if hasattr(self.inferer, "pool"):
            self.pool = self.inferer.pool

    @property
    def needs_gradients(self) -> bool:
        """Whether the inferer asks for gradients."""
        return bool(getattr(self.inferer, "needs_gradients", False))

    def as_maps(self, network: nn.Module) -> nn.Module:
        """The network and this inferer as one module that gives the logit maps. Errors as the inner inferer's."""
        return MirroredMaps(logit_maps(self.inferer, network))

    def describe(self) -> dict[str, Any]:
        """How its heatmaps are made, for records."""
        inner = self.inferer.describe() if hasattr(self.inferer, "describe") else {}
        return {**inner, "mirrored": True}

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Map images (N, C_in, X, Y) to logit maps (N, C, x, y)."""
        maps = self.inferer(inputs, network, *args, **kwargs)
        mirrored = self.inferer(inputs.flip(-2), network, *args, **kwargs)
        return (maps + mirrored.flip(-2)) / 2


class MirroredMaps(nn.Module):
    """The mean of the maps of an image and of its mirror image.

    Args:
        maps: images (N, C_in, X, Y) to logit maps (N, C, x, y).
    """

    def __init__(self, maps: nn.Module) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, C_in, X, Y) to logit maps (N, C, x, y)."""
        return (self.maps(image) + self.maps(image.flip(-2)).flip(-2)) / 2
