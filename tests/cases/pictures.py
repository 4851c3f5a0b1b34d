"""Rows A and B: the picture that a file means, whatever its header says."""

from __future__ import annotations

import numpy as np

from cxr_common.data import read_picture
from tests.cases.table import Run, case


@case("A1", "a table's entries decide, not the bits of its descriptor; warned of")
def narrow_table(run: Run) -> None:
    run.shows("A1", warned=True)


@case("A2", "a range that is used by 1/16 gives way, signed and beside padding too; warned of")
def narrow_range(run: Run) -> None:
    for path in run.files("A2"):
        rows = 0
        if "padding" in path.name:
            rows = int(np.argmax(read_picture(path).T.any(1)))
            assert rows >= 20, f"{path.name}: padding is no black"
        run.shows(path.name, warned=True, polished=lambda grey, rows=rows: _blackened(grey, rows) if rows else grey)


def _blackened(grey: np.ndarray, rows: int) -> np.ndarray:
    return np.where(np.arange(len(grey))[:, None] < rows, 0, grey)


@case("A3", "the codestream's precision decides")
def precision(run: Run) -> None:
    run.shows("A3")


@case("A4", "bits of overlays are no image, in compressed frames too")
def overlay(run: Run) -> None:
    run.shows("A4")


@case("A5", "a window of another image is ignored, framed or not; warned of")
def foreign_window(run: Run) -> None:
    for name, image in run.images("A5").items():
        assert any("window" in text and "ignored" in text for text in image["warnings"]), f"{name}: {image['warnings']}"
        assert image["findings"]
    for path in run.files("A5"):
        inner = read_picture(path).T[4:-4, 4:-4]
        white = float((inner >= 1).mean())
        assert white < 0.1, f"{path.name}: {white:.0%} is white"
        correlation = float(np.corrcoef(inner.ravel(), run.grey[4:-4, 4:-4].ravel())[0, 1])
        assert correlation > 0.99, f"{path.name}: correlation {correlation:.2f}"


@case("B1", "the photometric interpretation decides, not a PresentationLUTShape that contradicts; warned of")
def polarity(run: Run) -> None:
    run.shows("B1", warned=True)


@case("B2", "signed TIFF: the smallest number is black")
def signed(run: Run) -> None:
    run.shows("B2")


@case("B3", "a palette reads alike in either byte order")
def palette(run: Run) -> None:
    run.shows("B3")
    one, other = (read_picture(path) for path in run.files("B3"))
    assert np.array_equal(one, other)


@case("E1", "float of any width and big-endian BigTIFF are read, or named")
def deep_tiff(run: Run) -> None:
    low, high = np.percentile(run.grey, (0.5, 99.5))
    run.shows("E1_big")
    run.shows("E1_float", polished=lambda grey: np.clip((grey - low) / (high - low), 0, 1))
