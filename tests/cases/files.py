"""Rows C, S and O: file systems, hostile and broken files, and what else was seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

from tests.cases.product import findings, infer
from tests.cases.table import TWIN, Run, case
from tests.image_files import JPEG_2000_LOSSLESS, stored_grey, write_dicom


@case("batch", "all inputs beside good files: the good ones are done, the others are listed, status 1, no traceback")
def batch(run: Run) -> None:
    outcome, record = run.batch
    assert (outcome.status, outcome.traceback) == (1, False)
    listed = [entry["path"] for kind in ("images", "failures") for entry in record[kind]]
    assert len(set(listed)) == len(listed)
    assert {Path(path).name for path in listed} >= {TWIN, "ok.png", "a.png"}
    hostile = {path.name for path in (run.inputs / "S_hostile").iterdir()}
    assert {Path(entry["path"]).name for entry in record["failures"]} >= hostile


@case("C1", "a name that is no UTF-8 is one failure; findings.json is written")
def latin_name(run: Run) -> None:
    strange = [path.name for path in run.files("") if not path.name.isprintable()]
    assert len(strange) == 1
    failed = [f for f in run.batch[1]["failures"] if f["path"].startswith("C1_latin1/")]
    assert len(failed) == 1, failed
    assert "UTF-8" in failed[0]["reason"]
    assert run.images("ok.png")


@case("C2", "linked folders and files are followed, and keep their relative paths")
def links(run: Run) -> None:
    infer(run.product, str(run.inputs / "C2_links" / "in"), str(run.folder / "links"), run.folder).works()
    found = {image["path"] for image in findings(run.folder / "links")["images"]}
    assert found == {"real/a.png", "c.png", "linked/b.png"}, found


@case("C3, C4", "results inside the input folder are no radiographs; names of digits are names")
def digits(run: Run) -> None:
    source = run.folder / "20260504"
    shutil.copytree(run.inputs / "C2_links" / "in" / "real", source)
    for _ in range(2):
        infer(run.product, 20260504, "20260504/20260505", run.folder).works()
        assert [image["path"] for image in findings(source / "20260505")["images"]] == ["a.png"]


@case("S1", "headers that end ITK's process are failures")
def headers(run: Run) -> None:
    assert run.failures("S1")


@case("S2", "pixels outside of the header's folder are refused")
def outside(run: Run) -> None:
    for name, reason in run.failures("S2").items():
        assert "plain file name" in reason, f"{name}: {reason}"


@case("S3", "declared sizes and inflation are bounded")
def bounds(run: Run) -> None:
    for name, reason in run.failures("S3").items():
        assert "too large" in reason or "inflates" in reason, f"{name}: {reason}"


@case("S4", "grey values that are not finite are the file's fault")
def not_finite(run: Run) -> None:
    for name, reason in run.failures("S4").items():
        assert "not finite" in reason, f"{name}: {reason}"


@case("O1", "a NIfTI of two files is read; a decoder's error shows no address")
def others(run: Run) -> None:
    source = run.folder / "others"
    source.mkdir()
    pixels = np.ascontiguousarray(stored_grey(12).T)
    nibabel.save(nibabel.Nifti1Pair(pixels, np.diag([-0.2, -0.2, 1, 1])), source / "pair.hdr")
    path = write_dicom(source / "damaged.dcm", stored_grey(12), JPEG_2000_LOSSLESS, BitsStored=12)
    content = bytearray(path.read_bytes())
    content[-400:-40] = bytes(360)
    path.write_bytes(content)
    Image.new("RGBA", (40, 40)).save(source / "transparent.png")
    outcome = infer(run.product, str(source), str(run.folder / "others_out"), run.folder)
    record = findings(run.folder / "others_out")
    assert not outcome.traceback
    assert "pair.hdr" in {image["path"] for image in record["images"]}
    assert not any("0x" in failure["reason"] for failure in record["failures"])
