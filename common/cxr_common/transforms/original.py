"""What a transform at network resolution must know of the original image: size, identity, affine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from cxr_common.errors import InputError


def original_size(image: torch.Tensor, where: object) -> tuple[int, int]:
    """(width, height) of the original; coordinates scale to it, so preprocessing may only have resized."""
    if not isinstance(image, MetaTensor):
        return image.shape[-2], image.shape[-1]
    other = [step.get("class") for step in image.applied_operations if step.get("class") != "Resize"]
    if other:
        raise InputError(
            f"preprocessing applied {', '.join(map(str, other))}", where, "only Resized may change the geometry here"
        )
    shape = [int(n) for n in image.meta.get("spatial_shape", image.shape[-2:])]
    return shape[0], shape[1]


def identity(meta: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """What a findings record says of an image besides its findings."""
    spacing = [float(value) for value in meta.get("spacing", ())]
    known = len(spacing) == 2 and all(math.isfinite(value) and value > 0 for value in spacing)
    warnings = meta.get("warnings") or []
    return {
        "path": str(meta.get("filename_or_obj", "")),
        "size": list(size),
        "spacing_mm": spacing if known else None,
        "view": meta.get("view") or None,
        "sop_instance_uid": meta.get("sop_instance_uid") or None,
        "warnings": warnings.splitlines() if isinstance(warnings, str) else [str(text) for text in warnings],
    }


def like_original(label_mask: np.ndarray, meta: Mapping[str, Any]) -> MetaTensor:
    """A mask (width, height) with the original's affine and meta."""
    affine = meta.get("original_affine")
    return MetaTensor(
        torch.from_numpy(label_mask),
        affine=None if affine is None else torch.as_tensor(np.asarray(affine)),
        meta={key: value for key, value in meta.items() if key != "affine"},
    )


def failure(error: Exception, image: object) -> dict[str, str | None]:
    """The failure record of an image."""
    path = str(image.meta.get("filename_or_obj", "")) if isinstance(image, MetaTensor) else ""
    if isinstance(error, InputError):
        return {"path": path, "reason": error.reason, "action": error.action}
    return {"path": path, "reason": f"{type(error).__name__}: {error}", "action": "report this as a defect"}
