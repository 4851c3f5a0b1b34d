"""The overlay PNG: radiograph, findings, legend and scores on one sheet of fixed width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cxr_common.axes import tensor_to_picture
from cxr_common.data.kept_pictures import eight_bits
from cxr_common.findings.annotate import annotate
from cxr_common.findings.area import area_text
from cxr_common.findings.fonts import drawable, font
from cxr_common.findings.palette import class_colour

WIDTH = 1120
_PANEL = 330
_MARGIN = 16
_HEADER = 46
_FOOTER = 50
_MAX_PICTURE = (WIDTH - _PANEL - 3 * _MARGIN, 1000)
_BACKGROUND, _INK, _SOFT, _LINE, _ALERT = (17, 20, 24), (240, 242, 245), (164, 172, 182), (52, 58, 66), (255, 200, 87)
_LEGEND = "Outline: mask. Rectangle: box with its score. Bar: probability; tick: threshold."
_LEGEND_OF_BOXES = "Rectangle: box with its score. Bar: the best box's score; tick: threshold."
_LEGEND_OF_MASKS = "Outline: mask, with its largest probability. Bar: that of the image; tick: threshold."
_DISPLAY = "Standard display assumed: the patient's left is on the right of the picture."
NOTICE = "AI research output - not for clinical use"


def render_overlay(
    picture: Any,
    record: Mapping[str, Any],
    heatmap: Any,
    masks: Mapping[str, np.ndarray],
    model: Mapping[str, Any],
) -> Image.Image:
    """Draw the overlay sheet of one image.

    Args:
        picture: radiograph in [0, 1], or in greys of uint8, (X, Y) or (1, X, Y); any resolution of the whole image.
        record: its record as in findings.json, with `case`, `size` and `findings`.
        heatmap: (C, X, Y) probabilities at network resolution; None draws no heat.
        masks: class -> bool (width, height) in original pixels, positive classes; a class without one is boxes alone.
        model: `name` and `version`.

    Returns:
        RGB sheet, 1120 pixels wide whatever the image's size.
    """
    width, height = record["size"]
    scale = min(_MAX_PICTURE[0] / width, _MAX_PICTURE[1] / height)
    shown = (max(round(width * scale), 1), max(round(height * scale), 1))
    grey = _at_size(_grey(picture), shown)
    heat = None if heatmap is None else np.asarray(heatmap, np.float32)
    annotated = annotate(grey, record["findings"], heat, masks, (width, height))

    body = max(shown[1], _panel_height(record["findings"]))
    sheet = Image.new("RGB", (WIDTH, _HEADER + body + _FOOTER + _MARGIN), _BACKGROUND)
    sheet.paste(annotated, (_MARGIN + (_MAX_PICTURE[0] - shown[0]) // 2, _HEADER + (body - shown[1]) // 2))
    draw = ImageDraw.Draw(sheet)
    case, face = _fit(record["case"], 20, _MAX_PICTURE[0])
    draw.text((_MARGIN, _HEADER / 2), case, _INK, face, anchor="lm")
    draw.text((WIDTH - _MARGIN, _HEADER / 2), NOTICE, _ALERT, font(15), anchor="rm")
    _panel(draw, record["findings"], WIDTH - _PANEL - _MARGIN, _HEADER)
    measured = any("area_px" in finding for finding in record["findings"])
    legend = _LEGEND_OF_BOXES if heatmap is None else _LEGEND
    footer = _footer(_LEGEND_OF_MASKS if measured else legend, f"{model['name']} {model['version']}")
    sheet.paste(footer, (0, sheet.height - footer.height))
    return sheet


def _grey(picture: Any) -> Image.Image:
    values = np.asarray(picture)
    values = values[0] if values.ndim == 3 else values
    return Image.fromarray(np.ascontiguousarray(tensor_to_picture(eight_bits(values))))


def _at_size(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture at another size: enlarging takes the cheaper filter, for it has no detail to keep apart."""
    if picture.width < size[0]:
        return picture.resize(size, Image.Resampling.BICUBIC)
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=1.5)


