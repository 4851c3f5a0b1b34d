"""Where the chest is, by a mask of both lungs: the box around it, and the gate outside of which findings cannot be.

The lung model outlines air. It loses a lung that is full of water or cells, which is where findings are. So neither the
box nor the gate follows the lungs' outline, and there is no gate where a lung seems to be missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

#: Part of a picture that both lungs cover together; outside of it the lung model has failed.
LUNG_AREA = (0.12, 0.6)
#: What a chest has beyond the lungs, in parts of the picture's side: a little at the sides and above, more below, where
#: effusions blunt the lungs' outline.
MARGIN_SIDE, MARGIN_ABOVE, MARGIN_BELOW = 0.05, 0.03, 0.08
#: Two whole lungs: the part of the larger one's area that the smaller one has at least, and of their common width that
#: they are high at least. Less, and much of a lung is opaque or outside of the picture.
WHOLE_AREA, WHOLE_HEIGHT = 1 / 3, 0.6
#: Findings inside the lungs. Any other may lie anywhere in the chest: in the heart, the pleura, the mediastinum.
IN_LUNGS = frozenset(
    {"Atelectasis", "Consolidation", "Mass", "Nodule", "Opacity"}
    | {"Edema", "Infiltration", "Lung Lesion", "Lung Opacity", "Pneumonia"}
)
#: Numbers of a gate: left, top, right and bottom edge of the chest's box, and how much of its upper corners is no lung.
GATE_SIZE = 5


def is_plausible(lungs: np.ndarray) -> bool:
    """Whether the area of a mask is plausible for both lungs on a frontal radiograph."""
    return bool(LUNG_AREA[0] <= lungs.mean() <= LUNG_AREA[1])


def chest_box(lungs: np.ndarray, size: tuple[int, int]) -> list[float] | None:
    """The box around lungs and heart.

    Args:
        lungs: bool picture [row, column], of any size.
        size: width and height of the image.

    Returns:
        x0, y0, x1, y1 in the image's pixels; None where the lungs are not plausible.
    """
    if not is_plausible(lungs):
        return None
    x0, y0, x1, y1 = _edges(lungs)
    edges = (x0 - MARGIN_SIDE, y0 - MARGIN_ABOVE, x1 + MARGIN_SIDE, y1 + MARGIN_BELOW)
    return [round(float(np.clip(edge, 0, 1)) * size[axis % 2], 2) for axis, edge in enumerate(edges)]


def chest_gate(lungs: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """The gate of an image, which :func:`inside_gate` turns into pixels.

    Args:
        lungs: bool picture [row, column], of any size.
        size: width and height of the image.

    Returns:
        (5,) float32: x0, y0, x1, y1 of the box as :func:`chest_box` has it, and the depth of its upper corners, all in
        parts of the picture's sides. NaN where there are no two whole lungs: then nothing may be left out.
    """
    if not is_plausible(lungs):
        return torch.full((GATE_SIZE,), torch.nan)
    halves = sorted(half.sum() for half in np.array_split(lungs, 2, axis=1))
    x0, y0, x1, y1 = _edges(lungs)
    if halves[0] < WHOLE_AREA * halves[1] or (y1 - y0) * size[1] < WHOLE_HEIGHT * (x1 - x0) * size[0]:
        return torch.full((GATE_SIZE,), torch.nan)
    # The same on both sides, for the apex of one lung may be opaque. From the box's corner on, which lies further out
    # than the lungs', this leaves the margins.
    y, x = (places / side for places, side in zip(np.nonzero(lungs), lungs.shape, strict=True))
    corner = min(np.percentile(x - x0 + y - y0, 1), np.percentile(x1 - x + y - y0, 1))
    return torch.tensor([x0 - MARGIN_SIDE, y0 - MARGIN_ABOVE, x1 + MARGIN_SIDE, y1 + MARGIN_BELOW, corner]).float()


def inside_gate(gate: torch.Tensor, labels: Sequence[str], size: tuple[int, int]) -> torch.Tensor:
    """Where findings can be.

    Args:
        gate: (5,), of :func:`chest_gate`.
        labels: C class names. Those of :data:`IN_LUNGS` are not in the box's upper corners, above the shoulders.
        size: X, Y of the maps.

    Returns:
        (C, X, Y) bool; true everywhere where the gate is NaN.
    """
    gate = torch.as_tensor(gate).float().cpu()
    if gate.isnan().any():
        return torch.ones(len(labels), *size, dtype=torch.bool)
    x0, y0, x1, y1, corner = gate
    x, y = ((torch.arange(side) + 0.5) / side for side in size)
    x, y = x[:, None], y[None]
    chest = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    lungs = chest & (x - x0 + y - y0 >= corner) & (x1 - x + y - y0 >= corner)
    return torch.stack([lungs if name in IN_LUNGS else chest for name in labels])


def _edges(lungs: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge of lungs in parts of the picture's sides."""
    rows, columns = np.nonzero(lungs)
    height, width = lungs.shape
    # A hundredth of the pixels at either end may be crumbs elsewhere.
    (x0, x1), (y0, y1) = np.percentile(columns, (1, 99)) / width, np.percentile(rows, (1, 99)) / height
    return x0, y0, x1, y1
