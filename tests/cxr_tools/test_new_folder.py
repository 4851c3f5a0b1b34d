from __future__ import annotations

import os
import subprocess

import pytest

from cxr_common.errors import InputError
from cxr_common.files import HOST
from cxr_tools.new_folder import new_folder


def test_it_appears_when_all_went_well(tmp_path):
    with new_folder(tmp_path / "a", "images", "masks") as folder:
        (folder / "images" / "1.txt").write_text("x")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a" / "images" / "1.txt").read_text() == "x" and (tmp_path / "a" / "masks").is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyError):
        with new_folder(tmp_path / "a") as folder:
            (folder / "1.txt").write_text("x")
            raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_away(tmp_path):
    """A set of radiographs has gigabytes."""
    killed = subprocess.Popen(["true"])
    killed.wait()
    ends = (killed.pid, os.getpid(), os.getppid(), "mine")  # this process' number may have been another's before
    old, same, used, other = (tmp_path / f".a.making-{HOST}-{end}" for end in ends)
    for folder in (old, same, used, other):
        folder.mkdir()
        (folder / "1.txt").touch()
    with new_folder(tmp_path / "a") as folder:
        (folder / "2.txt").touch()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["2.txt"]
    assert {path.name for path in tmp_path.iterdir()} == {"a", used.name, other.name}


def test_an_empty_folder_is_filled_and_a_full_one_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with new_folder(tmp_path / "a") as folder:
        (folder / "1.txt").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"):
        with new_folder(tmp_path / "a"):
            pass
    assert (tmp_path / "a" / "1.txt").exists()


def test_what_the_system_refuses_is_one_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read or written"):
        with new_folder(tmp_path / "file" / "a"):
            pass


def test_of_two_runs_at_once_the_later_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="not an empty folder"):
        with new_folder(tmp_path / "a") as folder:
            (folder / "1.txt").touch()
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / "2.txt").touch()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["a", "a/2.txt"]
