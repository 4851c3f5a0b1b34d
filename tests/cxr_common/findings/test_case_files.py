import json

from cxr_common.findings import NiftiMasks
from cxr_common.findings.case_files import EarlierFiles


def listed(folder, files):
    """A folder with a findings.json that lists files of the case a, and all of them."""
    image = {"case": "a", "path": "a.png", "size": [3, 3], "findings": [], "files": files}
    finding = {"label": "Mass", "probability": 0.1, "decision": False}
    record = {"model": {"name": "b", "version": "1", "labels": ["Mass"]}, "images": [image | {"findings": [finding]}]}
    (folder / "findings.json").write_text(json.dumps(record), encoding="utf-8")
    for name in ("a_note.txt", "a_Mass.nii.gz", "a_sizes.txt", "b_sizes.txt"):
        (folder / name).write_text("x")
    return EarlierFiles(folder, [NiftiMasks()], ["Mass"])


def test_files_of_this_runs_writers_and_those_the_record_lists(tmp_path):
    assert listed(tmp_path, {"sizes": {"Mass": "a_sizes.txt"}}).of("a") == ["a_Mass.nii.gz", "a_sizes.txt"]


def test_a_record_of_others_removes_nothing_else(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a_out.txt").write_text("x")
    files = listed(tmp_path / "in", {"x": "b_sizes.txt", "y": "../a_out.txt", "z": "a_/../../a_out.txt", "w": "a_no"})
    assert files.of("a") == ["a_Mass.nii.gz"]


def test_without_a_record_the_writers_decide(tmp_path):
    (tmp_path / "a_Mass.nii.gz").write_text("x")
    assert EarlierFiles(tmp_path, [NiftiMasks()], ["Mass"]).of("a") == ["a_Mass.nii.gz"]
