from __future__ import annotations

import shutil
import zipfile

import pytest

from cxr_common.errors import InputError
from cxr_common.loading import locate
from cxr_common.loading.locate import find_bundle
from tests.golden import REPOSITORY

PYLON = REPOSITORY / "bundles" / "cxr_pylon_localization"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working directory and a cache of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(locate.VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def archive(elsewhere):
    """A zip of a bundle as the model zoo has it: one folder with all in it."""
    path = elsewhere / "mine.zip"
    with zipfile.ZipFile(path, "w") as content:
        content.write(PYLON / "configs" / "inference.json", "mine/configs/inference.json")
    return path


def test_a_name_is_found_in_the_checkout(elsewhere):
    assert find_bundle("cxr_pylon_localization") == PYLON


def test_a_listed_folder_comes_before_the_checkout(elsewhere, monkeypatch):
    own = elsewhere / "own" / PYLON.name
    shutil.copytree(PYLON / "configs", own / "configs")
    monkeypatch.setenv(locate.VARIABLE, str(own.parent))
    assert find_bundle(PYLON.name) == own


def test_a_folder_is_itself():
    assert find_bundle(PYLON) == PYLON


def test_a_zip_is_unpacked_once(archive):
    first = find_bundle(archive)
    assert (first / "configs" / "inference.json").is_file()
    (first / "mark").touch()
    assert (find_bundle(archive) / "mark").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [("cxr_pylon_localisation", "did you mean cxr_pylon_localization"), ("qqq", "known bundles: cxr_")],
)
def test_an_unknown_name_names_those_that_there_are(elsewhere, name, text):
    with pytest.raises(InputError, match=text):
        find_bundle(name)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a bundle for inference"):
        find_bundle(tmp_path)


def test_a_broken_zip_leaves_nothing(elsewhere):
    (elsewhere / "bad.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match="cannot be unpacked"):
        find_bundle(elsewhere / "bad.zip")
    assert not [*(elsewhere / "cache" / "cxr-bundles").iterdir()]


def test_a_zip_without_a_bundle_is_refused(elsewhere):
    with zipfile.ZipFile(elsewhere / "other.zip", "w") as content:
        content.writestr("readme.txt", "nothing")
    with pytest.raises(InputError, match="holds no bundle"):
        find_bundle(elsewhere / "other.zip")


@pytest.mark.fault("a small zip inflates without end", "refused in one line")
def test_a_zip_that_grows_too_large_is_refused(archive, monkeypatch):
    monkeypatch.setattr(locate, "LARGEST", 10)
    with pytest.raises(InputError, match="unpacks to more than"):
        find_bundle(archive)
