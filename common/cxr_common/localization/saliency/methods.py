"""Class activation methods: from a layer's activation and gradients to one saliency map per class.

Maps are not normalised (see :func:`cxr_common.heatmaps.unit_peak`); larger is more evidence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.localization.saliency.gradients import class_logits, layer_gradients
from cxr_common.localization.saliency.mode import evaluating


class SaliencyMethod(ABC):
    """From images to saliency maps."""

    @abstractmethod
    def __call__(
        self, network: nn.Module, image: torch.Tensor, layer: str | nn.Module | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Class logits (N, C) and saliency maps (N, C, x, y), float64, of images (N, C_in, X, Y).

        Raises:
            InputError: when the layer is missing or unsuitable, see ``layer_gradients``.
        """


class GradientMethod(SaliencyMethod):
    """A method that weights a layer's activation by gradients; one overrides :meth:`maps` only."""

    #: Whose gradient :meth:`maps` gets, "logit" or "exp" of it.
    score: Literal["logit", "exp"] = "logit"

    @abstractmethod
    def maps(self, activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Saliency maps of one layer.

        Args:
            activation: (N, K, x, y) float64.
            gradient: (N, C, K, x, y) float64, of each class's score.

        Returns:
            (N, C, x, y) float64.
        """

    def __call__(
        self, network: nn.Module, image: torch.Tensor, layer: str | nn.Module | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See :class:`SaliencyMethod`."""
        if layer is None:
            raise InputError(f"{type(self).__name__} needs a layer", action='name one, such as "backbone.layer4"')
        logits, activation, gradient = layer_gradients(network, image, layer, self.score)
        # Gradients of a mean over pixels are small and their third powers leave float32 at either end. Image by image:
        # a wide layer at stride 8 has gigabytes of gradients a batch, and Grad-CAM++ needs them several times over.
        maps = [self.maps(a[None].double(), g[None].double()) for a, g in zip(activation, gradient, strict=True)]
        return logits, torch.cat(maps)


class GradCam(GradientMethod):
    r"""Grad-CAM (Selvaraju 2017, arXiv 1610.02391, eq. 1 and 2).

    .. math:: L^c = \operatorname{ReLU}\Big(\sum_k w_k^c A_k\Big), \quad
              w_k^c = \frac{1}{|xy|} \sum_{xy} \frac{\partial s^c}{\partial A_k}
    """

    def maps(self, activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Maps (N, C, x, y) >= 0."""
        return _weighted_sum(gradient.mean((-2, -1)), activation).relu()


class GradCamPlusPlus(GradientMethod):
    r"""Grad-CAM++ (Chattopadhay 2018, arXiv 1710.11063), in two forms.

    The denominator sums gradient and activation pixel by pixel, as the code of WSMIS and MONAI's has it. The paper's
    eq. 19 has the gradient at the pixel times the sum of the activation: the same where the gradient is the same all
    over the map, as in the last layer before average pooling.

    .. math:: w_k^c = \sum_{xy} \alpha_k^c \operatorname{ReLU}(g_k^c), \quad
              \alpha_k^c = \frac{(g_k^c)^2}{2 (g_k^c)^2 + \sum_{xy} (g_k^c)^3 A_k + \epsilon}

    Args:
        score: "logit": g is the logit's gradient, which the paper's derivation for exp(logit) comes down to up to a
            factor a map, :math:`\epsilon` = 0 (alpha is 0 where its denominator is), ReLU of the map. "exp": as WSMIS
            (arXiv 2007.00748) published it, g is the gradient of exp(logit) in alpha too, :math:`\epsilon` = 1e-8, no
            ReLU; the maps of a confident and of a doubtful class then differ in more than scale.
    """

    def __init__(self, score: Literal["logit", "exp"] = "logit") -> None:
        if score not in ("logit", "exp"):
            raise ValueError(f'the score must be "logit" or "exp", not {score!r}')
        self.score = score

    def maps(self, activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Maps (N, C, x, y), >= 0 in the "logit" form."""
        square = gradient.square()
        third = (square * gradient * activation[:, None]).sum((-2, -1), keepdim=True)
        denominator = 2 * square + third + (1e-8 if self.score == "exp" else 0)
        zero = denominator == 0
        alpha = (square / denominator.masked_fill(zero, 1)).masked_fill(zero, 0)
        maps = _weighted_sum((alpha * gradient.relu()).sum((-2, -1)), activation)
        return maps if self.score == "exp" else maps.relu()


class LayerCam(GradientMethod):
    r"""LayerCAM (Jiang 2021, IEEE TIP 30, eq. 5 and 6): each pixel has its own weight, so early layers are usable.

    .. math:: L^c = \operatorname{ReLU}\Big(\sum_k \operatorname{ReLU}(g_k^c) A_k\Big)
    """

    def maps(self, activation: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Maps (N, C, x, y) >= 0."""
        return torch.einsum("nckxy,nkxy->ncxy", gradient.relu(), activation).relu()


class Cam(SaliencyMethod):
    """Class activation maps (Zhou 2016, arXiv 1512.04150): the network's own logit maps, less each map's minimum.

    Subtracting the minimum, as is usual for display, makes the head's bias, which says nothing of place, drop out and
    keeps the order of all pixels. The other choice, the ReLU of the map without bias, is what
    :class:`GradCam` gives at the last layer of a network that averages.
    """

    def __call__(
        self, network: nn.Module, image: torch.Tensor, layer: str | nn.Module | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Class logits (N, C) and maps (N, C, x, y), float64; one forward pass, the layer is ignored."""
        with torch.no_grad(), evaluating(network), torch.autocast(image.device.type, enabled=False):
            logits, maps = class_logits(network, image)
        maps = maps.double()
        return logits, maps - maps.amin((-2, -1), keepdim=True)


def _weighted_sum(weights: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
    """Sum over channels of (N, C, K) weights times an activation (N, K, x, y): (N, C, x, y)."""
    return torch.einsum("nck,nkxy->ncxy", weights, activation)


METHODS: dict[str, Callable[[], SaliencyMethod]] = {
    "cam": Cam,
    "gradcam": GradCam,
    "gradcampp": GradCamPlusPlus,
    "gradcampp_wsmis": lambda: GradCamPlusPlus(score="exp"),
    "layercam": LayerCam,
}


def make_method(name: str) -> SaliencyMethod:
    """One of :data:`METHODS`.

    Raises:
        InputError: when the name is not known.
    """
    if name not in METHODS:
        raise InputError(f"unknown saliency method {name!r}", action=f"choose one of {', '.join(METHODS)}")
    return METHODS[name]()
