import pytest

from cxr_common.data.loader import Failure
from cxr_common.findings.case_files import EarlierFiles
from cxr_common.findings.case_names import CaseNames
from cxr_common.findings.run_images import RunImages


@pytest.fixture
def images(tmp_path):
    """Of a folder in which an earlier run left a file of a.png and of b.png."""
    out = tmp_path / "out"
    out.mkdir()
    earlier = EarlierFiles(out, [], ["Mass"])
    earlier._listed = {name: [f"{name}_overlay.png"] for name in "ab"}
    for name in "ab":
        (out / f"{name}_overlay.png").touch()
    return RunImages(out, CaseNames(out, tmp_path / "in"), earlier)


def test_a_failed_image_loses_its_earlier_files_unless_they_are_kept(images, tmp_path):
    images.fail(str(tmp_path / "in" / "a.png"), "no findings", None)
    images.fail(str(tmp_path / "in" / "b.png"), "the disk is full", "make room", keep=True)
    found = images.settle([Failure("", "inference stopped", None)])
    assert [failure.path for failure in found] == ["a.png", "b.png", ""]
    assert [path.name for path in images.folder.iterdir()] == ["b_overlay.png"]


def test_a_record_whose_files_are_gone_becomes_a_failure(images, tmp_path):
    for name, file in (("a.png", "a_overlay.png"), ("c.png", "c_overlay.png")):
        images.records.append({"path": name, "files": {"overlay": file}})
    assert images.is_done(tmp_path / "in" / "c.png") and not images.is_done(tmp_path / "in" / "b.png")
    [failure] = images.settle([])
    assert (failure.path, failure.reason) == ("c.png", "its results were removed while the run went on")
    assert [record["path"] for record in images.records] == ["a.png"]
    images.forget()
    assert images.records == [] == images.settle([])
