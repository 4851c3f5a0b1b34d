"""Learning from a teacher network instead of masks (CheXseg's first version, arXiv 2102.10484v1)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.networks.weights import load_weights


class TeacherLabels:
    """A ``prepare_batch`` for MONAI's trainers whose labels are a teacher's logit maps of the augmented images.

    Args:
        network: what the teacher is a copy of; its own weights stay.
        weights: of the teacher.
        device: where it runs.

    Raises:
        InputError: no weights, or weights of another network.
    """

    def __init__(self, network: nn.Module, weights: str | Path | None, device: torch.device | str = "cpu") -> None:
        if weights is None:
            raise InputError("there is no teacher", "distillation.yaml", "name its model.pt with --teacher_weights")
        self.teacher = copy.deepcopy(network)
        load_weights(self.teacher, weights)
        self.teacher.to(device).eval()

    @torch.no_grad()
    def __call__(
        self, batch: Mapping[str, Any], device: torch.device | str | None = None, non_blocking: bool = False, **_: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (N, C, X, Y) of a batch on the device, and the teacher's logit maps of them."""
        image = torch.as_tensor(batch["image"]).to(device=device, non_blocking=non_blocking)
        return image, self.teacher(image)
