"""From a PACS through bundles and back, as users run it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom as write_phantom
from cxr_tools.pacs.__main__ import main
from tests.cxr_tools.pacs.orthanc import needs_orthanc
from tests.dicom_results import write_source
from tests.image_files import JPEG_2000_LOSSLESS, write_dicom
from tools.repository import BUNDLES, REPOSITORY

pytestmark = [pytest.mark.pacs, needs_orthanc]


def phantoms(folder, count=2):
    folder.mkdir()
    paths = []
    for index in range(count):
        phantom = make_phantom(20_260_101, index, PhantomConfig(size=256), ("Mass",) if index else ("Effusion",))
        paths.append(folder / f"{index}.dcm")
        write_phantom(phantom, paths[-1], ("MONOCHROME1", "MONOCHROME2")[index % 2])
    return paths


def with_masks(work):
    """How many images have a finding, and so a mask: not all phantoms, for networks that learned from patients."""
    [record] = (work / "results").glob("batch-*/findings.json")
    images = json.loads(record.read_text(encoding="utf-8"))["images"]
    number = sum(any(finding["decision"] for finding in image["findings"]) for image in images)
    assert number
    return number


def options(orthanc, work, *more):
    return ["--url", orthanc.url, "--work", str(work), "--patience", "20", *more]


@pytest.mark.parametrize("bundle", ["cxr_multiscale_localization", "cxr_chexseg_segmentation", "cxr_oxnet_detection"])
def test_run_twice_is_there_once(orthanc, tmp_path, bundle):
    """What a bundle finds is in the PACS, once however often it is run, and the radiographs are what they were."""
    for path in phantoms(tmp_path / "in"):
        orthanc.put(path)
    before = sorted(orthanc.files())
    for number in (1, 2):
        work = tmp_path / f"work{number}"  # the second run knows nothing of the first
        assert main(["run", *options(orthanc, work), "--bundle", str(BUNDLES / bundle)]) == 0
        counts = orthanc.modalities()
        assert counts["SR"] == counts["PR"] == counts["OT"] == counts["DX"] == 2
        assert counts.get("SEG", 0) == (0 if "oxnet" in bundle else with_masks(work))
    stored = [pydicom.dcmread(io.BytesIO(content)) for content in orthanc.files()]
    assert sorted(content for content in orthanc.files() if content in before) == before
    studies = {d.StudyInstanceUID for d in stored}
    assert len(studies) == 2
    assert len(orthanc.rest("/patients")) == 2


def test_pull_takes_frontal_radiographs_as_they_are_stored(orthanc, tmp_path, capsys):
    wanted = [
        write_source(tmp_path / "cr.dcm"),
        write_source(tmp_path / "compressed.dcm", syntax=JPEG_2000_LOSSLESS, SeriesInstanceUID=generate_uid()),
    ]
    lateral = write_source(tmp_path / "lateral.dcm", ViewPosition="LL")
    black = np.zeros((20, 20), "uint16")
    other = write_dicom(tmp_path / "ct.dcm", black, Modality="CT", StudyInstanceUID=generate_uid())
    for path in (*wanted, lateral, other):
        orthanc.put(path)
    assert main(["pull", *options(orthanc, tmp_path / "work")]) == 0
    pulled = {str(d.SOPInstanceUID): d for d in map(pydicom.dcmread, (tmp_path / "work" / "images").glob("*.dcm"))}
    assert len(pulled) == 2
    for path in wanted:
        source = pydicom.dcmread(path)
        same = pulled[str(source.SOPInstanceUID)]
        assert same == source
        assert same.file_meta.TransferSyntaxUID == source.file_meta.TransferSyntaxUID
    said = capsys.readouterr()
    assert "refused: this is not a frontal view" in said.out
    assert "2 here, 1 refused" in said.out


@pytest.mark.parametrize(
    ("choice", "number"),
    [
        (["--date", "20200102"], 1),
        (["--date", "20210101-20211231"], 1),
        (["--date", "19990101"], 0),
        (["--modality", "CR"], 2),
        (["--modality", "DX"], 0),
        (["--body-part", "CHEST"], 1),
    ],
)
def test_choice(orthanc, tmp_path, choice, number):
    orthanc.put(write_source(tmp_path / "a.dcm", BodyPartExamined="CHEST"))
    orthanc.put(write_source(tmp_path / "b.dcm", StudyDate="20210505", PatientID="b", BodyPartExamined="KNEE"))
    assert main(["pull", *options(orthanc, tmp_path / "work"), *choice]) == 0
    assert len(list((tmp_path / "work").glob("images/*.dcm"))) == number


def test_one_study_and_one_series(orthanc, tmp_path):
    study = generate_uid()
    sources = [write_source(tmp_path / f"{n}.dcm", StudyInstanceUID=study) for n in range(2)]
    for path in (*sources, write_source(tmp_path / "other.dcm", PatientID="other")):
        orthanc.put(path)
    main(["pull", *options(orthanc, tmp_path / "study"), "--study", study])
    assert len(list((tmp_path / "study").glob("images/*.dcm"))) == 2
    series = str(pydicom.dcmread(sources[0]).SeriesInstanceUID)
    main(["pull", *options(orthanc, tmp_path / "series"), "--study", study, "--series", series])
    assert len(list((tmp_path / "series").glob("images/*.dcm"))) == 1


def test_killed_in_the_middle_and_run_again(orthanc, tmp_path):
    """Killed at several moments; the last run completes what is left, and nothing is there twice."""
    for path in phantoms(tmp_path / "in", 3):
        orthanc.put(path)
    command = [sys.executable, "-m", "cxr_tools.pacs", "run", *options(orthanc, tmp_path / "work"), "--batch", "1"]
    for seconds in (4, 8, 14, 20):
        process = subprocess.Popen(command, cwd=REPOSITORY, env=dict(os.environ), start_new_session=True)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert main(command[3:]) == 0
    counts = orthanc.modalities()
    assert counts["DX"] == counts["SR"] == counts["PR"] == counts["OT"] == 3


def test_the_pacs_is_away_for_a_while(orthanc, tmp_path, capsys):
    """It waits; where the PACS stays away it ends with one line, and goes on the next time."""
    for path in phantoms(tmp_path / "in"):
        orthanc.put(path)
    orthanc.stop()
    arguments = ["pull", "--url", orthanc.url, "--work", str(tmp_path / "work"), "--patience"]
    assert main([*arguments, "1"]) == 1
    assert "error: PACS: the PACS cannot be reached for 1 s; run again" in capsys.readouterr().err
    process = subprocess.Popen([sys.executable, "-m", "cxr_tools.pacs", *arguments, "60"], cwd=REPOSITORY)
    time.sleep(6)
    orthanc.start()
    assert process.wait(60) == 0
    assert len(list((tmp_path / "work").glob("images/*.dcm"))) == 2


@pytest.mark.parametrize(("user", "word"), [("nobody", "401"), ("reader", "401")])
def test_wrong_password(orthanc, tmp_path, capsys, monkeypatch, user, word):
    monkeypatch.setenv("CXR_PACS_USER", user)
    monkeypatch.setenv("CXR_PACS_PASSWORD", "wrong")
    assert main(["pull", *options(orthanc, tmp_path / "work")]) == 1
    said = capsys.readouterr().err
    assert word in said and "check user and password" in said
    assert "wrong" not in said
