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
    tints: list[tuple[Image.Image, Colour]] = []
    outlines: list[tuple[Image.Image, Colour, int]] = []
    boxes: list[_Box] = []
    scale = (grey.width / size[0], grey.height / size[1])
    order = sorted((f["probability"], i) for i, f in enumerate(findings) if f["decision"])
    for _, index in order:  # the most probable last, on top
        finding, colour = findings[index], class_colour(index)
        measured = "area_px" in finding
        if finding["label"] in masks:
            inside = _resized(masks[finding["label"]] != 0, grey.size)
            if heatmap is not None and not measured:
                heat = _resized(heatmap[index] / max(float(heatmap[index].max()), 1e-6), grey.size)
                tints.append((ImageChops.multiply(heat, inside), colour))
            outlines.append((inside, colour, 2 if measured else 1))
        for region in finding["boxes"]:
            x0, y0, x1, y1 = region["box"]
            rect = (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])
            boxes.append(_Box(rect, finding["label"], region["score"], colour, not measured))
    annotated = grey.convert("RGB")
    _tint(annotated, tints)
    for inside, colour, width in outlines:
        _outline(annotated, inside, colour, width)
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


def _resized(values: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Values (X, Y) in [0, 1], or bool, as a smooth picture of a size, mode L."""
    picture = tensor_to_picture(values)
    if values.dtype == bool:
        picture = picture.astype(np.uint8, order="C") * np.uint8(255)
    else:
        picture = np.multiply(picture, 255, order="C", dtype=np.float32).astype(np.uint8)
    return Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)


def _tint(picture: Image.Image, tints: Sequence[tuple[Image.Image, Colour]]) -> None:
    """Colour a picture by heat, mixed where classes overlap: it stays visible however many there are."""
    strongest = Image.new("L", picture.size)
    for heat, _ in tints:
        strongest = ImageChops.lighter(strongest, heat)
    if not (box := strongest.getbbox()):
        return
    strongest = strongest.crop(box)
    colours, total = Image.new("RGB", strongest.size), np.zeros((strongest.height, strongest.width), np.float32)
    for heat, colour in tints:
        values = np.asarray(heat.crop(box), np.float32)
        total += values
        share = 255 * values / np.maximum(total, 1)
        colours.paste(colour, mask=Image.fromarray(share.astype(np.uint8)))
    picture.paste(colours, box, strongest.point([round(_MAX_TINT * value) for value in range(256)]))


def _outline(picture: Image.Image, inside: Image.Image, colour: Colour, width: int) -> None:
    """Draw the edge of a mask: blurred, it falls evenly from 255 inside to 0 outside, so its grey is a distance."""
    if found := inside.getbbox():
        far = 2 * width + 2
        box = (max(found[0] - far, 0), max(found[1] - far, 0), found[2] + far, found[3] + far)
        box = (*box[:2], min(box[2], inside.width), min(box[3], inside.height))
        soft = inside.crop(box).filter(ImageFilter.BoxBlur(width + 1))
        picture.paste((0, 0, 0), box, soft.point(_HALO))
        picture.paste(colour, box, soft.point(_LINE))


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
