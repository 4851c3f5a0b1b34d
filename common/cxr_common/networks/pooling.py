"""From logit maps to class logits."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def _full_precision(maps: torch.Tensor) -> torch.Tensor:
    return maps.float() if maps.dtype in (torch.float16, torch.bfloat16) else maps


def max_pool(maps: torch.Tensor) -> torch.Tensor:
    """Maximum over space: (N, C, x, y) -> (N, C), in float32 or wider."""
    return F.adaptive_max_pool2d(_full_precision(maps), 1).flatten(1)


def average_pool(maps: torch.Tensor) -> torch.Tensor:
    """Mean over space (GAP): (N, C, x, y) -> (N, C), in float32 or wider."""
    return _full_precision(maps).mean((-2, -1))
