"""Whether a network can take the images and batches it is to get, found out without computing anything."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from cxr_common.errors import InputError


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


def check_size(network: nn.Module, size: Sequence[int]) -> None:
    """Refuse a size of images that the network cannot take."""
    if reason := blank_pass(network, size):
        raise InputError(reason, f"--spatial_size {list(size)}", "choose other sides")


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
