"""Images in whatever folders."""

from __future__ import annotations

import pytest

from cxr_common.errors import InputError
from cxr_tools.prepare.image_files import ImageFiles


@pytest.fixture
def root(tmp_path):
    for name in ("a/x.png", "b/deep/y.JPG", "b/z.txt", "out_masks/x.png", ".hidden/x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_paths_come_before_names(root):
    files = ImageFiles(root)
    assert files.find(("c/x.png", "a/x.png")) == "a/x.png" and files.find(("c/x.png",)) is None
    assert (
        files.find(("c/x.dcm",), by_name=True) == "a/x.png" and files.find(("y.png",), by_name=True) == "b/deep/y.JPG"
    )
    assert files.find(("z.txt",), by_name=True) is None


def test_one_name_in_two_folders(root):
    (root / "b" / "x.png").touch()
    with pytest.raises(InputError, match="x.png lies in several folders: a/x.png, b/x.png; keep one"):
        ImageFiles(root).find(("x.png",), by_name=True)


def test_links_are_followed_once(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("disk")
    (elsewhere / "q.png").touch()
    (root / "link").symlink_to(elsewhere)
    (root / "b" / "up").symlink_to(root)
    assert ImageFiles(root).find(("q.png",), by_name=True) == "link/q.png"
