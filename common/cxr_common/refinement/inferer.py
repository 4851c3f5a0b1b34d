"""The relation network's inference for MONAI's evaluators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer

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
        return torch.cat(relations(network, inputs, size), 1)  # type: ignore[arg-type]
