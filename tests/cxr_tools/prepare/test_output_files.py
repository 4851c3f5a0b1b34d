"""What lies where results go: an earlier run's files are replaced, nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cxr_common.errors import InputError
from cxr_common.files import HOST
from cxr_tools.prepare.output_files import check_datalist_output, masks_undone, written

DATALIST = '{"labels": ["A"],\n "training": [{"image": "a.png", "mask": {"A": "out_masks/a_A.png"}}]}\n'


@pytest.fixture
def output(tmp_path):
    (tmp_path / "out.json").write_text(DATALIST, encoding="utf-8")
    (tmp_path / "out_masks").mkdir()
    (tmp_path / "out_masks" / "a_A.png").touch()
    return tmp_path / "out.json"


def test_an_earlier_run_is_replaced(output):
    check_datalist_output(output, output.parent / "out_masks")
    check_datalist_output(output.with_name("new.json"), output.parent / "new_masks")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: (path.parent / "out_masks" / "mine.png").touch(), "out_masks: holds mine.png, which no earlier"),
        (
            lambda path: path.unlink(),
            "out_masks: holds a_A.png, which no earlier run of this command wrote; give --out",
        ),
        (lambda path: path.write_text('[{"file_name": "a.png"}]'), "out.json: is there already, and no datalist that"),
        (lambda path: (path.unlink(), path.mkdir()), "out.json: is a folder; give --output another name"),
    ],
)
def test_nothing_else_is(output, harm, said):
    harm(output)
    with pytest.raises(InputError) as caught:
        check_datalist_output(output, output.parent / "out_masks")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["out", "test_list.txt"])
def test_a_name_that_is_no_datalists(tmp_path, name):
    with pytest.raises(InputError, match="does not end in .json; give --output another name"):
        check_datalist_output(tmp_path / name, tmp_path / "masks")


def test_what_the_system_refuses_is_one_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be read or written"):
        with written(tmp_path / "file" / "below"):
            pass
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match="a folder is in the way"):
        with written(tmp_path) as new:
            (new / "a.json").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "file"]


@pytest.mark.parametrize("there", [True, False])
def test_masks_of_a_run_that_fails_go_and_earlier_ones_stay(tmp_path, there):
    folder = tmp_path / "masks"
    if there:
        folder.mkdir()
        (folder / "old.png").touch()
    with pytest.raises(InputError), masks_undone(folder):
        folder.mkdir(exist_ok=True)
        (folder / "new.png").touch()
        raise InputError("bad")
    assert [path.name for path in tmp_path.rglob("*")] == (["masks", "old.png"] if there else [])


def test_what_killed_runs_left_goes_and_that_of_others_stays(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, alive = (tmp_path / f".partial-{HOST}.{process}.x" for process in (dead.pid, os.getpid()))
    for folder in (left, alive):
        (folder / "new").mkdir(parents=True)
    with written(tmp_path) as new:
        (new / "a").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "a"]
