"""Radiographs sent to the receiver have their results in the PACS, each once, whatever happens in between."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid
from pynetdicom import AE

from cxr_tools.pacs.ledger import Ledger
from tests.cxr_tools.pacs.orthanc import free_port, needs_orthanc
from tests.cxr_tools.pacs.test_round_trip import phantoms
from tests.dicom_results import CR, write_source
from tools.repository import REPOSITORY

pytestmark = [pytest.mark.pacs, needs_orthanc]


def start(command, port):
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=REPOSITORY, env=dict(os.environ))
    for _ in range(3000):
        entity = AE(ae_title="THEM")
        entity.add_requested_context(CR)
        probe = entity.associate("127.0.0.1", port, ae_title="US")
        if probe.is_established:
            probe.release()
            return process
        assert process.poll() is None
        time.sleep(0.1)
    raise AssertionError("the receiver does not answer")


def stand_in(work, port, orthanc):
    destination = f"ORTHANC@127.0.0.1:{orthanc.dicom_port}"
    return ["tests.cxr_tools.pacs.stand_in", str(work), str(port), destination]


def send_all(paths, port):
    """Send until all are confirmed, as a modality does that tries again."""
    left = list(paths)
    deadline = time.monotonic() + 900
    while left and time.monotonic() < deadline:
        entity = AE(ae_title="THEM")
        entity.connection_timeout = 2
        entity.dimse_timeout = 10
        for sop_class in {pydicom.dcmread(path, stop_before_pixels=True).SOPClassUID for path in left[:50]}:
            entity.add_requested_context(sop_class)
        sender = entity.associate("127.0.0.1", port, ae_title="US")
        if not sender.is_established:
            time.sleep(0.2)
            continue
        while left:
            try:
                if sender.send_c_store(pydicom.dcmread(left[0])).get("Status") != 0:
                    break
            except (RuntimeError, ValueError):  # the association is gone
                break
            left.pop(0)
        if sender.is_established:
            sender.release()
    assert not left


def reports(orthanc):
    """SOP Instance UID of each source -> number of reports on it."""
    counts = {}
    for content in orthanc.files():
        dataset = pydicom.dcmread(io.BytesIO(content))
        if dataset.Modality == "SR":
            evidence = dataset.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
            source = str(evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
            counts[source] = counts.get(source, 0) + 1
    return counts


def wait_for(condition, seconds=900):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.mark.parametrize("way", ["C-STORE", "DICOMweb"])
def test_a_bundle_on_what_arrives(orthanc, tmp_path, way):
    port = free_port()
    to = f"ORTHANC@127.0.0.1:{orthanc.dicom_port}" if way == "C-STORE" else orthanc.url
    command = [
        "cxr_tools.pacs",
        "listen",
        "--work",
        str(tmp_path / "work"),
        "--to",
        to,
        "--port",
        str(port),
        "--aet",
        "US",
    ]
    process = start([*command, "--allow", "THEM", "--free-megabytes", "0"], port)
    paths = phantoms(tmp_path / "in", 3)
    send_all(paths, port)
    wait_for(lambda: Ledger(tmp_path / "work").counts() == {"pushed": 3})
    process.terminate()
    assert process.wait(60) == 0
    assert {kind: n for kind, n in orthanc.modalities().items() if kind != "SEG"} == {"SR": 3, "PR": 3, "OT": 3}
    assert set(reports(orthanc)) == {str(pydicom.dcmread(path).SOPInstanceUID) for path in paths}


@pytest.mark.parametrize("number", [int(os.environ.get("CXR_TEST_INSTANCES", "1000"))])
def test_killed_ten_times(orthanc, tmp_path, number):
    """1,000 instances while the receiver is killed ten times at random moments: each has its report exactly once."""
    (tmp_path / "in").mkdir()
    template = pydicom.dcmread(write_source(tmp_path / "template.dcm"))
    paths = []
    for index in range(number):
        template.SOPInstanceUID = template.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        template.StudyInstanceUID, template.SeriesInstanceUID = generate_uid(), generate_uid()
        template.PatientID = f"P{index % 97}"
        paths.append(tmp_path / "in" / f"{index}.dcm")
        template.save_as(paths[-1])
    port, chance = free_port(), random.Random(5)
    command = stand_in(tmp_path / "work", port, orthanc)
    process = start(command, port)
    share = number // 10
    for kill in range(10):
        part = map(str, paths[kill * share : (kill + 1) * share])
        sending = [sys.executable, "-m", "tests.cxr_tools.pacs.sender", str(port), *part]
        sender = subprocess.Popen(sending, cwd=REPOSITORY)
        time.sleep(chance.uniform(1, 6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start(command, port)
        assert sender.wait(900) == 0
    send_all(paths[10 * share :], port)
    wait_for(lambda: Ledger(tmp_path / "work").counts() == {"pushed": number})
    process.terminate()
    process.wait(60)
    expected = {str(pydicom.dcmread(path).SOPInstanceUID): 1 for path in paths}
    assert reports(orthanc) == expected


def test_the_pacs_is_down_for_a_while(orthanc, tmp_path):
    """What arrives in the meantime waits, and nothing is lost."""
    orthanc.stop()
    port = free_port()
    command = stand_in(tmp_path / "work", port, orthanc)
    process = start(command, port)
    paths = [write_source(tmp_path / f"{n}.dcm") for n in range(3)]
    send_all(paths, port)
    wait_for(lambda: Ledger(tmp_path / "work").counts() == {"inferred": 3})
    time.sleep(15)
    assert Ledger(tmp_path / "work").counts() == {"inferred": 3}
    orthanc.start()
    wait_for(lambda: Ledger(tmp_path / "work").counts() == {"pushed": 3})
    process.terminate()
    process.wait(60)
    assert len(reports(orthanc)) == 3


def test_bad_instances_stop_nobody(orthanc, tmp_path):
    port = free_port()
    work = Path(tmp_path / "work")
    command = stand_in(work, port, orthanc)
    process = start(command, port)
    bad = pydicom.dcmread(write_source(tmp_path / "bad.dcm"))
    del bad.Rows
    bad.save_as(tmp_path / "bad.dcm")
    send_all([tmp_path / "bad.dcm", write_source(tmp_path / "good.dcm")], port)
    wait_for(lambda: Ledger(work).counts() == {"pushed": 1, "refused": 1})
    process.terminate()
    process.wait(60)
    assert len(reports(orthanc)) == 1
