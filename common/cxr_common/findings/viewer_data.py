"""What the page's viewer is given of an image: heatmaps, outlines and boxes as layers over the radiograph."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.dicom_results.mask_outlines import outlines
from cxr_common.text import printable

#: Longest side of a thumbnail, and of the grid that outlines are traced on, in pixels.
THUMBNAIL, _TRACED = 72, 512
#: Longest side of a heatmap on the page.
_HEAT = 128


def layer(
    findings: Sequence[Mapping[str, Any]],
    heatmap: np.ndarray | None,
    masks: Mapping[str, np.ndarray],
    colours: Sequence[str],
) -> dict[str, Any]:
    """One layer: what one model found, or what is true.

    Args:
        findings: one per class, as in findings.json.
        heatmap: (C, X, Y) in [0, 1], of the same classes; None where there is none.
        masks: class -> bool (width, height).
        colours: of the classes, as CSS has them.

    Returns:
        JSON: ``classes`` (name, colour, probability, decision, boxes and outlines in shares of width and height), and
        ``heat`` (a PNG of all classes one below the other, its columns and rows for one), None without heatmaps.
    """
    classes = [
        {
            "name": printable(finding["label"]),
            "colour": colour,
            "probability": finding.get("probability"),
            "present": bool(finding["decision"]),
            "boxes": [list(region["box"]) for region in finding.get("boxes", [])],
            "outlines": _outlines(masks.get(finding["label"])),
        }
        for finding, colour in zip(findings, colours, strict=True)
    ]
    return {"classes": classes, "heat": None if heatmap is None else _atlas(heatmap)}


def thumbnail(grey: Image.Image) -> str:
    """A small picture of the radiograph as a data URI."""
    small = grey.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=70)
    return _uri(buffer.getvalue(), "jpeg")


def _outlines(mask: np.ndarray | None) -> list[list[float]]:
    """Polygons x, y, x, y, ... in shares of the mask's width and height."""
    if mask is None or not mask.any():
        return []
    width, height = mask.shape
    step = max(-(-max(width, height) // _TRACED), 1)
    traced = np.ascontiguousarray(tensor_to_picture(mask)[::step, ::step])
    rows, columns = traced.shape
    return [[round(float(v), 4) for v in (polygon / (columns, rows)).ravel()] for polygon in outlines(traced)]


def _atlas(heatmap: np.ndarray) -> dict[str, Any]:
    """All maps as one grey PNG, each stretched by its peak, which `peaks` gives."""
    peaks = np.maximum(heatmap.max((1, 2)), 1e-6).astype(float)
    sheets = []
    for values, peak in zip(heatmap, peaks, strict=True):
        picture = np.ascontiguousarray(tensor_to_picture(values / peak * 255)).round().clip(0, 255).astype(np.uint8)
        sheet = Image.fromarray(picture)
        scale = min(_HEAT / max(sheet.size), 1)
        size = (max(round(sheet.width * scale), 1), max(round(sheet.height * scale), 1))
        sheets.append(np.asarray(sheet.resize(size, Image.Resampling.BILINEAR)))
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(sheets)).save(buffer, "PNG")
    rows, columns = sheets[0].shape
    peaks_text = [round(float(peak), 4) for peak in peaks]
    return {"png": _uri(buffer.getvalue(), "png"), "columns": columns, "rows": rows, "peaks": peaks_text}


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
