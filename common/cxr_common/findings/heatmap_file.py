"""The heatmap file that passes between bundles: one .npz per image."""

from __future__ import annotations

import io
import operator
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr_common.data.limits import MAX_PIXELS
from cxr_common.deflate import hasten
from cxr_common.errors import InputError
from cxr_common.text import is_encodable

#: Order of the heatmap array's axes: class channel, column x, row y (see cxr_common.axes).
AXES = "C,x,y"
#: Of all arrays together; a file of fourteen classes at 1024 x 1024 has 29 MB.
MAX_BYTES = 1 << 28
_ROUNDING = 1e-3
_TEXTS = ("bundle", "version", "weights_sha256", "source")


@dataclass(frozen=True)
class Heatmap:
    """Probabilities of every class over one image.

    Args:
        heatmap: (C, X, Y) float16 in [0, 1] at network resolution; covers the whole image, squeezed to (X, Y).
        labels: class names by channel.
        size: (width, height) of the original image in pixels.
        bundle: name of the bundle that made it.
        version: that bundle's version.
        weights_sha256: hash of its weights, "" where unknown.
        source: absolute path of the image, "" where unknown.
    """

    heatmap: np.ndarray
    labels: tuple[str, ...]
    size: tuple[int, int]
    bundle: str = ""
    version: str = ""
    weights_sha256: str = ""
    source: str = ""


def heatmap_name(case: str) -> str:
    """Name of the heatmap file of a case."""
    return f"{case}_heatmap.npz"


def save_heatmap(heatmap: Heatmap, path: str | Path) -> None:
    """Write a .npz that loads without pickle and states its axis order.

    Compressed at the fastest level. ``numpy.savez_compressed`` always takes level 6: three times as long on three
    heatmaps of PYLON, for files that are 12 to 19% smaller.
    """
    arrays: dict[str, np.ndarray] = {name: np.array(getattr(heatmap, name)) for name in ("labels", "size", *_TEXTS)}
    arrays = {"heatmap": heatmap.heatmap.astype(np.float16), "axes": np.array(AXES), **arrays}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as members:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # of 1980: the same content is the same file
            member.compress_type = zipfile.ZIP_DEFLATED
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            member.file_size = content.tell()
            with members.open(member, "w") as file:
                hasten(file)
                file.write(content.getbuffer())


def load_heatmap(path: str | Path) -> Heatmap:
    """Read what :func:`save_heatmap` wrote.

    Raises:
        InputError: no such file, not such a file, too large, another axis order, labels that do not fit the channels
            or values that are no probabilities.
    """
    action = "make it again with a bundle of this collection"
    if Path(path).exists() and not Path(path).is_file():  # a pipe would block for ever
        raise InputError("is not an ordinary file", path, action)
    try:
        # What a member inflates to is what it declares, for zipfile reads no further.
        with zipfile.ZipFile(path) as members:
            size = sum(member.file_size for member in members.infolist())
        if size > MAX_BYTES:
            raise InputError(f"is not a heatmap file: it inflates to {size >> 20} MiB", path, action)
        with np.load(path, allow_pickle=False) as file:
            axes = str(file["axes"])
            width, height = (operator.index(n) for n in file["size"])
            names = file["labels"]
            if names.dtype.kind != "U" or len(set(names.tolist())) < len(names) or not all(names):
                raise InputError("is not a heatmap file (labels that are not names, or a label twice)", path, action)
            heatmap = Heatmap(
                file["heatmap"],
                tuple(str(name) for name in names),
                (width, height),
                **{name: str(file[name]) for name in _TEXTS},
            )
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", path, action) from error
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise whatever damaged bytes lead to
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"is not a heatmap file ({reason})", path, action) from error
    maps = heatmap.heatmap
    if axes != AXES or maps.ndim != 3 or 0 in maps.shape or len(maps) != len(heatmap.labels):
        raise InputError(f"holds {maps.shape} in axes {axes} for {len(heatmap.labels)} labels", path, action)
    if maps.dtype.kind != "f" or not np.isfinite(maps).all():
        raise InputError(f"holds values of {maps.dtype}, not all of them finite numbers", path, action)
    if maps.min() < -_ROUNDING or maps.max() > 1 + _ROUNDING:
        raise InputError(f"holds values from {maps.min():g} to {maps.max():g}, not probabilities", path, action)
    if min(width, height) < 1 or width * height > MAX_PIXELS or not all(map(is_encodable, heatmap.labels)):
        raise InputError(f"is not a heatmap file (an image of {width} x {height} pixels)", path, action)
    return heatmap
