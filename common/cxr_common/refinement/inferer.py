"""The relation network's inference for MONAI's evaluators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from cxr_common.errors import InputError
from cxr_common.plain_inferer import plain_tensor
from cxr_common.refinement.network import relations


class RelationInferer(Inferer):
    """Boundary probabilities and displacements in one tensor, with the mirrored image as published.

    Args:
        crop_size: pad to this size first, as published (512); a larger image to a square of its longer side. None pads
            nothing.
    """

    def __init__(self, crop_size: int | None = None) -> None:
        super().__init__()
        self.crop_size = crop_size

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Map images (N, C, X, Y) to (N, 3, ceil(X / 4), ceil(Y / 4)): boundary in [0, 1], displacement along x and y.

        Args:
            inputs: images.
            network: an InterPixelRelationNetwork in evaluation mode.
            args: refused.
            kwargs: refused.
        """
        if args or kwargs:
            raise TypeError("RelationInferer takes nothing but its image")
        size = None if self.crop_size is None else max(self.crop_size, *inputs.shape[-2:])
        return torch.cat(relations(network, plain_tensor(inputs), size), 1)  # type: ignore[arg-type]

    def as_outputs(self, network: nn.Module) -> nn.Module:
        """The network and this inferer as one module, see :mod:`cxr_common.exports.exportable`.

        Raises:
            InputError: images are padded to a size.
        """
        if self.crop_size is not None:
            raise InputError("crop_size is set, and exported files do not pad", "inferer", "leave crop_size out")
        return RelationNetwork(network)


class RelationNetwork(nn.Module):
    """Images (N, C, X, Y) to boundaries (N, 1, x, y) in [0, 1] and displacements (N, 2, x, y) along x and y, in cells.

    Args:
        network: an InterPixelRelationNetwork in evaluation mode.
    """

    outputs = ("boundary", "displacement")

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What :func:`~cxr_common.refinement.network.relations` gives without padding."""
        plain, mirrored = self.network(image), self.network(image.flip(-2))
        return torch.sigmoid((plain[:, :1] + mirrored[:, :1].flip(-2)) / 2), plain[:, 1:]

    def expected(
        self, image: torch.Tensor, inferer: Callable[..., Any], network: nn.Module
    ) -> tuple[torch.Tensor, ...]:
        """The same, made by the inferer."""
        found = inferer(image, network)
        return found[:, :1], found[:, 1:]
