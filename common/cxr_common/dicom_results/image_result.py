"""What a DICOM object is made from: the findings of one radiograph, in upright original pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: x0, y0, x1, y1, half open, from the top left corner of the upright picture.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """A box of a finding and its score, None where it has none."""

    box: Box
    score: float | None = None


@dataclass(frozen=True)
class Finding:
    """One class of one radiograph.

    Attributes:
        label: name of the class.
        probability: in [0, 1]; None where the model gives none.
        threshold: from which probability on the finding counts as present.
        decision: whether it does.
        point: (x, y) of the heatmap's peak or of the best box's centre.
        regions: its boxes, best first.
        mask: bool (width, height); None where the model makes no masks, or the finding is absent.
        colour: red, green, blue of 255, as the pictures show the class.
    """

    label: str
    probability: float | None
    threshold: float | None
    decision: bool
    point: tuple[float, float] | None = None
    regions: tuple[Region, ...] = ()
    mask: np.ndarray | None = None
    colour: tuple[int, int, int] = (230, 159, 0)


@dataclass(frozen=True)
class Model:
    """What made the findings.

    Attributes:
        name: of the bundle.
        version: its version.
        weights_sha256: hash of its weights; None where there are none.
        settings: all else that decides what comes out, such as thresholds; part of deterministic UIDs.
    """

    name: str
    version: str
    weights_sha256: str | None = None
    settings: str = ""


@dataclass(frozen=True)
class ImageResult:
    """The findings of one radiograph.

    Attributes:
        findings: one per class.
        model: what made them.
        size: (width, height) of the upright picture.
        picture: uint8 (rows, columns, 3), upright, the radiograph with the findings drawn in; None where nobody asked
            for a secondary capture.
    """

    findings: tuple[Finding, ...]
    model: Model
    size: tuple[int, int]
    picture: np.ndarray | None = None
