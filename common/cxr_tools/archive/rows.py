"""The columns of an archive's results: one row for each image, one field for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from cxr_common import __version__
from cxr_common.data.loader import Failure
from cxr_common.findings.case import Case, RunModel
from cxr_common.findings.record_models import FindingRecord

_BOX = pa.struct([(name, pa.float64()) for name in ("x0", "y0", "x1", "y1", "score")])
#: Columns with a field for each class -> type and content, as docs/reference/findings.md describes a finding.
_OF_CLASSES: Mapping[str, tuple[pa.DataType, Any]] = {
    "probability": (pa.float64(), lambda finding: finding.probability),
    "image_probability": (pa.float64(), lambda finding: finding.image_probability),
    "decision": (pa.bool_(), lambda finding: finding.decision),
    "peak": (pa.struct([("x", pa.float64()), ("y", pa.float64())]), lambda finding: _peak(finding)),
    "boxes": (pa.list_(_BOX), lambda finding: [_box(record) for record in finding.boxes]),
    "area_px": (pa.int64(), lambda finding: finding.area_px),
    "area_mm2": (pa.float64(), lambda finding: finding.area_mm2),
}


def schema(labels: Sequence[str]) -> pa.Schema:
    """The columns, given the class names."""
    text = pa.string()
    return pa.schema(
        [
            pa.field("image", text, nullable=False),
            *((f"{name}_uid", text) for name in ("study", "series", "instance")),
            ("study_date", pa.date32()),
            ("view", text),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("spacing_mm", pa.list_(pa.float64())),
            *((name, pa.struct([(label, kind) for label in labels])) for name, (kind, _) in _OF_CLASSES.items()),
            ("cardiothoracic_ratio", pa.float64()),
            ("warnings", pa.list_(text)),
            ("files", pa.list_(text)),
            *((name, text) for name in ("bundle", "bundle_version", "package_version", "weights_sha256")),
            ("error", text),
            ("action", text),
        ]
    )


def found_row(case: Case, files: Sequence[str], warnings: Sequence[str]) -> dict[str, Any]:
    """The columns of an image with findings.

    Args:
        case: the image.
        files: what was written of it, below the output folder.
        warnings: those of its record.
    """
    classes = {
        name: {finding.label: content(finding) for finding in case.findings}
        for name, (_, content) in _OF_CLASSES.items()
    }
    width, height = case.size
    size = {"view": case.found.view, "width": width, "height": height, "spacing_mm": case.found.spacing_mm}
    ratio = {"cardiothoracic_ratio": case.found.cardiothoracic_ratio}
    return {**size, **classes, **ratio, "warnings": list(warnings), "files": list(files)}


def failed_row(failure: Failure) -> dict[str, Any]:
    """The columns of an image that could not be used."""
    return {"error": failure.reason, "action": failure.action}


def model_columns(model: RunModel) -> dict[str, Any]:
    """The columns that say what made a row."""
    versions = {"bundle": model.name, "bundle_version": model.version, "package_version": __version__}
    return {**versions, "weights_sha256": model.weights_sha256}


def relative_files(names: Sequence[str], folder: Path, output: Path) -> list[str]:
    """Paths below the output folder, with slashes, of files in a folder there."""
    return [(folder / name).relative_to(output).as_posix() for name in names]


def _peak(finding: FindingRecord) -> dict[str, float] | None:
    return None if finding.point is None else {"x": finding.point[0], "y": finding.point[1]}


def _box(record: Any) -> dict[str, float | None]:
    return {**dict(zip(("x0", "y0", "x1", "y1"), record.box, strict=True)), "score": record.score}
