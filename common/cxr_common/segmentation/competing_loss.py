"""Learning one class for every pixel: WSMIS' third step on PASCAL VOC (Viniavskyi 2020, arXiv 2007.00748)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.data.label_map import VOID
from cxr_common.networks.crf import CrfSettings, dense_crf


class PictureTargets:
    """A ``prepare_batch`` for MONAI's trainers whose target holds the label maps, and the pictures that a CRF looks at.

    Args:
        mean: what was subtracted from the images, one value for each channel.
        deviation: what they were divided by.
    """

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        self.mean, self.deviation = (torch.tensor(values).view(-1, 1, 1) for values in (mean, deviation))

    def __call__(
        self, batch: Mapping[str, Any], device: torch.device | str | None = None, non_blocking: bool = False, **_: Any
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Images (N, C, X, Y) of a batch, and "label" (N, X, Y) and "picture" (N, C, X, Y), grey levels of 0 to 255."""
        image, label = (torch.as_tensor(batch[key]).to(device, non_blocking=non_blocking) for key in ("image", "label"))
        picture = image * self.deviation.to(image) + self.mean.to(image)
        return image, {"label": label, "picture": (255 * picture).clamp(0, 255)}


class CompetingLoss(nn.Module):
    """Cross-entropy with the label maps, and the distance to what a CRF makes of the network's own probabilities.

    (1 - w) times the mean cross-entropy of the pixels that are not void, plus w times the mean Kullback-Leibler
    divergence of the probabilities, on a coarser grid, from those after the CRF, which pulls edges to edges of the
    picture. WSMIS has w = .5, a grid of every fourth pixel and four iterations.

    Args:
        crf_weight: w; 0 leaves the CRF out.
        stride: of the CRF's grid, in pixels.
        iterations: of the CRF.
        void: label of the pixels that nothing is learned from.
    """

    def __init__(self, crf_weight: float = 0.5, stride: int = 4, iterations: int = 4, void: int = VOID) -> None:
        super().__init__()
        self.crf_weight, self.stride, self.void = crf_weight, stride, void
        self.settings = CrfSettings(iterations=iterations).at_stride(stride)

    def forward(self, maps: torch.Tensor, target: torch.Tensor | Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Loss of logit maps (N, K + 1, X, Y).

        Args:
            maps: class 0 is the background.
            target: label maps (N, X, Y), for the cross-entropy alone, as a validation has it; or what
                :class:`PictureTargets` gives.
        """
        maps = maps.float()
        if isinstance(target, torch.Tensor):
            return self._entropy(maps, target)
        entropy = self._entropy(maps, target["label"])
        if not self.crf_weight:
            return entropy
        return (1 - self.crf_weight) * entropy + self.crf_weight * self._distance(maps, target["picture"])

    def _entropy(self, maps: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        total = F.cross_entropy(maps, label.long(), ignore_index=self.void, reduction="sum")
        return total / (label != self.void).sum().clamp_min(1)

    def _distance(self, maps: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        size = [-(-n // self.stride) for n in maps.shape[-2:]]
        said = F.interpolate(maps, size=size, mode="bilinear", antialias=True).log_softmax(1)
        grey = F.interpolate(picture.float(), size=size, mode="area")
        agreed = dense_crf(-said.detach(), grey, self.settings)
        return F.kl_div(said, agreed, reduction="none").sum(1).mean()
