"""DropBlock (Ghiasi 2018, arXiv 1810.12890), the regularisation of the WSMIS classifier."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def keep_mask(seeds: torch.Tensor, block_size: int) -> torch.Tensor:
    """What remains when every seed removes the block around it.

    Args:
        seeds: (N, x, y), 1 where a block is removed, else 0.
        block_size: side b of the block. It reaches from b // 2 (odd) or b // 2 - 1 (even) cells before its seed to
            b // 2 cells after, and is cut at the border.

    Returns:
        (N, x, y) of the seeds' dtype: 0 removed, 1 kept.
    """
    before, after = block_size // 2, (block_size - 1) // 2
    padded = F.pad(seeds[:, None], (before, after, before, after))
    return 1 - F.max_pool2d(padded, block_size, stride=1)[:, 0]


def drop_blocks(x: torch.Tensor, seeds: torch.Tensor, block_size: int) -> torch.Tensor:
    """Remove blocks from features and scale the rest up, so that the mean over the batch stays what it was.

    Args:
        x: features (N, C, x, y).
        seeds: (N, x, y), as :func:`keep_mask` takes it; channels share it.
        block_size: side of a block.
    """
    keep = keep_mask(seeds, block_size)
    return x * (keep * (keep.numel() / keep.sum().clamp_min(1)))[:, None]


class DropBlock2d(nn.Module):
    """Remove random blocks of a feature map in training; the identity in evaluation.

    A cell of an image is a seed with probability drop_prob / block_size ** 2; channels share the seeds. WSMIS (arXiv
    2007.00748) draws them so, over the whole map.

    Args:
        drop_prob: part of the map to remove, about.
        block_size: side of a block in cells.
        ramp_batches: raise the probability linearly from 0 over so many training batches; 0 for at once.
    """

    def __init__(self, drop_prob: float = 0.2, block_size: int = 7, ramp_batches: int = 0) -> None:
        super().__init__()
        if not 0 <= drop_prob < 1 or block_size < 1:
            raise ValueError(f"drop_prob must be in [0, 1) and block_size positive, not {drop_prob} and {block_size}")
        self.drop_prob, self.block_size, self.ramp_batches = drop_prob, block_size, ramp_batches
        # No weight: files of weights go without it, so they fit a network without DropBlock. TrainingCheckpoint keeps
        # it, so that a resumed run goes on with the ramp.
        self.register_buffer("batches_seen", torch.tensor(0), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map features (N, C, x, y) to features of the same shape."""
        if not self.training:
            return x
        probability = self.drop_prob / self.block_size**2
        if self.ramp_batches > 0:
            batches = torch.as_tensor(self.batches_seen)
            probability *= min(1.0, float(batches) / self.ramp_batches)
            batches += 1
        seeds = torch.rand((x.shape[0], x.shape[2], x.shape[3]), device=x.device) < probability
        return drop_blocks(x, seeds.to(x.dtype), self.block_size)
