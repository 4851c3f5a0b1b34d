"""The three steps of a worker, without Ray."""

from __future__ import annotations

import errno
from pathlib import Path

import pydicom
import pytest

pytest.importorskip("pyarrow", reason="needs the extra ray")

import cxr_common
from cxr_common.errors import InputError
from cxr_tools.archive import worker
from cxr_tools.archive.source import Source
from cxr_tools.archive.worker import Artefacts, Job
from cxr_tools.pacs.patience import Unreachable
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_multiscale_localization"


def job_for(output, bundle=BUNDLE, **artefacts):
    return Job(bundle, "{}", Source(), Path(output), Artefacts(**artefacts))


def done(job, *images):
    states = worker.predict(job, [worker.read(job, str(image)) for image in images], "cpu")
    return [worker.conclude(job, state) for state in states]


def test_an_unforeseen_error_is_a_row_and_is_not_looked_into_for_ever(tmp_path):
    (state,) = done(job_for(tmp_path), "a\0b.dcm")
    assert state["row"]["error"] == "the file could not be processed (ValueError: embedded null byte)"


def test_a_row_has_what_the_bundle_finds(radiographs, tmp_path):
    paths = [radiographs / "0.dcm", radiographs / "1.dcm"]
    cases = cxr_common.load(BUNDLE, device="cpu")(paths)
    job = job_for(tmp_path)
    for path, case in zip(paths, cases, strict=True):
        (state,) = done(job, path)
        row = state["row"]
        assert row["image"] == str(path) and row.get("error") is None and row["files"] == []
        assert (row["width"], row["height"]) == case.size and row["warnings"] == case.found.warnings
        assert row["weights_sha256"] == case.model.weights_sha256
        for found in case.findings:
            label = found.label
            assert (row["probability"][label], row["decision"][label]) == (found.probability, found.decision)
            assert [row["peak"][label]["x"], row["peak"][label]["y"]] == found.point
            boxes = [list(box.values()) for box in row["boxes"][label]]
            assert boxes == [[*record.box, record.score] for record in found.boxes]
    assert cases[1].present


def test_a_bad_image_is_a_row_with_an_error_and_others_share_its_batch(radiographs, tmp_path):
    bad, good = done(job_for(tmp_path), radiographs / "broken.dcm", radiographs / "1.dcm")
    assert bad["row"]["error"] == "the file is of an unknown format" and bad["row"]["action"]
    assert bad["row"]["weights_sha256"] == good["row"]["weights_sha256"]
    assert good["row"]["decision"]["Effusion"] is True


def test_an_image_that_is_refused_can_be_found_by_its_uids(radiographs, tmp_path):
    dataset = pydicom.dcmread(radiographs / "0.dcm")
    dataset.ViewPosition = "LL"
    dataset.save_as(tmp_path / "lateral.dcm")
    row = done(job_for(tmp_path), tmp_path / "lateral.dcm")[0]["row"]
    assert "view" in row["error"]
    wanted = {"study": "StudyInstanceUID", "series": "SeriesInstanceUID", "instance": "SOPInstanceUID"}
    assert {name: row[f"{name}_uid"] for name in wanted} == {name: dataset[tag].value for name, tag in wanted.items()}


def test_positives_alone_have_files_whose_names_say_nothing(radiographs, tmp_path):
    job = job_for(tmp_path, kinds=("npz", "dicom_sr"), key=b"key")
    found = [state["row"] for state in done(job, radiographs / "0.dcm", radiographs / "1.dcm")]
    assert [any(row["decision"].values()) for row in found] == [bool(row["files"]) for row in found] == [False, True]
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert written == set(found[1]["files"]) and len(written) == 2
    again = done(job, radiographs / "1.dcm")[0]["row"]
    assert again["files"] == found[1]["files"]


def test_a_sample_is_of_the_same_images_and_of_about_its_share():
    images = [f"/archive/{number}" for number in range(2000)]
    sample = [Artefacts(("npz",), "0.1").wanted(image, None) for image in images]
    assert sample == [Artefacts(("npz",), "0.1").wanted(image, None) for image in images]
    assert 150 < sum(sample) < 250
    assert Artefacts(("npz",), "all").wanted("a", None) and not Artefacts((), "all").wanted("a", None)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("the PACS cannot be reached for 120 s", "PACS", None),
        OSError(errno.ENOSPC, "No space left", "/a/DOE^JANE"),
    ],
)
def test_what_is_not_the_images_fault_is_for_later(radiographs, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(Source, "file", fail)
    (state,) = done(job_for(tmp_path), radiographs / "1.dcm")
    assert set(state) == {"image", "later"} and state["later"] and "DOE" not in state["later"]


def test_files_that_have_no_room_are_for_later(radiographs, tmp_path):
    (tmp_path / "files").write_text("no folder", encoding="utf-8")
    (state,) = done(job_for(tmp_path, kinds=("npz",), key=b"key"), radiographs / "1.dcm")
    assert "results cannot be written" in state["later"]


def test_a_bundle_that_is_not_there_is_for_later(radiographs, tmp_path):
    (state,) = done(job_for(tmp_path, bundle=tmp_path / "none"), radiographs / "1.dcm")
    assert "the bundle cannot be loaded" in state["later"]


def test_a_network_that_fails_is_for_later(radiographs, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("CUDA out of memory")

    job = job_for(tmp_path)
    monkeypatch.setattr(worker.bundle_of(job), "predict", fail)
    assert "out of memory" in done(job, radiographs / "1.dcm")[0]["later"]


@pytest.mark.parametrize("name", sorted(path.parent.name for path in REPOSITORY.glob("bundles/*/bundle.yaml")))
def test_every_bundle_has_its_writers(name, radiographs, tmp_path):
    job = job_for(tmp_path, REPOSITORY / "bundles" / name, kinds=("dicom_sr",), of="all", key=b"key")
    (state,) = done(job, radiographs / "1.dcm")
    assert len(state["row"]["files"]) == 1 and (tmp_path / state["row"]["files"][0]).is_file()


def test_kinds_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no output"):
        worker.writing_of(job_for(tmp_path, kinds=("pictures",)))
