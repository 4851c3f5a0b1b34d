"""Pixels that are read in the wrong byte order or with the wrong sign: the picture tells, whatever a header says.

Read wrongly, a picture wraps round: neighbours that differ by a step lie half of the range apart, or are noise.
"""

from __future__ import annotations

import warnings

import numpy as np

from cxr_common.data.grey_levels import FEW_LEVELS
from cxr_common.data.grey_range import ABSURD_SHARE
from cxr_common.data.scan import RadiographWarning

#: Share of the variance that the steps between neighbours of a picture have at most, and how many times that is less
#: than in the wrong byte order.
_MOST_ROUGHNESS, _SMOOTHER = 0.1, 10
#: Read with the right sign, a picture goes on across its wraps with at most so many times its usual steps.
_USUAL_STEPS = 4
_STEEP = 90  # percentile of the steps
#: With the right sign a picture leaps so many times less.
_FEWER = 4
#: Of a picture that wraps round this part at least lies on either side; text is less.
_LEAST_PART = 0.05
#: Rows of so many pixels tell as much.
_ENOUGH = 300_000


def in_byte_order(pixels: np.ndarray) -> np.ndarray:
    """The pixels with their bytes exchanged, with a warning, where only that makes a picture of them.

    Args:
        pixels: (rows, columns) of integers or float; colour and values of one byte are returned as they are.
    """
    if pixels.dtype.kind not in "uif" or pixels.dtype.itemsize == 1 or pixels.ndim != 2:
        return pixels
    sample = pixels[:: 1 + pixels.size // _ENOUGH]
    read, exchanged = (_roughness(picture) for picture in (sample, sample.byteswap()))
    if exchanged > _MOST_ROUGHNESS or _SMOOTHER * exchanged >= read:
        return pixels
    warnings.warn("the bytes of the pixels are in the other order and were exchanged", RadiographWarning, stacklevel=3)
    return pixels.byteswap()


def _roughness(picture: np.ndarray) -> float:
    """Half of the power of the steps to the right, as a share of the variance: 1 for noise, 0 where all are alike."""
    with np.errstate(invalid="ignore"):  # bytes of float in the wrong order make numbers of every kind
        values = np.nan_to_num(picture.astype(np.float64), posinf=0, neginf=0)
    values /= max(float(np.abs(values).max()), np.finfo(np.float64).tiny)  # squares must not overflow
    power = values.var()
    return float(np.square(np.diff(values, axis=1)).mean() / 2 / power) if power and values.shape[1] > 1 else 0.0


def with_sign(values: np.ndarray, bits: int, signed: bool) -> tuple[np.ndarray, bool]:
    """Integers as they must be meant: signed or not, with a warning where it is not what was declared.

    Args:
        values: (rows, columns) as declared.
        bits: how many bits a value has.
        signed: whether negative values were declared.

    Returns:
        The values, and whether they have a sign.
    """
    step = 1 + values.size // _ENOUGH
    if not _wraps(values[::step], _other_sign(values[::step], bits, signed), bits):
        return values, signed
    declared, meant = ("signed", "unsigned") if signed else ("unsigned", "signed")
    reason = f"the pixels are declared as {declared} and wrap round: taken as {meant}"
    warnings.warn(reason, RadiographWarning, stacklevel=3)
    return _other_sign(values, bits, signed), not signed


def _other_sign(values: np.ndarray, bits: int, signed: bool) -> np.ndarray:
    unsigned = values.astype(np.int64) & ((1 << bits) - 1)
    top = 1 << (bits - 1)
    return unsigned if signed else (unsigned ^ top) - top


def _wraps(values: np.ndarray, other: np.ndarray, bits: int) -> bool:
    """Whether a picture leaps by over half of its range where with the other sign it goes on as usual."""
    values = values.astype(np.int64)
    inner = values[~_at_ends(values)]  # masks have little else
    upper = np.count_nonzero(inner - int(values.min()) > 1 << (bits - 1)) / values.size
    if min(upper, len(inner) / values.size - upper) < _LEAST_PART:
        return False
    leaps, others = _leaps(values, bits), int(np.count_nonzero(_leaps(other, bits)))
    if int(np.count_nonzero(leaps)) < max(len(values) // 8, _FEWER * (1 + others)):
        return False
    steps = np.abs(np.diff(other, axis=1))
    across, usual = float(np.median(steps[leaps])), float(np.percentile(steps[~leaps], _STEEP))
    if across > _USUAL_STEPS * (usual + 1) or across > (1 << bits) * ABSURD_SHARE:
        return False
    diverse = all(len(np.unique(side[leaps])) > FEW_LEVELS for side in (values[:, :-1], values[:, 1:]))
    return diverse and _roughness(other) <= _MOST_ROUGHNESS  # of a white label on black little but noise would be left


def _leaps(values: np.ndarray, bits: int) -> np.ndarray:
    """Where neighbours lie half of the range apart; not at the very ends, for white text on black ground leaps too."""
    ends = _at_ends(values)
    return (np.abs(np.diff(values, axis=1)) > 1 << (bits - 1)) & ~(ends[:, 1:] | ends[:, :-1])


def _at_ends(values: np.ndarray) -> np.ndarray:
    return (values == values.min()) | (values == values.max())
