"""Resizing of feature maps."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def resize_like(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Resize (N, C, x, y) bilinearly to the reference's spatial size, corners aligned as published."""
    return F.interpolate(x, size=reference.shape[-2:], mode="bilinear", align_corners=True)
