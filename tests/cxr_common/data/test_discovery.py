"""What counts as a candidate in a folder."""

import os
from pathlib import Path

import pytest

from cxr_common.data import find_radiographs
from cxr_common.errors import InputError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(folder: Path) -> list[str]:
    return [Path(record["image"]).relative_to(folder).as_posix() for record in find_radiographs(folder)]


def test_candidates(tmp_path):
    good = ["b.dcm", "IM0001", "sub/deep/1.2.840.3", "sub/a.PNG", "c.nii.gz", "d.mha", "odd.name.xyz", "e.mhd", "f.raw"]
    sidecars = ["labels.csv", "x.JSON", "notes.txt", "README.md", "r.html", "m.xml", "c.yaml", "DICOMDIR", "Thumbs.db"]
    touch(tmp_path, *good, *sidecars, "e.raw", ".hidden.dcm", ".git/a.dcm", "sub/.DS_Store", "g.nhdr", "g.raw.gz")
    assert found(tmp_path) == sorted([*good, "g.nhdr"])


def test_one_file_is_taken_whatever_its_name(tmp_path):
    touch(tmp_path, "notes.txt")
    assert find_radiographs(tmp_path / "notes.txt") == [{"image": str(tmp_path / "notes.txt")}]


def test_relative_paths_become_absolute(tmp_path, monkeypatch):
    touch(tmp_path, "a.png")
    monkeypatch.chdir(tmp_path)
    assert find_radiographs(".") == find_radiographs("a.png") == [{"image": str(tmp_path / "a.png")}]


def test_nothing_to_find(tmp_path):
    (tmp_path / "empty" / "empty").mkdir(parents=True)
    touch(tmp_path, "texts/labels.csv")
    for name, reason in (("none", "no such file or folder"), ("empty", "no image file"), ("texts", "no image file")):
        with pytest.raises(InputError, match=reason):
            find_radiographs(tmp_path / name)


def test_dangling_links_are_reported_later(tmp_path):
    (tmp_path / "gone.dcm").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path) == ["gone.dcm"]


def test_linked_files_and_folders_are_followed_once(tmp_path):
    touch(tmp_path, "elsewhere/b.png", "in/real/a.png", "up/c.png")
    for link, target in (
        ("in/linked", "elsewhere"),
        ("in/linked_again", "elsewhere"),
        ("in/d.png", "elsewhere/b.png"),
        ("in/real/self", "in"),  # loops
        ("in/real/parent", "."),
        ("elsewhere/back", "in"),
        ("in/inner", "in/real"),
        ("in/endless", "in/endless"),
    ):
        (tmp_path / link).symlink_to(tmp_path / target)
    assert found(tmp_path / "in") == ["d.png", "endless", "linked/b.png", "real/a.png"]
    (tmp_path / "door").symlink_to(tmp_path / "in")
    assert found(tmp_path / "door") == ["d.png", "endless", "linked/b.png", "real/a.png"]


@pytest.mark.parametrize("left", ["findings.json", ".cxr-run"])
def test_results_below_the_input_are_no_radiographs(tmp_path, left):
    touch(tmp_path, "a.png", "out/a_overlay.png", "out/sub/x.png", "other/b.png", "other/findings.json")
    (tmp_path / "out" / left).write_text('{\n  "schema_version": "1.0",' if left == "findings.json" else "")
    assert found(tmp_path) == ["a.png", "other/b.png"]


def test_a_folder_named_by_a_number(tmp_path, monkeypatch):
    touch(tmp_path, "2026_05/a.png", "7/b.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["monai", "--dataset_dir=2026_05"])
    assert find_radiographs(202605) == [{"image": str(tmp_path / "2026_05" / "a.png")}]
    assert find_radiographs(7) == [{"image": str(tmp_path / "7" / "b.png")}]


@pytest.mark.parametrize(
    "name", [b"M\xfcller.png", b"\xff", b"a\nb\x1b[2J.png", b"x" * 251 + b".png", "胸.png".encode()]
)
def test_any_name_is_listed(tmp_path, name):
    with open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:
        file.write(b"x")
    assert [os.fsencode(record["image"]).split(b"/")[-1] for record in find_radiographs(tmp_path)] == [name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_listed_is_reported_later(tmp_path):
    touch(tmp_path, "a.png", "locked/b.png")
    (tmp_path / "locked").chmod(0)
    try:
        assert found(tmp_path) == ["a.png", "locked"]
    finally:
        (tmp_path / "locked").chmod(0o700)
