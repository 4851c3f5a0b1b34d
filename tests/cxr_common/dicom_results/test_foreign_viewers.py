"""What OFFIS' DCMTK makes of the results: programs that no one here wrote."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
from PIL import Image

from cxr_common.dicom_results import KINDS, make_object, read_source
from cxr_common.dicom_results.equipment import LIMITS
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, box, needs, result, write_source


@pytest.fixture
def made(tmp_path):
    def make(**elements):
        path = write_source(tmp_path / "source.dcm", **elements)
        files = {"source": path}
        for kind in KINDS:
            files[kind] = tmp_path / f"{kind}.dcm"
            made = make_object(kind, result(), read_source(path), ResultUids(MODEL))
            made.save_as(files[kind], enforce_file_format=True)
        return files

    return make


def ran(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def shown_box(path, threshold=128):
    rows, columns = np.nonzero(np.asarray(Image.open(path).convert("L")) >= threshold)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@needs("dsr2html")
def test_report_as_a_page(made, tmp_path):
    files = made(PixelSpacing=[0.1, 0.2])
    ran("dsr2html", files["dicom_sr"], tmp_path / "report.html")
    page = re.sub(r"(<[^>]+>|\s)+", " ", (tmp_path / "report.html").read_text(encoding="utf-8"))
    for words in ("UNVERIFIED", "Probability: 0.9", "Decision threshold: 0.41", "Area: 1.6 mm2", LIMITS):
        assert words in page, words


@needs("dcmpschk")
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_presentation_state_shows_the_same_grey_for_both_photometrics(made, tmp_path, photometric):
    files = made(PhotometricInterpretation=photometric)
    assert "Test passed" in ran("dcmpschk", files["dicom_gsps"])
    ran("dcmp2pgm", "--pstate", files["dicom_gsps"], files["source"], tmp_path / "shown.pgm")
    assert shown_box(tmp_path / "shown.pgm") == box()


@needs("dcm2pnm")
def test_masks(made, tmp_path):
    ran("dcm2pnm", "--write-png", "--frame", "1", made()["dicom_seg"], tmp_path / "mask.png")
    assert shown_box(tmp_path / "mask.png", threshold=1) == box()


@needs("dcm2pnm")
def test_picture(made, tmp_path):
    ran("dcm2pnm", "--write-png", made()["dicom_sc"], tmp_path / "picture.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "picture.png")), result().picture)
