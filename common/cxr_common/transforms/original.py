"""What a transform at network resolution must know of the original image: size, identity, affine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Original:
    """The original of a network's input.

    Attributes:
        meta: its metadata; empty where the input carries none.
        where: its file, for errors.
        size: (width, height).
    """

    meta: Mapping[str, Any]
    where: object
    size: tuple[int, int]

    @classmethod
    def of(cls, image: torch.Tensor) -> Original:
        """That of an input (C, X, Y).

        Raises:
            InputError: preprocessing did more than resize it.
        """
        meta = image.meta if isinstance(image, MetaTensor) else {}
        where = meta.get("filename_or_obj", "image")
        return cls(meta, where, original_size(image, where))

    def record(self, findings: list[dict[str, Any]]) -> dict[str, Any]:
        """The record docs/reference/findings.md describes, plain Python values."""
        spacing = [float(value) for value in self.meta.get("spacing", ())]
        known = len(spacing) == 2 and all(math.isfinite(value) and value > 0 for value in spacing)
        warnings = self.meta.get("warnings") or []
        return {
            "path": str(self.meta.get("filename_or_obj", "")),
            "size": list(self.size),
            "spacing_mm": spacing if known else None,
            "view": self.meta.get("view") or None,
            "sop_instance_uid": self.meta.get("sop_instance_uid") or None,
            "warnings": warnings.splitlines() if isinstance(warnings, str) else [str(text) for text in warnings],
            "findings": findings,
        }

    def check_finite(self, *outputs: torch.Tensor) -> None:
        """Refuse what a network gave where a value of it is not finite.

        Raises:
            InputError: one is not.
        """
        if not all(bool(torch.isfinite(values).all()) for values in outputs):
            action = "check the weights, or run without amp"
            raise InputError("the network gave values that are not finite", self.where, action)


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
