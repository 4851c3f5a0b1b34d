"""Names of cases: what the user calls a file, links included; unique on every file system."""

import os

import pytest

from cxr_common.findings.case_names import CaseNames


def test_paths_are_as_the_user_has_them(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "in").symlink_to(tmp_path / "there")
    (tmp_path / "elsewhere.png").write_text("")
    (tmp_path / "there" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    monkeypatch.chdir(tmp_path)
    for root in ("in", tmp_path / "in", tmp_path / "there"):
        names = CaseNames(tmp_path / "out", root)
        for path in ("in/link.png", tmp_path / "in" / "link.png"):
            if root != tmp_path / "there":
                assert names.relative(path).as_posix() == "link.png"
                assert names.name(path) == "link"
        assert names.relative(tmp_path / "in" / "sub" / "a.png").as_posix() == "sub/a.png"
    outside = CaseNames(tmp_path / "out", "in")
    assert outside.relative(tmp_path / "elsewhere.png") == tmp_path / "elsewhere.png"
    assert outside.name(tmp_path / "elsewhere.png") == "elsewhere"


def test_links_are_asked_for_only_where_names_do_not_tell(tmp_path, monkeypatch):
    names = CaseNames(tmp_path / "out", tmp_path)
    monkeypatch.setattr("pathlib.Path.resolve", lambda path: pytest.fail(f"{path} was looked up"))
    assert names.name(tmp_path / "sub" / "a.png") == "sub__a"


def test_a_single_file_is_named(tmp_path):
    (tmp_path / "a.png").write_text("")
    names = CaseNames(tmp_path / "out", tmp_path / "a.png")
    assert names.relative(tmp_path / "a.png").as_posix() == "a.png"
    assert names.name(tmp_path / "a.png") == "a"
    assert names.root == tmp_path


def test_twins_long_names_and_bytes(tmp_path):
    names = CaseNames(tmp_path / "out", tmp_path)
    paths = [
        "a.png",
        "A.png",
        "a.tif",
        "x" * 251 + ".png",
        "x" * 250 + "y.png",
        os.fsdecode(b"M\xfcller.png"),
        "M-ller.png",
    ]
    cases = [names.name(tmp_path / path) for path in paths]
    assert len({case.casefold() for case in cases}) == len(paths)
    assert [names.name(tmp_path / path) for path in paths] == cases
    assert max(len(os.fsencode(case)) for case in cases) < 140
