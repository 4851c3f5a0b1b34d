"""Saliency maps in the form of a localisation network's logit maps, for MONAI's evaluators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn
from torch.nn import functional as F

from cxr_common.errors import InputError
from cxr_common.heatmaps import unit_peak
from cxr_common.localization.saliency.methods import Cam, SaliencyMethod, make_method
from cxr_common.networks.pooling import max_pool

#: Heat below this share of the map's peak counts as this share, which keeps the logits finite.
LEAST_HEAT = 1e-6


class SaliencyInferer(Inferer):
    """Saliency maps of a classifier as logit maps: pooled by their *maximum* they give the class logits.

    So what follows a network with max pooling (thresholds, heatmaps, boxes, metrics) follows this too.

    Args:
        method: a name of ``METHODS`` or a method.
        layer: dotted name of the layer whose activation is weighted; method "cam" needs none.
    """

    def __init__(self, method: str | SaliencyMethod = "gradcam", layer: str | nn.Module | None = None) -> None:
        super().__init__()
        self.name = method if isinstance(method, str) else type(method).__name__
        self.method = make_method(method) if isinstance(method, str) else method
        self.layer = layer

    def describe(self) -> dict[str, dict[str, str | None]]:
        """How its heatmaps are made, for records: under "saliency" the method and the layer."""
        layer = type(self.layer).__name__ if isinstance(self.layer, nn.Module) else self.layer
        if isinstance(self.method, Cam):
            layer = None
        return {"saliency": {"method": self.name, "layer": layer}}

    @property
    def needs_gradients(self) -> bool:
        """Whether the method asks for gradients, which exported networks do not have."""
        return not isinstance(self.method, Cam)

    def as_maps(self, network: nn.Module) -> nn.Module:
        """The network and this inferer as one module that gives the logit maps.

        Raises:
            InputError: the method needs gradients.
        """
        if self.needs_gradients:
            action = "choose a method without gradients: --set inferer#method=cam"
            raise InputError(f"method {self.name} needs gradients, which exported files do not have", "inferer", action)
        return CamMaps(network)

    @staticmethod
    def pool(maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of the maps (N, C, x, y)."""
        return max_pool(maps)

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Map images (N, C_in, X, Y) to logit maps (N, C, x, y), float32 or the network's wider type.

        Args:
            inputs: images.
            network: a module whose ``network.pool(network(image))`` are class logits.
            args: refused, a saliency method passes the image only.
            kwargs: refused as well.

        Raises:
            InputError: when the layer is missing or unsuitable.
            TypeError: when the network is not a module, or gets more than the image.
        """
        if not isinstance(network, nn.Module) or args or kwargs:
            raise TypeError("SaliencyInferer takes a torch module and nothing but its image")
        logits, maps = self.method(network, inputs, self.layer)
        return saliency_logits(logits, maps).to(logits.dtype)


class CamMaps(nn.Module):
    """A classifier's class activation maps as :class:`SaliencyInferer` gives them by the method "cam".

    Args:
        network: ``network.pool(network(image))`` are its class logits.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network: Any = network  # its method `pool` is "Tensor | Module" to mypy

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, C_in, X, Y) to logit maps (N, C, x, y)."""
        maps = self.network(image)
        logits = self.network.pool(maps)
        return _logits_of_heat(logits, maps - maps.amin((-2, -1), keepdim=True))


def saliency_logits(logits: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    r"""Logit maps whose sigmoid is the class probability times the saliency scaled to peak 1.

    .. math:: m = \operatorname{logit}(p h) = l + \log h - \log(1 + e^l (1 - h)), \quad p = \sigma(l)

    The form on the right is exact for any l, also where p rounds to 1. So the largest pixel of a map is its class logit
    and the order of pixels is that of the saliency, down to :data:`LEAST_HEAT`. A map that is nowhere positive says
    nothing of place and becomes the class logit everywhere.

    Args:
        logits: (N, C) class logits l.
        maps: (N, C, x, y) saliency, any scale.

    Returns:
        (N, C, x, y) float64.
    """
    return _logits_of_heat(logits.double(), maps.double())


def _logits_of_heat(logits: torch.Tensor, maps: torch.Tensor, least: float = LEAST_HEAT) -> torch.Tensor:
    """See :func:`saliency_logits`; of the maps' dtype. Only what TorchScript and ONNX know."""
    heat = unit_peak(maps)
    seen = heat.amax((-2, -1), keepdim=True) > 0
    heat = torch.where(seen, heat.clamp(min=least), torch.ones_like(heat))
    level = logits[..., None, None]
    # At 40 its rounding is below float64's, and float32 is far from its largest number.
    return level + heat.log() - F.softplus(level + (-heat).log1p(), threshold=40.0)
