"""From logit maps to class logits."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F


def _full_precision(maps: torch.Tensor) -> torch.Tensor:
    return maps.float() if maps.dtype in (torch.float16, torch.bfloat16) else maps


def max_pool(maps: torch.Tensor) -> torch.Tensor:
    """Maximum over space: (N, C, x, y) -> (N, C), in float32 or wider.

    Example:
        >>> max_pool(torch.tensor([[[[1.0, 3.0]]]])).tolist()
        [[3.0]]
    """
    return F.adaptive_max_pool2d(_full_precision(maps), 1).flatten(1)


def average_pool(maps: torch.Tensor) -> torch.Tensor:
    """Mean over space (GAP): (N, C, x, y) -> (N, C), in float32 or wider.

    Example:
        >>> average_pool(torch.tensor([[[[1.0, 3.0]]]])).tolist()
        [[2.0]]
    """
    return _full_precision(maps).mean((-2, -1))


def log_sum_exp_pool(maps: torch.Tensor, sharpness: float = 10.0) -> torch.Tensor:
    r"""Smooth maximum over space: (N, C, x, y) -> (N, C), in float32 or wider.

    .. math:: \tfrac{1}{r} \log \tfrac{1}{xy} \sum \exp(r m)

    From the mean (r towards 0) to the maximum (r towards infinity); Wang 2017 (arXiv 1705.02315) pools features so with
    r = 10, we pool logit maps (as Pinheiro 2015, arXiv 1411.6228), so that score and map stay one tensor.

    Example:
        >>> round(log_sum_exp_pool(torch.tensor([[[[1.0, 3.0]]]])).item(), 3)  # just below the maximum
        2.931
    """
    maps = _full_precision(maps).flatten(2)
    return (torch.logsumexp(sharpness * maps, -1) - math.log(maps.shape[-1])) / sharpness
