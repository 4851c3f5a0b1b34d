from __future__ import annotations

import os
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_common.files import as_path, path_in, replacing, write_text


def test_a_file_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_text("old", path)
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.suffix == ".json"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_text("old", path)
    with pytest.raises(RuntimeError, match="full"), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("disk full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.fault("the disk is full while weights or a table are written", "one line says so; the older file stays")
def test_a_full_disk_is_one_error_and_the_old_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_text("old", path)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left") as caught:
        write_text("new", path)
    assert caught.value.where == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("value", "words", "path"),
    [
        ("a/b", [], "a/b"),
        (Path("a"), [], "a"),
        (20260504, ["--dataset_dir", "20260504"], "20260504"),
        (20260504, ["--dataset_dir", "2026_05_04"], "2026_05_04"),
        (16, ["--output_dir=0x10"], "0x10"),
        (1.1, ["--output_dir", "1.10"], "1.10"),
        (5, ["--other", "[5"], "5"),
    ],
)
def test_a_name_that_the_command_line_made_a_number(monkeypatch, value, words, path):
    monkeypatch.setattr("sys.argv", ["monai.bundle", *words])
    assert as_path(value) == Path(path)
    assert path_in(value, "x") == str(Path(path) / "x")
