"""Networks get plain tensors: a ``MetaTensor`` costs time at each of their operations."""

from __future__ import annotations

from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from torch import nn


def plain_tensor(values: torch.Tensor) -> torch.Tensor:
    """The same values without metadata; a plain tensor as it is."""
    return values.as_tensor() if isinstance(values, MetaTensor) else values


class PlainInferer(SimpleInferer):
    """MONAI's ``SimpleInferer`` that gives the network plain tensors.

    A small network that sees one image at a time takes half as long again with a ``MetaTensor``: it is handed on by
    Python at each operation. What follows finds the metadata at the image.
    """

    def as_maps(self, network: nn.Module) -> nn.Module:
        """The module that gives what this gives of a network: the network itself."""
        return network

    def __call__(self, inputs: torch.Tensor, network: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The network's output."""
        return super().__call__(plain_tensor(inputs), network, *args, **kwargs)
