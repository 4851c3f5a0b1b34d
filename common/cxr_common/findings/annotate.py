"""Heat, outlines, boxes and name tags on a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.palette import Colour, class_colour, text_colour
from cxr_common.findings.tags import Rect, distance, place_tags

_SUPERSAMPLE = 2  # Pillow's lines are not antialiased; drawn at twice the size and reduced, they are
_MAX_TINT = 0.38
_TAGS_PER_CLASS = 3


def font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with Pillow, so that overlays look the same everywhere; it has ASCII only."""
    return ImageFont.load_default(size)  # type: ignore[return-value]


def annotate(
    grey: Image.Image,
    findings: Sequence[Mapping[str, Any]],
    heatmap: np.ndarray,
    masks: Mapping[str, np.ndarray],
    size: tuple[int, int],
) -> Image.Image:
    """Draw the positive findings on a picture.

    Args:
        grey: the radiograph at display size, mode L.
        findings: the `findings` of an image's record, one a class in channel order.
        heatmap: (C, X, Y) probabilities.
        masks: class -> bool (width, height) in original pixels.
        size: (width, height) of the original, the unit of the boxes.

    Returns:
        RGB picture of the same size as `grey`.
    """
    picture = np.asarray(grey, np.float32)[..., None].repeat(3, -1)
    large = (grey.width * _SUPERSAMPLE, grey.height * _SUPERSAMPLE)
    lines = Image.new("RGBA", large)
    boxes: list[tuple[Rect, str, Colour]] = []
    scale = (grey.width / size[0], grey.height / size[1])
    order = sorted((f["probability"], i) for i, f in enumerate(findings) if f["decision"])
    for _, index in order:  # the most probable last, on top
        finding, colour = findings[index], class_colour(index)
        mask = masks[finding["label"]]
        picture = _tint(picture, heatmap[index], mask, colour)
        _outline(lines, mask, colour)
        for region in finding["boxes"]:
            x0, y0, x1, y1 = region["box"]
            box = (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])
            boxes.append((box, f"{finding['label']} {region['score']:.2f}", colour))
    for box, _, colour in boxes:
        _rectangle(lines, box, colour)
    annotated = Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))
    annotated.paste(reduced := lines.resize(grey.size, Image.Resampling.BOX), mask=reduced.getchannel("A"))
    _draw_tags(annotated, _to_name(boxes))
    return annotated


def _to_name(boxes: list[tuple[Rect, str, Colour]]) -> list[tuple[Rect, str, Colour]]:
    """The best few boxes of each class, the most probable class first."""
    named: list[tuple[Rect, str, Colour]] = []
    counts: dict[str, int] = {}
    for entry in boxes:
        label = entry[1].rsplit(" ", 1)[0]
        counts[label] = counts.get(label, 0) + 1
        if counts[label] <= _TAGS_PER_CLASS:
            named.append(entry)
    return sorted(named, key=lambda entry: -float(entry[1].rsplit(" ", 1)[1]))


def _resize(values: np.ndarray, size: tuple[int, int], resample: Image.Resampling) -> np.ndarray:
    """(x, y) values to a picture of `size`, [row, column]."""
    picture = np.ascontiguousarray(tensor_to_picture(values), np.float32)
    return np.asarray(Image.fromarray(picture).resize(size, resample))


def _tint(picture: np.ndarray, heat: np.ndarray, mask: np.ndarray, colour: Colour) -> np.ndarray:
    size = (picture.shape[1], picture.shape[0])
    alpha = _resize(heat.astype(np.float32), size, Image.Resampling.BILINEAR)
    inside = _resize(mask.astype(np.float32), size, Image.Resampling.BOX)
    alpha = _MAX_TINT * inside * alpha / max(float(alpha.max()), 1e-6)
    return picture * (1 - alpha[..., None]) + np.array(colour, np.float32) * alpha[..., None]


def _outline(lines: Image.Image, mask: np.ndarray, colour: Colour) -> None:
    inside = _resize(mask.astype(np.float32), lines.size, Image.Resampling.BILINEAR) >= 0.5
    inner = ndimage.binary_erosion(inside, iterations=_SUPERSAMPLE, border_value=1)
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


def _draw_tags(picture: Image.Image, boxes: list[tuple[Rect, str, Colour]]) -> None:
    draw, face, pad = ImageDraw.Draw(picture), font(17), 5
    height = 25
    sizes = [(face.getlength(text) + 2 * pad, height) for _, text, _ in boxes]
    tags = place_tags([box for box, _, _ in boxes], sizes, (0, 0, picture.width, picture.height))
    for (box, _, colour), tag in zip(boxes, tags, strict=True):
        if distance(tag, box) > height / 2:
            nearest = [min(max((tag[i] + tag[i + 2]) / 2, box[i]), box[i + 2]) for i in (0, 1)]
            draw.line((*nearest, (tag[0] + tag[2]) / 2, (tag[1] + tag[3]) / 2), fill=colour, width=2)
    for (_, text, colour), tag in zip(boxes, tags, strict=True):
        draw.rounded_rectangle(tag, 4, fill=colour, outline=(0, 0, 0))
        draw.text((tag[0] + pad, (tag[1] + tag[3]) / 2), text, text_colour(colour), face, anchor="lm")
