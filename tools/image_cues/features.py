"""What is known of a radiograph without a look at its lungs: NIH's table, the edge of the picture, the file's size."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray
Entry = dict[str, str]
WIDTH, HEIGHT, SPACING = "OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x"
#: Side of the tiles whose spectrum is taken, and the upper ends of its bands in cycles a pixel.
TILE, BANDS = 32, (1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 1.0)
#: Side of the blocks that JPEG works on.
BLOCK = 8


def read_nih_table(path: Path) -> dict[str, Entry]:
    """NIH's table of all its images: name without extension -> row."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return {row["Image Index"].removesuffix(".png"): row for row in csv.DictReader(file)}


def table_features(rows: Sequence[Entry], settings: Mapping[str, Any]) -> dict[str, Array]:
    """Features that need no picture.

    Args:
        rows: of NIH's table, one per image.
        settings: the experiment's; "detectors" is read.

    Returns:
        Name -> (N, F): "view" (PA or not), "visit" (logarithm of its number), "detector" (one of those listed, and
        whether the original is wider than high).
    """
    spacing = np.array([float(row[SPACING]) for row in rows])
    known = [np.isclose(spacing, width, atol=1e-4) for width in settings["detectors"]]
    wide = np.array([int(row[WIDTH]) > int(row[HEIGHT]) for row in rows])
    return {
        "view": np.array([[row["View Position"] == "PA"] for row in rows], float),
        "visit": np.log1p([[float(row["Follow-up #"])] for row in rows]),
        "detector": np.stack([*known, wide], axis=1).astype(float),
    }


def picture_features(paths: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Array]:
    """Features of the edge of each picture, and a few numbers of all of it.

    Args:
        paths: pictures of 8 bits.
        settings: the experiment's; "margin", "corner" and "quality" are read.

    Returns:
        Name -> (N, F): those of :func:`edge_features`; "size" (logarithm of :func:`jpeg_size`) and "tone" (mean and
        deviation of the grey values), which are of the whole picture.
    """
    found: list[dict[str, Array]] = []
    for path in paths:
        with Image.open(path) as file:
            picture = file.convert("L")
        grey = np.asarray(picture, float)
        features = edge_features(grey, settings["margin"], settings["corner"])
        features["size"] = np.log([jpeg_size(picture, settings["quality"])])
        features["tone"] = np.array([grey.mean(), grey.std()])
        found.append(features)
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def edge_features(grey: Array, margin: int, corner: int) -> dict[str, Array]:
    """Features of the outermost pixels.

    Args:
        grey: (rows, columns) grey values, 0 to 255.
        margin: width of the frame in pixels.
        corner: side of the squares in the corners in pixels.

    Returns:
        Name -> (F,): "grey" (mean and deviation of each side, share of black and of white), "spectrum" (logarithm of
        the power in each band), "blocks" (logarithm of the mean step across borders of JPEG's blocks over other steps,
        of each side), "corners" (mean, maximum and share of bright pixels of each).
    """
    sides = [grey[:margin], grey[-margin:], grey[:, :margin].T, grey[:, -margin:].T]
    frame = np.concatenate([side.ravel() for side in sides])
    squares = [grey[rows, columns] for rows in _ends(corner) for columns in _ends(corner)]
    return {
        "grey": np.array(
            [f(side) for side in sides for f in (np.mean, np.std)] + [(frame < 3).mean(), (frame > 250).mean()]
        ),
        "spectrum": _spectrum(np.concatenate([_tiles(side) for side in sides])),
        "blocks": np.array([_block_steps(side) for side in sides]),
        "corners": np.array([f for s in squares for f in (s.mean(), s.max(), (s > s.mean() + 60).mean())]),
    }


def jpeg_size(picture: Image.Image, quality: int) -> int:
    """Bytes of a picture saved as JPEG: one number of all of it, the same way for files of any format."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.tell()


def _ends(length: int) -> tuple[slice, slice]:
    return slice(None, length), slice(-length, None)


def _tiles(side: Array) -> Array:
    """Square tiles (T, 32, 32) of a side (margin, length)."""
    rows, columns = (n // TILE for n in side.shape)
    cut = side[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return cut.swapaxes(1, 2).reshape(-1, TILE, TILE)


def _spectrum(tiles: Array) -> Array:
    window = np.outer(np.hanning(TILE), np.hanning(TILE))
    centred = tiles - tiles.mean(axis=(1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(centred * window)) ** 2).mean(0)
    frequency = np.fft.fftfreq(TILE)
    band = np.digitize(np.hypot(frequency[:, None], frequency), BANDS)
    return np.array([np.log(power[band == b].mean() + 1) for b in range(len(BANDS))])


def _block_steps(side: Array) -> float:
    steps = np.abs(np.diff(side, axis=1)).mean(0)
    border = np.arange(len(steps)) % BLOCK == BLOCK - 1
    return float(np.log((steps[border].mean() + 0.01) / (steps[~border].mean() + 0.01)))