def _fit(text: str, size: int, width: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """A text, cut to a width, and the font for it."""
    text, face = drawable(text, size)
    while face.getlength(text) > width and len(text) > 4:
        text = text[: len(text) - 4] + "..."
    return text, face


_ROW, _SMALL_ROW, _HEADING = 50, 32, 34


def _split(findings: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[int]]:
    order = sorted(range(len(findings)), key=lambda i: -findings[i]["probability"])
    return [i for i in order if findings[i]["decision"]], [i for i in order if not findings[i]["decision"]]


def _panel_height(findings: Sequence[Mapping[str, Any]]) -> int:
    present, absent = _split(findings)
    return 2 * _HEADING + max(len(present), 1) * _ROW + len(absent) * _SMALL_ROW + 40


def _panel(draw: ImageDraw.ImageDraw, findings: Sequence[Mapping[str, Any]], left: int, top: int) -> None:
    right = left + _PANEL
    present, absent = _split(findings)
    draw.text((left, top + 14), "Findings", _SOFT, font(16), anchor="lm")
    y = top + _HEADING
    if not present:
        draw.text((left, y + 12), "No finding above threshold", _INK, font(20), anchor="lm")
        y += _ROW
    for index in present:
        finding, colour = findings[index], class_colour(index)
        draw.rounded_rectangle((left, y + 3, left + 18, y + 21), 4, fill=colour)
        area = area_text(finding)
        room = _PANEL - 90 - font(14).getlength(area)
        label, face = _fit(finding["label"], 20, room)
        draw.text((left + 28, y + 12), label, _INK, face, anchor="lm")
        draw.text((right - 52, y + 12), area, _SOFT, font(14), anchor="rm")
        draw.text((right, y + 12), f"{finding['probability']:.2f}", _INK, font(20), anchor="rm")
        _bar(draw, finding, (left + 28, y + 29, right, y + 36), colour)
        y += _ROW
    if absent:
        y += 6
        draw.line((left, y, right, y), fill=_LINE)
        draw.text((left, y + 22), "Below threshold", _SOFT, font(16), anchor="lm")
        y += _HEADING + 4
    for index in absent:
        finding = findings[index]
        label, face = _fit(finding["label"], 16, 128)
        draw.text((left, y + 10), label, _SOFT, face, anchor="lm")
        _bar(draw, finding, (left + 140, y + 7, right - 48, y + 13), _SOFT)
        draw.text((right, y + 10), f"{finding['probability']:.2f}", _SOFT, font(16), anchor="rm")
        y += _SMALL_ROW


def _bar(draw: ImageDraw.ImageDraw, finding: Mapping[str, Any], box: tuple[int, int, int, int], colour: Any) -> None:
    """Probability as a bar, the decision threshold as a tick."""
    x0, y0, x1, y1 = box
    draw.rounded_rectangle(box, 3, fill=_LINE)
    end = x0 + (x1 - x0) * finding["probability"]
    if end - x0 >= 2:
        draw.rounded_rectangle((x0, y0, end, y1), 3, fill=colour)
    tick = x0 + (x1 - x0) * finding["threshold"]
    draw.line((tick, y0 - 4, tick, y1 + 4), fill=_BACKGROUND, width=5)
    draw.line((tick, y0 - 4, tick, y1 + 4), fill=_INK, width=2)


@lru_cache(maxsize=8)
def _footer(legend: str, model: str) -> Image.Image:
    """The lines at the foot of a sheet; a run draws them once."""
    strip = Image.new("RGB", (WIDTH, _FOOTER + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for up, line in ((42, legend), (20, _DISPLAY)):
        draw.text((_MARGIN, strip.height - up), line, _SOFT, font(14), anchor="lm")
    name, face = _fit(model, 14, _PANEL + 100)
    draw.text((WIDTH - _MARGIN, strip.height - 20), name, _SOFT, face, anchor="rm")
    return strip
