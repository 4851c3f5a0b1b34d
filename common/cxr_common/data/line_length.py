"""Lines of pixels that are longer or shorter than the header says, as where rows and columns are exchanged.

Read in such a way a picture is sheared: each row goes on where the one before ended. Nothing of that shows in sizes,
for rows times columns stay the same. But the stored values tell: a pixel is much like the one that lies below it.
"""

from __future__ import annotations

import warnings

import numpy as np

from cxr_common.data.scan import RadiographWarning

#: Pixels from the middle of the picture that are looked at.
_ENOUGH = 1 << 18
#: Pixels a line apart differ so many times less than pixels that the header puts one below the other, and by at most
#: this share of the variance (docs/reference/findings.md tells how many radiographs are noticed so).
_SMOOTHER, _MOST_ROUGHNESS = 10, 0.1
#: Where pixels below each other differ by less than this share of the variance, the header's length is right, and no
#: other is tried, which would cost as much as a network: half of the radiographs come to .007 or less, of 87 with
#: exchanged sides none comes below .03.
_LEAST_ROUGHNESS = 0.03
_LEAST_LINE = 16


def warn_of_line_length(picture: np.ndarray) -> None:
    """Warn where another length of line than the header's makes a picture of the pixels.

    Args:
        picture: float (rows, columns) as it is stored; colour is not looked at.
    """
    if picture.ndim != 2:
        return
    rows, columns = picture.shape
    if (found := line_length(picture)) is None:
        return
    why = "rows and columns may be exchanged" if found == rows else "the header's size may be wrong"
    reason = f"the lines of the picture look {found} pixels long where the header says {columns}: {why}"
    warnings.warn(reason, RadiographWarning, stacklevel=2)


def line_length(picture: np.ndarray) -> int | None:
    """The length of line, from half to one and a half of the header's, or its number of rows, that the pixels tell.

    Args:
        picture: float (rows, columns).

    Returns:
        Pixels per line; None where the header's length will do.
    """
    rows, columns = picture.shape
    if min(rows, columns) < _LEAST_LINE:
        return None
    start = max(picture.size - _ENOUGH, 0) // 2
    values = picture.reshape(-1)[start : start + _ENOUGH].astype(np.float64)
    power = values.var()

    def roughness(lag: int) -> float:
        return float(np.square(values[lag:] - values[:-lag]).mean() / 2 / power)

    if not power or columns > len(values) // 4 or roughness(columns) < _LEAST_ROUGHNESS:
        return None
    lengths = np.arange(max(columns // 2, _LEAST_LINE), 3 * columns // 2)  # twice a length looks like it
    lengths = np.union1d(lengths, [rows])
    lengths = lengths[lengths <= len(values) // 4]
    spectrum = np.fft.rfft(values - values.mean(), 2 * len(values))
    products = np.fft.irfft(np.abs(spectrum) ** 2)[lengths] / (len(values) - lengths)
    best = int(lengths[products.argmax()])
    theirs = roughness(best)
    return best if theirs <= _MOST_ROUGHNESS and _SMOOTHER * theirs < roughness(columns) else None
