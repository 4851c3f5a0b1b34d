"""Heat, outlines, boxes and name tags on a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.fonts import drawable
from cxr_common.findings.palette import Colour, class_colour, text_colour
from cxr_common.findings.tags import Rect, distance, place_tags

_MAX_TINT = 0.38
_TAGS_PER_CLASS = 3
#: How much ink an outline has where a blurred mask is so bright: the line on its edge (128), a dark halo around it.
_LINE = [round(min(max(0.85 - abs(v - 128) / 106, 0) * 2.2, 1) * 255) for v in range(256)]
_HALO = [round(min(max(127 - abs(v - 128), 0) / 64, 1) * 150) for v in range(256)]


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


_Place = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Part:
    """The place of a picture that a mask changes: what lies around it need not be looked at.

    Attributes:
        place: x0, y0, x1, y1 at display size.
        inside: the mask there, mode L.
        heat: the heat inside the mask, mode L; None for none.
        colour: of the class.
        line: half the width of the outline.
    """

    place: _Place
    inside: Image.Image
    heat: Image.Image | None
    colour: Colour
    line: int


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
        findings: the `findings` of an image's record, one per class in channel order. A box whose score is None is
            named without one. A finding with an area was outlined by a segmenter: its mask alone is drawn, and named.
        heatmap: (C, X, Y) probabilities; None draws no heat.
        masks: class -> bool (width, height) in original pixels; a class without one is boxes alone.
        size: (width, height) of the original, the unit of the boxes.

    Returns:
        RGB picture of the same size as `grey`.
    """
    parts: list[_Part] = []
    boxes: list[_Box] = []
    scale = (grey.width / size[0], grey.height / size[1])
    order = sorted((f["probability"], i) for i, f in enumerate(findings) if f["decision"])
    for _, index in order:  # the most probable last, on top
        finding, colour = findings[index], class_colour(index)
        measured = "area_px" in finding
        if finding["label"] in masks:
            heat = None if heatmap is None or measured else heatmap[index]
            parts += _part(masks[finding["label"]] != 0, heat, colour, 2 if measured else 1, grey.size)
        for region in finding["boxes"]:
            x0, y0, x1, y1 = region["box"]
            rect = (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])
            boxes.append(_Box(rect, finding["label"], region["score"], colour, not measured))
    annotated = grey.convert("RGB")
    _tint(annotated, [(part, part.heat) for part in parts if part.heat])
    for part in parts:
        _outline(annotated, part)
    for box in boxes:
        if box.framed:
            _rectangle(annotated, box.rect, box.colour)
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


def _part(
    mask: np.ndarray, heatmap: np.ndarray | None, colour: Colour, line: int, size: tuple[int, int]
) -> list[_Part]:
    """What to draw of a mask (width, height) and its heatmap (X, Y) at a display size; nothing of an empty mask."""
    columns, rows = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(columns):
        return []
    box = []
    for ends, original, shown in ((columns, mask.shape[0], size[0]), (rows, mask.shape[1], size[1])):
        scale = shown / original
        far = 2 * line + 3 + scale  # the line with its halo, and how far a smoothed edge reaches
        box += [max(int(ends[0] * scale - far), 0), min(int((ends[-1] + 1) * scale + far) + 1, shown)]
    place = (box[0], box[2], box[1], box[3])
    inside, heat = _resized(mask, size, place), None
    if heatmap is not None:
        heat = ImageChops.multiply(_resized(heatmap / max(float(heatmap.max()), 1e-6), size, place), inside)
    return [_Part(place, inside, heat, colour, line)]


def _resized(values: np.ndarray, size: tuple[int, int], place: _Place) -> Image.Image:
    """A place of the picture that values (X, Y) in [0, 1], or bool, make at a size, smooth, mode L."""
    scale = [n / shown for n, shown in zip(values.shape, size, strict=True)]
    box = [min(place[n] * scale[n % 2], values.shape[n % 2]) for n in range(4)]
    # Only what shows there, and what smoothing takes from beside it.
    low = [max(int(box[n] - 2 * scale[n]) - 2, 0) for n in (0, 1)]
    high = [int(box[2 + n] + 2 * scale[n]) + 3 for n in (0, 1)]
    picture = tensor_to_picture(values[low[0] : high[0], low[1] : high[1]])
    if values.dtype == bool:
        picture = picture.astype(np.uint8, order="C") * np.uint8(255)
    else:
        picture = np.multiply(picture, 255, order="C", dtype=np.float32).astype(np.uint8)
    shown = (place[2] - place[0], place[3] - place[1])
    from_ = (box[0] - low[0], box[1] - low[1], box[2] - low[0], box[3] - low[1])
    return Image.fromarray(picture).resize(shown, Image.Resampling.BILINEAR, box=from_)


def _tint(picture: Image.Image, parts: Sequence[tuple[_Part, Image.Image]]) -> None:
    """Colour a picture by heat, mixed where classes overlap: it stays visible however many there are."""
    if not parts:
        return
    ends = [[part.place[n] for part, _ in parts] for n in range(4)]
    x0, y0, x1, y1 = min(ends[0]), min(ends[1]), max(ends[2]), max(ends[3])
    strongest, heats = Image.new("L", (x1 - x0, y1 - y0)), []
    for part, found in parts:
        heat = Image.new("L", strongest.size)
        heat.paste(found, (part.place[0] - x0, part.place[1] - y0))
        heats.append(heat)
        strongest = ImageChops.lighter(strongest, heat)
    colours, total = Image.new("RGB", strongest.size), np.zeros((strongest.height, strongest.width), np.float32)
    for heat, (part, _) in zip(heats, parts, strict=True):
        values = np.asarray(heat, np.float32)
        total += values
        share = 255 * values / np.maximum(total, 1)
        colours.paste(part.colour, mask=Image.fromarray(share.astype(np.uint8)))
    picture.paste(colours, (x0, y0), strongest.point([round(_MAX_TINT * value) for value in range(256)]))


def _outline(picture: Image.Image, part: _Part) -> None:
    """Draw the edge of a mask: blurred, it falls evenly from 255 inside to 0 outside, so its grey is a distance."""
    soft = part.inside.filter(ImageFilter.BoxBlur(part.line + 1))
    picture.paste((0, 0, 0), part.place, soft.point(_HALO))
    picture.paste(part.colour, part.place, soft.point(_LINE))


def _rectangle(picture: Image.Image, box: Rect, colour: Colour) -> None:
    draw = ImageDraw.Draw(picture, "RGBA")
    for grow, width, ink in ((1, 4, (0, 0, 0, 170)), (0, 2, colour)):
        x0, y0 = (max(round(value) - grow, 0) for value in box[:2])
        x1, y1 = (min(round(v) - 1 + grow, n - 1) for v, n in zip(box[2:], picture.size, strict=True))
        draw.rectangle((x0, y0, max(x1, x0), max(y1, y0)), outline=ink, width=width)


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
