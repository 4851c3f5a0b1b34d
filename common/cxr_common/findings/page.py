"""One self-contained HTML page of a run: originals, truth where it is known, overlays and findings."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data.masks import read_mask
from cxr_common.data.picture_test import DOUBT
from cxr_common.data.reader import read_picture
from cxr_common.errors import InputError
from cxr_common.files import write_text
from cxr_common.findings.annotate import annotate
from cxr_common.findings.area import area_text
from cxr_common.findings.heatmap_file import load_heatmap
from cxr_common.findings.palette import class_colour
from cxr_common.findings.run_record import read_findings
from cxr_common.text import printable

#: Longest side of a picture on the page, in pixels.
_SIDE = 520


@dataclass(frozen=True)
class Truth:
    """What an image really shows.

    Args:
        masks: class -> bool (width, height), the classes that are present.
        boxes: (class, x0, y0, x1, y1), half-open pixels.
    """

    masks: Mapping[str, np.ndarray]
    boxes: Sequence[tuple[str, int, int, int, int]]


def write_report(
    results: str | Path,
    page: str | Path,
    title: str,
    notes: Sequence[str] = (),
    truth: Mapping[str, Truth] | None = None,
) -> None:
    """Render the results of a run as a page that needs no other file.

    Args:
        results: folder that `FindingsWriter` wrote; the images are read from where its record says.
        page: the HTML file to write.
        title: heading of the page.
        notes: sentences below the heading.
        truth: `path` of an image in findings.json -> its truth.

    Raises:
        InputError: findings.json or one of the files it names cannot be read.
    """
    folder = Path(results)
    record = read_findings(folder)
    cards = [_card(image, record, folder, (truth or {}).get(image["path"])) for image in record["images"]]
    environment = Environment(
        loader=PackageLoader("cxr_common.findings", "templates"),
        autoescape=select_autoescape(("html", "j2")),
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(title=title, notes=notes, record=record, cards=cards)
    write_text(html, page)


def _card(image: Mapping[str, Any], record: Mapping[str, Any], folder: Path, truth: Truth | None) -> dict[str, Any]:
    size = tuple(image["size"])
    picture = tensor_to_picture(read_picture(Path(record.get("input_dir") or "") / image["path"]))
    grey = Image.fromarray((picture * 255).round().astype(np.uint8))
    scale = _SIDE / max(size)
    shown = (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))
    grey = grey.resize(shown, Image.Resampling.LANCZOS)

    labels = record["model"]["labels"]
    found = [f["label"] for f in image["findings"] if f["decision"]]
    masks = {label: _read_mask(folder / name) for label, name in image["files"].get("masks", {}).items()}
    file = image["files"].get("heatmap")  # a detector has none
    heatmap = None if file is None else load_heatmap(folder / file).heatmap.astype(np.float32)
    overlay = annotate(grey, image["findings"], heatmap, masks, size)
    pictures = [
        ("Original", f"Radiograph {image['case']}.", grey),
        ("Found", f"The radiograph with what the model found: {_list(found)}.", overlay),
    ]
    if truth is not None:
        drawn = annotate(grey, _as_findings(truth, labels), None, truth.masks, size)
        pictures.insert(1, ("Truth", f"The radiograph with what it truly shows: {_list(truth.masks)}.", drawn))
    return {
        "image": image,
        "size": shown,
        "pictures": [(name, text, _data_uri(drawn)) for name, text, drawn in pictures],
        "rows": _rows(image["findings"], truth),
        "verdict": None if truth is None else _verdict(found, truth),
        "found": found,
        "doubts": [text for text in image.get("warnings", []) if text.startswith(DOUBT)],
        "notes": [text for text in image.get("warnings", []) if not text.startswith(DOUBT)],
    }


def _rows(findings: Sequence[Mapping[str, Any]], truth: Truth | None) -> list[dict[str, Any]]:
    """The findings by decision, then by probability, with colour and truth."""
    order = sorted(range(len(findings)), key=lambda i: (not findings[i]["decision"], -findings[i]["probability"]))
    rows = []
    for index in order:
        colour = "#{:02x}{:02x}{:02x}".format(*class_colour(index))
        present = None if truth is None else findings[index]["label"] in truth.masks
        rows.append({**findings[index], "colour": colour, "truth": present, "area": area_text(findings[index])})
    return rows


def _verdict(found: Sequence[str], truth: Truth) -> list[tuple[str, str]]:
    """What was found, missed and falsely found: (kind, class names)."""
    groups = (
        ("found", [label for label in found if label in truth.masks]),
        ("missed", [label for label in truth.masks if label not in found]),
        ("false alarm", [label for label in found if label not in truth.masks]),
    )
    if not truth.masks and not found:
        return [("found", "nothing, and nothing is there")]
    return [(kind, ", ".join(labels)) for kind, labels in groups if labels]


def _as_findings(truth: Truth, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Truth in the form of an image's findings, so that it is drawn alike."""
    return [
        {
            "label": label,
            "probability": 1.0,
            "decision": label in truth.masks,
            "boxes": [{"box": list(box[1:]), "score": None} for box in truth.boxes if box[0] == label],
        }
        for label in labels
    ]


def _list(labels: Any) -> str:
    return ", ".join(labels) or "nothing"


def _read_mask(path: Path) -> np.ndarray:
    try:
        return read_mask(path)
    except Exception as error:
        raise InputError(f"cannot be read ({error})", path, "run the bundle's inference again") from error


def _data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
