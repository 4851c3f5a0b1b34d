"""A zip that nobody vouches for."""

from __future__ import annotations

import json
import stat
import zipfile

import pytest

from cxr_verify.outcome import CannotRun
from cxr_verify.source import open_bundle
from cxr_verify.unpack import unpack


def make_zip(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


@pytest.mark.fault("a path in a zip leads out of its folder", "refused in one line")
@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\\..\\x", "C:/x", "a/\x00x"])
def test_no_entry_leaves_the_folder(tmp_path, name):
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = name
    archive = make_zip(tmp_path / "a.zip", [(entry, "x")])
    (tmp_path / "out").mkdir()
    with pytest.raises(CannotRun, match="leaves|cannot be unpacked"):
        unpack(archive, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.zip", "out"]


def test_no_link_is_followed(tmp_path):
    entry = zipfile.ZipInfo("a/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(CannotRun, match="is a link"):
        unpack(make_zip(tmp_path / "a.zip", [(entry, "/etc/passwd")]), tmp_path / "out")


def test_size_and_number_are_bounded_by_what_is_written(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a/zeros", bytes(100_000))])
    with pytest.raises(CannotRun, match=r"a.zip unpacks to more than 9.31e-05 GB: --max-gigabytes"):
        unpack(archive, tmp_path / "out", max_bytes=99_999)
    unpack(archive, tmp_path / "fits", max_bytes=100_000)
    with pytest.raises(CannotRun, match="entries"):
        unpack(make_zip(tmp_path / "b.zip", [(f"a/{i}", "") for i in range(3)]), tmp_path / "many", max_files=2)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_twice(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a/x", "1"), ("a/x", "2")])
    with pytest.raises(CannotRun, match="twice"):
        unpack(archive, tmp_path / "out")


def test_what_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "a.zip", tmp_path / "empty", tmp_path / "nothing"):
        with pytest.raises(CannotRun), open_bundle(path):
            pass


def test_a_zip_is_named_by_its_folder(tmp_path):
    archive = make_zip(tmp_path / "b_v1.zip", [("b/configs/metadata.json", "{}")])
    with open_bundle(archive) as bundle:
        assert (bundle.name, bundle.own_folder) == ("b", True)
        root = bundle.root
    assert not root.exists()
    with open_bundle(make_zip(tmp_path / "c.zip", [("configs/metadata.json", "{}")])) as bundle:
        assert (bundle.name, bundle.own_folder) == ("c", False)


def test_a_bundle_that_wants_another_finds_it_in_the_zip_beside_its_own(tmp_path):
    config = json.dumps({"localizer": "$@bundle_root + '/../second'", "other": "$@bundle_root + '/../absent'"})
    for name, text in {"first": config, "second": "{}", "third": "{}"}.items():
        with zipfile.ZipFile(tmp_path / f"{name}_v1.0.0.zip", "w") as archive:
            archive.writestr(f"{name}/configs/inference.json", text)
            archive.writestr(f"{name}/configs/metadata.json", "{}")
    with open_bundle(tmp_path / "first_v1.0.0.zip") as bundle:
        assert {path.name for path in bundle.root.parent.iterdir()} == {"first", "second"}
        assert "configs/inference.json" in bundle.files
