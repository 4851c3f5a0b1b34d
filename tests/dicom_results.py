"""Radiographs and results for the tests of DICOM results, and the foreign programs that judge them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid

from cxr_common.axes import picture_to_tensor
from cxr_common.data.orientation import to_upright
from cxr_common.dicom_results import Finding, ImageResult, Model, Region
from tests.image_files import write_dicom

CR, DX, SC = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.7"
MODEL = Model("cxr_test_localization", "1.2.3", "ab" * 32, "thresholds")
#: Every element of the patient and study modules that is type 1 or 2, so that a checker has nothing to say of them.
IDENTITY = {
    "PatientName": "Planted^Name",
    "PatientID": "PLANTED-ID",
    "PatientBirthDate": "19610203",
    "PatientSex": "F",
    "PatientAge": "059Y",
    "StudyDate": "20200102",
    "StudyTime": "101112",
    "StudyID": "PLANTED-STUDY",
    "AccessionNumber": "PLANTED-ACC",
    "ReferringPhysicianName": "Planted^Physician",
    "InstanceNumber": 7,
    "PatientOrientation": ["L", "F"],
}


def write_source(path: Path, rows: int = 41, columns: int = 61, bits: int = 12, **elements: object) -> Path:
    """A radiograph whose brightest square is at the top right: columns 45 to 54, rows 2 to 9 of 61 x 41 upright pixels.

    Args:
        path: the file.
        rows: of the upright picture.
        columns: of the upright picture.
        bits: BitsStored.
        elements: over :data:`IDENTITY`, as of :func:`tests.image_files.write_dicom`.
    """
    inverted = elements.get("PhotometricInterpretation") == "MONOCHROME1"
    top = (1 << bits) - 1
    values = np.full((rows, columns), top // 4, "uint16" if bits > 8 else "uint8")
    values[square(rows, columns)] = top
    values[rows - 5 :, : columns // 3] = top // 8
    if inverted:
        values = top - values
    if elements.get("PatientOrientation") == ["R", "F"]:
        values = values[:, ::-1]
    elif elements.get("PatientOrientation") == ["F", "L"]:
        values = values.T
    given = {"BitsStored": bits, "StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    return write_dicom(path, np.ascontiguousarray(values), **{**given, **IDENTITY, **elements})


def square(rows: int, columns: int) -> tuple[slice, slice]:
    """Where the square is, in rows and columns of the upright picture."""
    return slice(2, 10), slice(columns - 16, columns - 6)


def box(columns: int = 61) -> tuple[int, int, int, int]:
    """The same as a box."""
    return (columns - 16, 2, columns - 6, 10)


def result(rows: int = 41, columns: int = 61, labels: tuple[str, ...] = ("Mass", "Nodule", "Bulla")) -> ImageResult:
    """A result whose first class is the square, whose second is absent, and whose third is a strip at the left edge."""
    mask, strip = np.zeros((2, rows, columns), bool)
    mask[square(rows, columns)] = True
    strip[10:30, :5] = True
    x0, y0, x1, y1 = box(columns)
    findings = (
        Finding(
            labels[0],
            0.9,
            0.41,
            True,
            ((x0 + x1) / 2, (y0 + y1) / 2),
            (Region((x0, y0, x1, y1), 0.9),),
            picture_to_tensor(mask),
        ),
        Finding(labels[1], 0.12, 0.4, False, (3.5, 4.5)),
        Finding(
            labels[2],
            0.7,
            0.5,
            True,
            (2.5, 20.0),
            (Region((0, 10, 5, 30), None),),
            picture_to_tensor(strip),
            (86, 180, 233),
        ),
    )
    picture = np.full((4 * rows, 4 * columns, 3), 40, np.uint8)
    across, down = square(rows, columns)[1], square(rows, columns)[0]
    picture[4 * down.start : 4 * down.stop, 4 * across.start : 4 * across.stop] = (230, 159, 0)
    return ImageResult(findings, MODEL, (columns, rows), picture)


def without_masks(whole: ImageResult) -> ImageResult:
    """What a detector gives."""
    return replace(whole, findings=tuple(replace(finding, mask=None) for finding in whole.findings))


def stored_upright(pixels: np.ndarray, stored_axes: str) -> np.ndarray:
    """A stored picture (rows, columns) as an upright tensor (X, Y)."""
    return to_upright(picture_to_tensor(pixels), stored_axes)


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where a foreign program is missing."""
    package = "dicom3tools" if program == "dciodvfy" else "dcmtk"
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is missing: apt-get install {package}")


def dciodvfy_errors(path: Path) -> list[str]:
    """What dciodvfy has against a file: its errors, not its warnings."""
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, errors="replace")
    lines = done.stderr.splitlines() + done.stdout.splitlines()
    assert lines, f"dciodvfy said nothing of {path}"
    return [line for line in lines if line.startswith("Error")]
