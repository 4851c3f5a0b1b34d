from __future__ import annotations

import time
import zipfile

from cxr_tools.pack.archive import write_zip

FILES = {"b.txt": b"two", "a/c.txt": b"one"}


def test_the_same_files_give_the_same_bytes_at_any_time_and_in_any_order(tmp_path, monkeypatch):
    write_zip(tmp_path / "1.zip", "x", FILES)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_zip(tmp_path / "2.zip", "x", dict(reversed(FILES.items())))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_all_lies_in_one_folder_and_can_be_read_by_all(tmp_path):
    write_zip(tmp_path / "1.zip", "x", FILES)
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.testzip() is None
        assert {entry.filename: archive.read(entry) for entry in archive.infolist()} == {
            "x/b.txt": b"two",
            "x/a/c.txt": b"one",
        }
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
