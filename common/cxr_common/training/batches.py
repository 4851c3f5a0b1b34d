"""From a loader's batch to a trainer's input and target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def label_and_place(
    batch: Mapping[str, torch.Tensor],
    device: torch.device | str | None = None,
    non_blocking: bool = False,
    **kwargs: Any,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """A ``prepare_batch`` for MONAI's trainers, whose target holds "label" and "place"."""
    image, label, place = (
        torch.as_tensor(batch[key]).to(device, non_blocking=non_blocking, **kwargs)
        for key in ("image", "label", "place")
    )
    return image, {"label": label, "place": place}
