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
from markupsafe import Markup
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
from cxr_common.findings.viewer_data import layer, thumbnail
from cxr_common.text import printable

#: Longest side of a picture on the page, in pixels.
_SIDE = 520
#: The same of the radiograph alone, which the viewer enlarges.
_VIEWER_SIDE = 800


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
    second: str | Path | None = None,
) -> None:
    """Render the results of a run as a page that needs no other file, with a viewer to work with.

    Args:
        results: folder that `FindingsWriter` wrote; the images are read from where its record says.
        page: the HTML file to write.
        title: heading of the page.
        notes: sentences below the heading.
        truth: `path` of an image in findings.json -> its truth.
        second: folder of another bundle's results on the same images, to be shown beside these.

    Raises:
        InputError: findings.json or one of the files it names cannot be read.
    """
    folder = Path(results)
    record = read_findings(folder)
    others = _Second(second)
    cards = [_card(image, record, folder, (truth or {}).get(image["path"]), others) for image in record["images"]]
    environment = Environment(
        loader=PackageLoader("cxr_common.findings", "templates"),
        autoescape=select_autoescape(("html", "j2")),
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(
        title=title,
        notes=notes,
        record=record,
        cards=cards,
        script=_template_file("viewer.js"),
        style=_template_file("viewer.css"),
    )
    write_text(html, page)


def _template_file(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((Path(__file__).parent / "templates" / name).read_text(encoding="utf-8"))


class _Second:
    """Another run's results, image by image.

    Args:
        results: its folder; None is no run.
    """

    def __init__(self, results: str | Path | None) -> None:
        self.folder = None if results is None else Path(results)
        self.record = {"images": []} if self.folder is None else read_findings(self.folder)
        self.images = {image["path"]: image for image in self.record["images"]}

    def layer(self, path: str) -> dict[str, Any] | None:
        """What it found on an image; None where it has not seen it."""
        image = self.images.get(path)
        return None if image is None or self.folder is None else _layer(image, self.folder)

    @property
    def title(self) -> str:
        """The name of its bundle."""
        return str(self.record["model"]["name"]) if self.folder else ""


def _layer(image: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    masks, heatmap = _masks_and_heatmap(image, folder)
    return layer(image["findings"], heatmap, masks, _colours(len(image["findings"])))


def _colours(number: int) -> list[str]:
    return ["#{:02x}{:02x}{:02x}".format(*class_colour(index)) for index in range(number)]


def _masks_and_heatmap(image: Mapping[str, Any], folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    masks = {label: _read_mask(folder / name) for label, name in image["files"].get("masks", {}).items()}
    file = image["files"].get("heatmap")  # a detector has none
    return masks, None if file is None else load_heatmap(folder / file).heatmap.astype(np.float32)


def _card(
    image: Mapping[str, Any], record: Mapping[str, Any], folder: Path, truth: Truth | None, second: _Second
) -> dict[str, Any]:
    size = tuple(image["size"])
    picture = tensor_to_picture(read_picture(Path(record.get("input_dir") or "") / image["path"]))
    grey = Image.fromarray((picture * 255).round().astype(np.uint8))
    whole, shown = (
        (max(round(size[0] * side / max(size)), 1), max(round(size[1] * side / max(size)), 1))
        for side in (_VIEWER_SIDE, _SIDE)
    )
    large, grey = (grey.resize(wanted, Image.Resampling.LANCZOS) for wanted in (whole, shown))

    labels = record["model"]["labels"]
    found = [f["label"] for f in image["findings"] if f["decision"]]
    masks, heatmap = _masks_and_heatmap(image, folder)
    overlay = annotate(grey, image["findings"], heatmap, masks, size)
    pictures = [
        ("Original", f"Radiograph {image['case']}.", large),
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
        "thumbnail": thumbnail(grey),
        "layers": _layers(image, record, (heatmap, masks), truth, second),
        "doubts": [text for text in image.get("warnings", []) if text.startswith(DOUBT)],
        "notes": [text for text in image.get("warnings", []) if not text.startswith(DOUBT)],
    }


def _layers(
    image: Mapping[str, Any],
    record: Mapping[str, Any],
    own: tuple[np.ndarray | None, Mapping[str, np.ndarray]],
    truth: Truth | None,
    second: _Second,
) -> dict[str, Any]:
    """What the viewer shows of an image, and what it can show beside it: (key, words) with the best choice first."""
    colours = _colours(len(image["findings"]))
    layers = {"found": layer(image["findings"], own[0], own[1], colours)}
    beside = [("", "The radiograph alone")]
    if (other := second.layer(image["path"])) is not None:
        layers["second"] = other
        beside.insert(0, ("second", printable(second.title)))
    if truth is not None:
        labels = record["model"]["labels"]
        layers["truth"] = layer(_as_findings(truth, labels), None, truth.masks, colours)
        beside.insert(0, ("truth", "Truth"))
    title = printable(f"{record['model']['name']} {record['model']['version']}")
    return {"layers": layers, "beside": beside, "size": list(image["size"]), "title": title}


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
