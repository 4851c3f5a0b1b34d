"""One run at a time, noticed before the first image; what killed runs leave is swept."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from cxr_common.files import RUN_FILE, replacing
from cxr_common.findings.run_folder import RunFolder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_second_run_waits_for_its_turn(tmp_path):
    first, second = RunFolder(tmp_path / "out"), RunFolder(tmp_path / "out")
    first.claim()
    (tmp_path / "out" / ".partial-x").mkdir()
    with pytest.raises(InputError, match="another run writes into this folder"):
        second.claim()
    assert names(tmp_path / "out") == [RUN_FILE, ".partial-x"]  # nothing of the first is touched
    first.release()
    second.claim()
    second.claim()  # again, by the same run
    second.release()
    assert names(tmp_path / "out") == []


def test_what_a_killed_run_left_is_swept_and_no_living_one_s(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from cxr_common.files import replacing\n"
        "from cxr_common.findings.run_folder import RunFolder\n"
        "RunFolder(Path(sys.argv[1])).claim(); os.mkdir(sys.argv[1] + '/.partial-x')\n"
        "with replacing(sys.argv[1] + '/checkpoint.pt') as t: t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    child = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": "common"})
    assert child.returncode == -9
    assert len(names(tmp_path)) == 3
    with replacing(tmp_path / "a.json") as living:
        living.write_text("")
        claimed = RunFolder(tmp_path)
        claimed.claim()
        assert names(tmp_path) == sorted([RUN_FILE, living.name])
        claimed.release()


def test_what_cannot_be_written_is_noticed(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "findings.json").mkdir(parents=True)
    for folder, reason in (
        ("file", "cannot be written"),
        ("file/sub", "cannot be written"),
        ("out", "cannot be replaced"),
    ):
        with pytest.raises(InputError, match=reason):
            RunFolder(tmp_path / folder, ("findings.json",)).claim()
    assert names(tmp_path / "out") == ["findings.json"]

    def full(_self, *_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(InputError, match="No space left"):
        RunFolder(tmp_path / "new").claim()


@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() != 0, reason="needs another user to be")
@pytest.mark.parametrize("case", ["read-only", "another user's"])
def test_rights(tmp_path, case):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "findings.json").write_text("old")
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    folder.chmod(0o755 if case == "read-only" else 0o1777)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            RunFolder(folder, ("findings.json",)).claim()
        except InputError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert (folder / "findings.json").read_text() == "old"
