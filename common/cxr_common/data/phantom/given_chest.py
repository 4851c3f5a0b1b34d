"""The generator's chest from the outlined lungs of a given radiograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from cxr_common.data.phantom.anatomy import Chest, Lung, Patient
from cxr_common.data.phantom.fields import Array, coordinates
from cxr_common.data.phantom.simulators import Mask

# Extent of the generator's lungs in its own coordinates, which the given lungs are fitted to.
_WIDTH, _HEIGHT, _APEX, _MEDIAL = 1.56, 1.30, -0.76, 0.09


@dataclass(frozen=True)
class Frame:
    """Where the generator's square grid lies in a picture.

    Attributes:
        size: rows and columns of the grid.
        shape: rows and columns of the picture.
        left: column of the picture at the grid's left edge, in pixel edges.
        top: row of the picture at the grid's top edge.
        pixels: side of the grid in pixels of the picture.
    """

    size: int
    shape: tuple[int, int]
    left: float
    top: float
    pixels: float

    @classmethod
    def of(cls, lungs: dict[int, Mask]) -> Frame:
        """The grid in which the lungs have the generator's size and place; lungs by side, -1 the picture's left."""
        rows, columns = np.nonzero(np.any(list(lungs.values()), axis=0))
        x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        width = _WIDTH if len(lungs) == 2 else _WIDTH / 2 - _MEDIAL
        unit = max((x1 - x0) / width, (y1 - y0) / _HEIGHT)
        centre = (x0 + x1) / 2
        if len(lungs) == 1:  # its inner border lies beside the middle
            centre = x1 + _MEDIAL * unit if -1 in lungs else x0 - _MEDIAL * unit
        shape = next(iter(lungs.values())).shape
        size = int(np.clip(round(2 * unit), 128, 1024))
        return cls(size, (shape[0], shape[1]), centre - unit, y0 - (1 + _APEX) * unit, 2 * unit)

    def picture_to_grid(self, picture: Array) -> Array:
        """Resample (rows, columns) to (size, size); beyond the picture its edge is repeated."""
        step = self.pixels / self.size
        border = int(np.ceil(max(-self.left, -self.top, self.left + self.pixels - self.shape[1], 1)))
        border = max(border, int(np.ceil(self.top + self.pixels - self.shape[0])))
        source = Image.fromarray(np.pad(picture.astype(np.float32), border, mode="edge"))
        if step > 1:  # average what one pixel of the grid covers
            x0, y0 = self.left + border, self.top + border
            box = (x0, y0, x0 + self.pixels, y0 + self.pixels)
            return np.asarray(source.resize((self.size, self.size), Image.Resampling.BOX, box=box))
        mapping = (step, 0, self.left + border, 0, step, self.top + border)
        moved = source.transform((self.size, self.size), Image.Transform.AFFINE, mapping, Image.Resampling.BILINEAR)
        return np.asarray(moved)

    def mask_to_grid(self, mask: Mask) -> Mask:
        """As :meth:`picture_to_grid` of a mask."""
        return self.picture_to_grid(mask.astype(np.float32)) > 0.5

    def picture_to_image(self, values: Array) -> Array:
        """Resample (size, size) to (rows, columns); 0 beyond the grid."""
        step = self.size / self.pixels
        source = Image.fromarray(np.pad(values.astype(np.float32), 1))
        mapping = (step, 0, 1 - self.left * step, 0, step, 1 - self.top * step)
        moved = source.transform(self.shape[::-1], Image.Transform.AFFINE, mapping, Image.Resampling.BILINEAR)
        return np.asarray(moved)

    def mask_to_image(self, mask: Mask) -> Mask:
        """As :meth:`picture_to_image` of a mask."""
        return self.picture_to_image(mask.astype(np.float32)) > 0.5


def split_lungs(mask: Mask) -> dict[int, Mask]:
    """Lungs by side, -1 the picture's left and 1 its right; one of them where only one is outlined.

    Args:
        mask: bool (rows, columns), not empty. Parts of less than a tenth of it are left out.
    """
    numbered, count = ndimage.label(mask)
    areas = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    parts = [number for number in range(1, count + 1) if areas[number - 1] >= 0.1 * mask.sum()]
    mask = np.isin(numbered, parts)
    rows, columns = np.nonzero(mask)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    if width < 0.75 * height and len(parts) == 1:
        middle = mask.shape[1] / 2
        return {-1 if columns.mean() < middle else 1: mask}
    # Where the two touch, the cut is where fewest pixels are, near the middle.
    third = slice(columns.min() + round(0.35 * width), columns.min() + round(0.65 * width) + 1)
    filled = ndimage.gaussian_filter1d(mask.sum(axis=0).astype(float), max(width / 40, 0.5))
    cut = third.start + int(np.argmin(filled[third]))
    before = np.arange(mask.shape[1]) < cut
    lungs = {-1: np.zeros_like(mask), 1: np.zeros_like(mask)}
    for number in parts:
        part = numbered == number
        inner = (part & before).sum() / part.sum()
        if 0.1 < inner < 0.9:
            lungs[-1] |= part & before
            lungs[1] |= part & ~before
        else:
            lungs[-1 if inner > 0.5 else 1] |= part
    return {side: lung for side, lung in lungs.items() if lung.any()}


def chest_from_masks(masks: dict[int, Mask]) -> Chest:
    """A chest without heart and bones whose lungs have the given outlines; one lung stands in for a missing other.

    Args:
        masks: side -> bool (size, size) on the generator's grid.
    """
    given = {side: _lung(side, mask) for side, mask in masks.items()}
    lungs = {side: given.get(side, next(iter(given.values()))) for side in (-1, 1)}
    inside = np.maximum(lungs[-1].inside, lungs[1].inside)
    depth = np.sqrt(np.clip(inside / 0.24, 0, 1))
    air = np.where(inside > -0.02, (0.45 + 0.55 * depth) * 12.5, 0).astype(np.float32)
    zeros = np.zeros_like(air)
    patient = Patient("PA", "F", 50, _WIDTH / 2, lungs[-1].base, _APEX, 0.5, 0.0, 0.45, {-1: 0.0, 1: 0.0})
    return Chest(patient, zeros, air, zeros, lungs, zeros + 2, zeros)


def _lung(side: int, mask: Mask) -> Lung:
    """Borders of an outlined lung on the grid."""
    size = len(mask)
    x, y = coordinates(size)
    outward = x * side
    inside = (ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)) * (2 / size)
    reach = np.where(mask, outward, -np.inf).max(axis=1)
    lateral = _smooth(reach, np.isfinite(reach))[:, None]
    first, last = np.where(mask, y, np.inf).min(axis=0), np.where(mask, y, -np.inf).max(axis=0)
    filled = np.isfinite(last)
    # Between apex and mediastinum a lung's upper border is its inner one, not the chest wall.
    apex = int(np.argmin(first))
    medial = outward[0] < outward[0, apex]
    top = _smooth(np.where(medial, first[apex], first), filled)
    dome = _smooth(last, filled)
    used = np.flatnonzero(filled)
    middle = used[len(used) // 4 : max(3 * len(used) // 4, len(used) // 4 + 1)]
    base = float(np.median(last[middle]))
    return Lung(side, outward, inside.astype(np.float32), lateral, top[None, :], dome[None, :], base)


def _smooth(values: Array, valid: Mask) -> Array:
    """A border (size,) without steps; where there is none, the nearest one goes on."""
    where = np.arange(len(values))
    whole = np.interp(where, where[valid], values[valid])
    return ndimage.gaussian_filter1d(whole, len(values) / 100, mode="nearest").astype(np.float32)
