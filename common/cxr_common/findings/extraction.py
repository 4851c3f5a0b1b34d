"""From a logit map to heatmaps, and from a heatmap to a point, a mask and boxes in original pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from cxr_common.axes import argmax_point
from cxr_common.heatmaps import resize_maps


def peak_point(heatmap: torch.Tensor, size: tuple[int, int]) -> tuple[float, float]:
    """Where a heatmap is largest, in original pixels.

    Args:
        heatmap: (X, Y) at network resolution.
        size: (width, height) of the original image.

    Returns:
        x, y of that pixel's centre scaled to the original; on ties the first in row-major order of the picture.

    Example:
        >>> heatmap = torch.zeros(4, 4)
        >>> heatmap[1, 2] = 1
        >>> peak_point(heatmap, size=(400, 200))
        (150.0, 125.0)
    """
    return peak_points(heatmap[None], size)[0]


def peak_points(heatmaps: torch.Tensor, size: tuple[int, int]) -> list[tuple[float, float]]:
    """:func:`peak_point` of each heatmap of (C, X, Y)."""
    (width, height), (across, down) = size, heatmaps.shape[-2:]
    return [((x + 0.5) * width / across, (y + 0.5) * height / down) for x, y in argmax_point(heatmaps).tolist()]


#: Regions whose largest probability is below this part of the map's are dropped: beside the finding they are noise,
#: which a low mask threshold (right for the main region of a peaked map) would let through.
MIN_PEAK = 0.25


@dataclass(frozen=True)
class Region:
    """One connected region: its half-open box x0, y0, x1, y1 in original pixels, and its largest probability."""

    box: tuple[int, int, int, int]
    score: float


def threshold_map(
    heatmap: torch.Tensor, size: tuple[int, int], threshold: float, mode: str
) -> tuple[np.ndarray, np.ndarray]:
    """Resample a heatmap to the original's pixels and threshold it.

    Args:
        heatmap: (X, Y) probabilities at network resolution.
        size: (width, height) of the original image.
        threshold: in the unit `mode` names.
        mode: "relative" to the heatmap's maximum or "absolute".

    Returns:
        bool mask (width, height), and the resampled map float32.
    """
    heat = heatmap.float().cpu()
    resized = resize_maps(heat[None, None], size)[0, 0].numpy()
    return resized > (threshold * float(heat.max()) if mode == "relative" else threshold), resized


def extract_mask(
    heatmap: torch.Tensor,
    size: tuple[int, int],
    threshold: float,
    mode: str,
    min_area: float = 0.0,
    min_peak: float = MIN_PEAK,
) -> tuple[np.ndarray, list[Region]]:
    """Threshold a heatmap in original pixels and box its connected regions.

    Args:
        heatmap: (X, Y) probabilities at network resolution.
        size: (width, height) of the original image.
        threshold: in the unit `mode` names.
        mode: "relative" to the heatmap's maximum or "absolute".
        min_area: regions with fewer *network input* pixels are dropped, except the one that holds the peak.
        min_peak: so are those whose largest probability is below this part of the map's.

    Returns:
        bool mask (width, height), and its 8-connected regions by falling score. In "relative" mode the peak's pixel is
        always in the mask, so a positive finding has a region; in "absolute" mode there may be none.
    """
    heat = heatmap.float().cpu()
    top = float(heat.max())
    peak = tuple(min(int(p), n - 1) for p, n in zip(peak_point(heat, size), size, strict=True))
    mask, resized = threshold_map(heat, size, threshold, mode)
    # Shrinking a map can lose a narrow peak between the sampled pixels.
    if mode == "relative" or top > threshold:
        mask[peak] = True

    min_pixels = min_area * (size[0] * size[1]) / heat.numel()
    regions = []
    for box, member in _components(mask):
        x0, y0, x1, y1 = box
        window = (slice(x0, x1), slice(y0, y1))
        holds_peak = x0 <= peak[0] < x1 and y0 <= peak[1] < y1 and bool(member[peak[0] - x0, peak[1] - y0])
        # The peak's own value, not its resampled one: the best box then scores as the map's maximum does.
        score = top if holds_peak else float(resized[window][member].max())
        if not holds_peak and (member.sum() < min_pixels or score < min_peak * top):
            mask[window] &= ~member
            continue
        regions.append(Region(box, score))
    return mask, sorted(regions, key=lambda region: -region.score)


def _components(mask: np.ndarray) -> Iterator[tuple[tuple[int, int, int, int], np.ndarray]]:
    """Yield the half-open box and the member pixels (inside that box) of each 8-connected component."""
    columns, rows = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(columns):
        return
    # Labelling only where something is set keeps a 3000 x 3000 radiograph quick.
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    inside = mask[left:right, top:bottom]
    labels, count = ndimage.label(inside, structure=np.ones((3, 3)))
    if count == 1:  # as most masks have; then there is nothing to look for
        yield (left, top, right, bottom), inside.copy()
        return
    for index, (xs, ys) in enumerate(ndimage.find_objects(labels), start=1):
        box = (xs.start + left, ys.start + top, xs.stop + left, ys.stop + top)
        yield box, labels[xs, ys] == index
