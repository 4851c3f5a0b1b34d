"""Heat, outlines, boxes and name tags on a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.fonts import drawable
from cxr_common.findings.palette import Colour, class_colour, text_colour
from cxr_common.findings.tags import Rect, distance, place_tags

_SUPERSAMPLE = 2  # Pillow's lines are not antialiased; drawn at twice the size and reduced, they are
_MAX_TINT = 0.38
_TAGS_PER_CLASS = 3


@dataclass(frozen=True)
class _Box:
    """A box at display size, with what its tag says."""

    rect: Rect
    label: str
    score: float | None
    colour: Colour
    framed: bool

    @property
    def text(self) -> str:
        return self.label if self.score is None else f"{self.label} {self.score:.2f}"


def annotate(
    grey: Image.Image,
    findings: Sequence[Mapping[str, Any]],
    heatmap: np.ndarray | None,
    masks: Mapping[str, np.ndarray],
    size: tuple[int, int],
) -> Image.Image:
    """Draw the positive findings on a picture.

    Args:
        grey: the radiograph at display size, mode L.
        findings: the `findings` of an image's record, one a class in channel order. A box whose score is None is named
            without one. A finding with an area was outlined by a segmenter: its mask alone is drawn, and named.
        heatmap: (C, X, Y) probabilities; None draws no heat.
        masks: class -> bool (width, height) in original pixels; a class without one is boxes alone.
        size: (width, height) of the original, the unit of the boxes.

    Returns:
        RGB picture of the same size as `grey`.
    """
    lines = Image.new("RGBA", (grey.width * _SUPERSAMPLE, grey.height * _SUPERSAMPLE))
    heat = _Heat(grey)
    boxes: list[_Box] = []
    scale = (grey.width / size[0], grey.height / size[1])
    order = sorted((f["probability"], i) for i, f in enumerate(findings) if f["decision"])
    for _, index in order:  # the most probable last, on top
        finding, colour = findings[index], class_colour(index)
        measured = "area_px" in finding
        if finding["label"] in masks:
            inside = _sample(masks[finding["label"]], lines.size)
            if heatmap is not None and not measured:
                heat.add(heatmap[index], inside, colour)
            _outline(lines, inside, colour, 2 if measured else 1)
        for region in finding["boxes"]:
            x0, y0, x1, y1 = region["box"]
            rect = (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])
            boxes.append(_Box(rect, finding["label"], region["score"], colour, not measured))
    for box in boxes:
        if box.framed:
            _rectangle(lines, box.rect, box.colour)
    annotated = heat.picture()
    annotated.paste(reduced := lines.resize(grey.size, Image.Resampling.BOX), mask=reduced.getchannel("A"))
    _draw_tags(annotated, _to_name(boxes))
    return annotated


def _to_name(boxes: list[_Box]) -> list[_Box]:
    """The best few boxes of each class, the most probable class first."""
    named: list[_Box] = []
    counts: Counter[str] = Counter()
    for box in boxes:
        counts[box.label] += 1
        if counts[box.label] <= _TAGS_PER_CLASS:
            named.append(box)
    return sorted(named, key=lambda box: -(box.score or 0.0))


class _Heat:
    """Heat of several classes over one picture, which stays visible however many there are."""

    def __init__(self, grey: Image.Image) -> None:
        self._grey = np.asarray(grey, np.float32)
        self._size = grey.size
        self._strongest = np.zeros_like(self._grey)
        self._sum = np.zeros_like(self._grey)
        self._colour = np.zeros((*self._grey.shape, 3), np.float32)

    def add(self, heat: np.ndarray, inside: np.ndarray, colour: Colour) -> None:
        """Add a class: (X, Y) heat, and its mask as a picture of any size."""
        picture = Image.fromarray(np.ascontiguousarray(tensor_to_picture(heat), np.float32))
        alpha = np.asarray(picture.resize(self._size, Image.Resampling.BILINEAR))
        mask = Image.fromarray(inside.astype(np.uint8) * 255).resize(self._size, Image.Resampling.BOX)
        alpha = np.asarray(mask, np.float32) / 255 * alpha / max(float(alpha.max()), 1e-6)
        self._strongest = np.maximum(self._strongest, alpha)
        self._sum += alpha
        self._colour += alpha[..., None] * np.array(colour, np.float32)

    def picture(self) -> Image.Image:
        alpha = _MAX_TINT * self._strongest[..., None]
        colour = self._colour / np.maximum(self._sum, 1e-6)[..., None]
        values = self._grey[..., None] * (1 - alpha) + colour * alpha
        return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))


def _sample(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask (width, height) as a picture [row, column] of `size`, each pixel that of the mask under its centre."""
    x, y = (np.floor((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(size, mask.shape, strict=True))
    return tensor_to_picture(mask[x[:, None], y[None, :]]) != 0


def _outline(lines: Image.Image, inside: np.ndarray, colour: Colour, width: int) -> None:
    inner = ndimage.binary_erosion(inside, iterations=width * _SUPERSAMPLE, border_value=1)
    halo = ndimage.binary_dilation(inside, iterations=_SUPERSAMPLE) & ~inner
    lines.paste((0, 0, 0, 150), mask=Image.fromarray((halo * 255).astype(np.uint8)))
    lines.paste((*colour, 255), mask=Image.fromarray(((inside & ~inner) * 255).astype(np.uint8)))


def _rectangle(lines: Image.Image, box: Rect, colour: Colour) -> None:
    draw = ImageDraw.Draw(lines)
    corners = [value * _SUPERSAMPLE for value in box]
    for grow, width, ink in ((1.5, 5, (0, 0, 0, 170)), (0.5, 2, (*colour, 255))):
        pad = grow * _SUPERSAMPLE
        x0, y0 = max(corners[0] - pad, 0), max(corners[1] - pad, 0)
        x1, y1 = min(corners[2] + pad, lines.width - 1), min(corners[3] + pad, lines.height - 1)
        draw.rectangle((x0, y0, max(x1, x0), max(y1, y0)), outline=ink, width=round(width * _SUPERSAMPLE / 2) + 1)


def _draw_tags(picture: Image.Image, boxes: list[_Box]) -> None:
    draw, pad, height = ImageDraw.Draw(picture), 5, 25
    texts = [drawable(box.text, 17) for box in boxes]
    sizes = [(face.getlength(text) + 2 * pad, height) for text, face in texts]
    tags = place_tags([box.rect for box in boxes], sizes, (0, 0, picture.width, picture.height))
    for box, tag in zip(boxes, tags, strict=True):
        if distance(tag, box.rect) > height / 2:
            nearest = [min(max((tag[i] + tag[i + 2]) / 2, box.rect[i]), box.rect[i + 2]) for i in (0, 1)]
            draw.line((*nearest, (tag[0] + tag[2]) / 2, (tag[1] + tag[3]) / 2), fill=box.colour, width=2)
    for box, tag, (text, face) in zip(boxes, tags, texts, strict=True):
        draw.rounded_rectangle(tag, 4, fill=box.colour, outline=(0, 0, 0))
        draw.text((tag[0] + pad, (tag[1] + tag[3]) / 2), text, text_colour(box.colour), face, anchor="lm")
