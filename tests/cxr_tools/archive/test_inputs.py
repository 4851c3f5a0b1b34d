from __future__ import annotations

from argparse import Namespace

import pytest

from cxr_common.errors import InputError
from cxr_tools.archive.inputs import list_images
from cxr_tools.archive.source import Source


def images(path):
    return list_images(Namespace(input=str(path)))


def test_a_folder_stands_for_its_radiographs(radiographs):
    found, source = images(radiographs)
    assert found == [str(radiographs / name) for name in ("0.dcm", "1.dcm", "2.dcm", "3.dcm", "4.dcm", "broken.dcm")]
    assert source == Source()


def test_a_list_is_relative_to_its_folder_and_counts_each_image_once(tmp_path):
    (tmp_path / "list.txt").write_text("a.png\n\n../b.png\r\n/c/d.png\na.png\n", encoding="utf-8")
    assert images(tmp_path / "list.txt")[0] == [str(tmp_path / "a.png"), str(tmp_path.parent / "b.png"), "/c/d.png"]


def test_blank_lines_and_a_byte_order_mark_are_no_images(tmp_path):
    (tmp_path / "list.txt").write_text("\ufeffa.png\r\n   \r\n\t\n b.png\n", encoding="utf-8")
    assert images(tmp_path / "list.txt")[0] == [str(tmp_path / "a.png"), str(tmp_path / " b.png")]


def test_a_list_that_is_no_utf_8_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("a.png\n", encoding="utf-16")  # as PowerShell's > writes it
    with pytest.raises(InputError, match="is no text in UTF-8"):
        images(tmp_path / "list.txt")


def test_an_empty_list_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="is empty"):
        images(tmp_path / "list.txt")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        images(tmp_path / "none.txt")
