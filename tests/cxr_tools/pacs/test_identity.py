"""Planted names, numbers and UIDs appear nowhere that others read: terminal, logs, PNG, HTML, file names."""

from __future__ import annotations

import os
import subprocess
import sys

import pydicom
import pytest

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom as write_phantom
from cxr_common.findings.page import write_report
from tests.cxr_tools.pacs.orthanc import needs_orthanc
from tests.dicom_results import IDENTITY
from tools.repository import BUNDLES, REPOSITORY

PLANTED = {
    **{name: IDENTITY[name] for name in ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyID")},
    "StudyDescription": "PLANTED study",
    "SeriesDescription": "PLANTED series",
}
#: Files that are made to hold identity: the images and results themselves, and the records beside them.
RECORDS = (".dcm", ".sqlite", ".sqlite-wal", ".sqlite-shm", "findings.json")


def plant(path, view="PA"):
    """A phantom with an identity; returns the words to look for."""
    write_phantom(make_phantom(20_260_101, 1, PhantomConfig(size=256), ("Mass",)), path)
    dataset = pydicom.dcmread(path)
    for keyword, value in PLANTED.items():
        setattr(dataset, keyword, value)
    dataset.ViewPosition = view
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, pydicom.uid.generate_uid())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path)
    uids = [str(dataset[k].value) for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
    return ["planted", PLANTED["PatientBirthDate"], *uids]


def leaks(folder, words, said=""):
    """Where a planted word is: (place, word)."""
    found = [("terminal", word) for word in words if word.lower() in said.lower()]
    for path in folder.rglob("*"):
        found += [
            (f"name of {path.name}", word) for word in words if word.lower() in str(path.relative_to(folder)).lower()
        ]
        if path.is_file() and not path.name.endswith(RECORDS):
            content = path.read_bytes().lower()
            found += [(path.name, word) for word in words if word.lower().encode() in content]
    return found


def run(*command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=REPOSITORY, env=dict(os.environ), capture_output=True, text=True
    )
    return done.stdout + done.stderr


def test_the_search_finds(tmp_path):
    words = plant(tmp_path / "image.bin")
    assert {word for _, word in leaks(tmp_path, words, said=words[-1])} == set(words)


def test_inference_and_page(tmp_path):
    (tmp_path / "in").mkdir()
    words = plant(tmp_path / "in" / "a.dcm")
    bundle, out = BUNDLES / "cxr_multiscale_localization", tmp_path / "out"
    kinds = "['json','npz','png','nifti','mask_png','dicom_seg','dicom_sr','dicom_gsps','dicom_sc']"
    said = run(
        *("monai.bundle", "run", "--config_file", str(bundle / "configs" / "inference.json"), "--outputs", kinds),
        *("--bundle_root", str(bundle), "--dataset_dir", str(tmp_path / "in"), "--output_dir", str(out)),
    )
    assert "1 image(s) done" in said
    write_report(out, out / "page.html", "Findings")
    assert len(list(out.glob("*.dcm"))) == 4
    assert leaks(out, words, said) == []


@pytest.mark.pacs
@needs_orthanc
@pytest.mark.parametrize("shown", [False, True])
def test_from_pacs_to_pacs(orthanc, tmp_path, shown):
    words = plant(tmp_path / "a.dcm") + plant(tmp_path / "b.dcm", view="LL")
    for name in ("a.dcm", "b.dcm"):
        orthanc.put(tmp_path / name)
    work = tmp_path / "work"
    options = ["--url", orthanc.url, "--work", str(work), *(["--show-identity"] if shown else [])]
    said = run("cxr_tools.pacs", "run", *options)
    assert "1 pushed, 1 refused" in said
    found = leaks(work, words, said)
    assert [place for place, _ in found] == (["terminal"] if shown else [])


@pytest.mark.pacs
@needs_orthanc
def test_errors(orthanc, tmp_path):
    words = plant(tmp_path / "a.dcm")
    orthanc.put(tmp_path / "a.dcm")
    study = words[2]
    orthanc.stop()
    said = run(
        "cxr_tools.pacs",
        "pull",
        "--url",
        orthanc.url,
        "--work",
        str(tmp_path / "w"),
        "--study",
        study,
        "--patience",
        "1",
    )
    assert "error: PACS" in said
    assert leaks(tmp_path / "w", words, said) == []
