import os
import shutil
from pathlib import Path

import pytest

from cxr_common.findings.publish import published, sweep


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_appear_together(tmp_path):
    with published(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
        assert [n for n in names(tmp_path / "out") if not n.startswith(".")] == []
        (folder / "b").write_text("2")
    assert names(tmp_path / "out") == ["a", "b"]


def test_a_failure_while_writing_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError):
        with published(tmp_path, obsolete=["a"]) as folder:
            (folder / "a").write_text("half")
            (folder / "b").write_text("new")
            raise RuntimeError
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_failure_while_moving_puts_the_old_files_back(tmp_path, monkeypatch):
    for name in ("a", "b", "gone"):
        (tmp_path / name).write_text("old")
    move = os.replace

    def fail_on_b(source, target):
        if Path(target) == tmp_path / "b" and Path(source).read_text() == "new":
            raise OSError("disk full")
        move(source, target)

    monkeypatch.setattr(os, "replace", fail_on_b)
    with pytest.raises(OSError, match="disk full"):
        with published(tmp_path, obsolete=["gone"]) as folder:
            for name in ("a", "b"):
                (folder / name).write_text("new")
    assert names(tmp_path) == ["a", "b", "gone"]
    assert {(tmp_path / name).read_text() for name in names(tmp_path)} == {"old"}


def test_obsolete_files_go_at_the_same_moment(tmp_path):
    (tmp_path / "old").write_text("")
    with published(tmp_path, obsolete=["old", "never"]) as folder:
        (folder / "new").write_text("")
        assert (tmp_path / "old").exists()
    assert names(tmp_path) == ["new"]


def test_a_folder_is_replaced_only_where_that_was_said(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine").write_text("")
    with pytest.raises(IsADirectoryError, match="in the way"):
        with published(tmp_path, obsolete=["a"]):
            pass
    with pytest.raises(IsADirectoryError, match="in the way"):
        with published(tmp_path) as folder:
            (folder / "a").mkdir()
    assert names(tmp_path / "a") == ["mine"]
    with published(tmp_path, folders=["a"]) as folder:
        (folder / "a").mkdir()
    assert names(tmp_path / "a") == []


def test_a_folder_is_put_back_too(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("")
    move = os.replace

    def fail_on_b(source, target):
        if Path(target) == tmp_path / "b":
            raise OSError("disk full")
        move(source, target)

    monkeypatch.setattr(os, "replace", fail_on_b)
    with pytest.raises(OSError, match="disk full"):
        with published(tmp_path, folders=["a"]) as folder:
            (folder / "a").mkdir()
            (folder / "b").write_text("")
    assert names(tmp_path) == ["a"] and names(tmp_path / "a") == ["old"]


def test_sweep_removes_what_a_killed_run_left(tmp_path):
    (tmp_path / ".partial-x" / "new").mkdir(parents=True)
    (tmp_path / "a").write_text("")
    sweep(tmp_path)
    assert names(tmp_path) == ["a"]


@pytest.mark.fault("a run is killed while it replaces an earlier run's files", "none is lost")
@pytest.mark.parametrize("moves", range(6))
def test_a_run_killed_while_it_replaces_files_loses_none(tmp_path, monkeypatch, moves):
    for name in ("a", "b", "obsolete"):
        (tmp_path / name).write_text("old")
    if not (child := os.fork()):
        left = list(range(moves))

        def replace(path, target):
            if not left:
                os._exit(9)
            left.pop()
            path.rename(target)

        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: os._exit(9))
        with published(tmp_path, ["obsolete"]) as folder:
            for name in ("a", "b"):
                (folder / name).write_text("new")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    sweep(tmp_path)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == ({"a": "new", "b": "new"} if moves == 5 else {"a": "old", "b": "old", "obsolete": "old"})
