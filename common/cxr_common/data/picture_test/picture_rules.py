"""What a picture cannot be, by rules that need no learning."""

from __future__ import annotations

import numpy as np
import torch

from cxr_common.data.picture_test.thumbnail import thumbnail

#: Pixels of the shorter side. A nodule has 2 to 4% of the width: below this it has one or two pixels.
LEAST_SIDE = 64
#: Longer over shorter side. Cropped radiographs of children reach 2.6.
MOST_STRETCHED = 3.0
#: Of the grey scale, between the darkest and the brightest hundredth of the pixels.
LEAST_RANGE = 0.01
#: Correlation of neighbours in the thumbnail. Noise has none, at any grain that the thumbnail averages out.
LEAST_CORRELATION = 0.35
_ENOUGH = 512


def rule_doubt(picture: np.ndarray) -> str:
    """Why a picture can be no radiograph; "" where no rule says so.

    Args:
        picture: (rows, columns) in [0, 1].
    """
    short, long = sorted(picture.shape)
    if short < LEAST_SIDE:
        return f"its shorter side has {short} pixels"
    if long > MOST_STRETCHED * short:
        return f"its sides are as {long / short:.1f} to 1"
    steps = tuple(max(1, side // _ENOUGH) for side in picture.shape)
    low, high = np.percentile(picture[:: steps[0], :: steps[1]], (1, 99))
    if high - low < LEAST_RANGE:
        return "it is nearly uniform"
    if neighbour_correlation(thumbnail(picture)) < LEAST_CORRELATION:
        return "it looks like noise"
    return ""


def neighbour_correlation(small: torch.Tensor) -> float:
    """Correlation of horizontal and vertical neighbours of a thumbnail; 1 where it is flat."""
    centred = small - small.mean()
    power = float(centred.square().mean())
    if power == 0:
        return 1.0
    across = (centred[:, 1:] * centred[:, :-1]).mean() + (centred[1:] * centred[:-1]).mean()
    return float(across) / 2 / power
