import json
import os
from types import SimpleNamespace

import pytest

from cxr_common.findings.record_lines import JOURNAL, RecordLines

RUN = {"model": {"name": "bundle"}, "outputs": ["json"]}


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").write_text(name)
        (tmp_path / f"{name}_overlay.png").touch()
    return tmp_path


def record_of(name):
    return {"case": name, "path": f"{name}.png", "files": {"overlay": f"{name}_overlay.png"}}


def started(folder, names="", run=RUN, resume=False):
    lines = RecordLines(folder / JOURNAL, run, resume)
    for name in names:
        lines.append(record_of(name), str(folder / f"{name}.png"), {"list.txt": name})
    return lines


def test_records_come_back_in_their_order_again_and_again(folder):
    lines = started(folder, "ba")
    for _ in range(2):
        assert list(lines) == [record_of("b"), record_of("a")]
    assert [entry["notes"] for entry in lines.entries()] == [{"list.txt": "b"}, {"list.txt": "a"}]
    assert len(lines) == 2
    lines.close()
    assert not (folder / JOURNAL).exists()
    assert len(list(lines)) == 2  # they can be read as long as somebody has them


def test_a_killed_run_goes_on_after_its_last_whole_line(folder):
    started(folder, "abc")
    path = folder / JOURNAL
    path.write_bytes(path.read_bytes()[:-9])
    lines = started(folder, resume=True)
    assert [record["case"] for record in lines] == ["a", "b"]
    assert lines.done == {str(folder / "a.png"), str(folder / "b.png")}
    lines.append(record_of("c"), str(folder / "c.png"), {})
    assert [json.loads(line)["record"]["case"] for line in path.read_bytes().splitlines()[1:]] == ["a", "b", "c"]


def test_an_image_that_changed_or_lost_its_files_is_done_again(folder):
    started(folder, "abc")
    (folder / "a.png").write_text("another picture")
    (folder / "c_overlay.png").unlink()
    assert [record["case"] for record in started(folder, resume=True)] == ["b"]


@pytest.mark.parametrize("content", [None, b"", b"\xff\x00", b'{"model": 1}\n', b'[1]\n{"source": 1}\n'])
def test_what_is_no_journal_of_this_run_is_begun_anew(folder, content):
    if content is not None:
        (folder / JOURNAL).write_bytes(content)
    assert list(started(folder, resume=True)) == []


def test_a_changed_or_repeated_line_does_not_count(folder):
    started(folder, "abc")
    path = folder / JOURNAL
    whole = path.read_bytes()
    known = list(started(folder, resume=True))
    for place in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        found = list(started(folder, resume=True))
        assert len(found) < 3 and all(record in known for record in found)
    path.write_bytes(whole + whole.splitlines(True)[-1])
    assert list(started(folder, resume=True)) == known


def test_a_run_made_from_something_else_or_that_is_not_resumed_begins_anew(folder, caplog):
    started(folder, "ab")
    assert list(started(folder, run={**RUN, "outputs": ["json", "png"]}, resume=True)) == []
    assert "this run begins anew" in caplog.text
    started(folder, "ab")
    assert list(started(folder)) == []


@pytest.mark.fault("the disk is full while results are written", "one line says so; older results stay whole")
@pytest.mark.parametrize("written", [0, 7])
def test_a_full_disk_leaves_whole_lines(folder, written):
    lines = started(folder, "a")
    real = lines._file

    def write(line):
        if not written:
            raise OSError(28, "No space left on device")
        return real.write(line[:written])

    lines._file = SimpleNamespace(write=write, seek=real.seek, truncate=real.truncate, close=real.close)
    with pytest.raises(OSError, match="No space left"):
        lines.append(record_of("b"), str(folder / "b.png"), {})
    lines._file = real
    lines.append(record_of("c"), str(folder / "c.png"), {})
    assert [record["case"] for record in lines] == ["a", "c"]
    assert os.path.getsize(folder / JOURNAL) == sum(map(len, (folder / JOURNAL).read_bytes().splitlines(True)))
