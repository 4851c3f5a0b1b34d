"""Whether a network can take the images and batches it is to get, found out without computing anything."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from cxr_common.errors import InputError

#: Part of a side by which cells may cover more or less than it; 33 cells of 16 pixels, for 513, are a published choice.
_MISFIT = 0.05


def blank_pass(network: nn.Module, size: Sequence[int], images: int = 1, training: bool = False) -> str | None:
    """Pass blank images through a copy of a network on PyTorch's meta device, which computes shapes but no values.

    Args:
        network: stays as it is.
        size: X, Y of the images.
        images: in the batch.
        training: in training mode, where batch norm wants more than one value.

    Returns:
        What went wrong, on one line; None where the network takes the batch.
    """
    dry = copy.deepcopy(network).to("meta").train(training)
    kernel = next((p for p in dry.parameters() if p.dim() == 4), None)
    if kernel is None:
        return None
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            dry(torch.zeros(images, kernel.shape[1], *size, device="meta"))
    except NotImplementedError:  # an operation without a meta version says nothing about the images
        return None
    except (ValueError, RuntimeError) as error:
        return str(error).strip().split("\n")[0].rstrip(".")
    return None


def check_size(network: nn.Module, size: Sequence[int], name: str = "spatial_size") -> None:
    """Refuse a size of images, the option `name`, that the network cannot take."""
    if reason := blank_pass(network, size):
        raise InputError(reason, f"--{name} {list(size)}", "choose other sides")


def cells_misfit(network: nn.Module, size: Sequence[int]) -> str | None:
    """Whether the cells of a network's backbone cover the pixels of an image, over which its maps are stretched.

    A backbone of stride 32 has 4 cells for 150 pixels, or 5 for 130; what lies in the last one would be shown up to a
    quarter of the side from where it is.

    Returns:
        What does not fit, and by what; None where all does, or the network has no such backbone, or cuts off what lies
        beyond the image (attribute ``crops``).
    """
    backbone: Any = getattr(network, "backbone", None)
    if not isinstance(backbone, nn.Module) or not hasattr(backbone, "strides") or getattr(network, "crops", False):
        return None
    dry: Any = copy.deepcopy(backbone).to("meta").eval()
    kernel = next(p for p in dry.parameters() if p.dim() == 4)
    with torch.no_grad():
        maps = dry(torch.zeros(1, kernel.shape[1], *size, device="meta"))
    for cells in maps:
        for count, side in zip(cells.shape[-2:], size, strict=True):
            stride = 2 ** round(math.log2(side / count))  # of the map, whatever strides a network has taken out
            if abs(count * stride / side - 1) > _MISFIT:
                return f"cells of {stride} pixels cover {count * stride} where there are {side}, so maps do not fit"
    return None


def check_cells(network: nn.Module, size: Sequence[int], _max_epochs: int) -> None:
    """Refuse to train at a size that :func:`cells_misfit` finds fault with."""
    if reason := cells_misfit(network, size):
        raise InputError(reason, f"--spatial_size {list(size)}", "choose multiples of 32")


def warn_of_cells(network: nn.Module, size: Sequence[int]) -> None:
    """The same of a network that is trained already, as a warning."""
    if reason := cells_misfit(network, size):
        warnings.warn(f"--spatial_size {list(size)}: {reason}; multiples of 32 fit", stacklevel=2)


def check_batches(
    network: nn.Module, size: Sequence[int], images: int, batch_size: int, processes: int = 1, left_out: bool = False
) -> None:
    """Refuse a number of training images that makes no batch, or a batch of one that the network cannot learn from.

    Args:
        network: to train.
        size: X, Y of its input.
        images: of an epoch; each process gets an equal share.
        batch_size: of one process.
        processes: of the run.
        left_out: whether the last batch is left out, where it is smaller than the others.
    """
    share = -(-images // processes)
    rest = 0 if left_out else share % batch_size
    batches = [batch_size] * (share // batch_size) + ([rest] if rest else [])
    where = f"{images} training image{'s' if images != 1 else ''}"
    where += f" in {processes} processes" if processes > 1 else ""
    if not batches:
        raise InputError("there is no batch: one left-over image does not make one", where, "add images")
    if min(batches) == 1 and (reason := blank_pass(network, size, training=True)):
        action = "give --batch_size 2 or more" if batch_size == 1 else "give another --batch_size, or add images"
        raise InputError(f"this network cannot learn from a batch of one image ({reason})", where, action)


def check_reach(size: Sequence[int], radius: int) -> None:
    """Refuse images too small for the pairs of cells that a relation network learns from.

    Args:
        size: X, Y of its input; a cell of its maps is four pixels wide.
        radius: pairs are closer than this many cells.
    """
    reach = radius - 1
    sides = (8 * reach + 1, 4 * reach + 1)  # the pairs of a cell lie left, right and below
    if any(side < least for side, least in zip(size, sides, strict=True)):
        reason = f"is too small for pairs of --loss_radius {radius} cells of 4 pixels"
        action = f"give at least [{sides[0]}, {sides[1]}], or a smaller --loss_radius"
        raise InputError(reason, f"--spatial_size {list(size)}", action)
