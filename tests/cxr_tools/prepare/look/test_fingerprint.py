"""The perceptual hash, and what is said of an image file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cxr_tools.prepare.look.doubles import MOST_BITS, same_bytes, same_look
from cxr_tools.prepare.look.fingerprint import Fingerprint, fingerprint, look_bits
from tests.image_files import grey_picture


def other_picture():
    return np.ascontiguousarray(grey_picture()[::-1, ::-1] ** 2)


def differ(a, b):
    return int((look_bits(a) != look_bits(b)).sum())


def test_copies_are_near_and_other_pictures_far():
    picture = grey_picture(240, 360)
    small = np.asarray(Image.fromarray((picture * 255).astype(np.uint8)).resize((200, 130))) / 255
    buffer = io.BytesIO()
    Image.fromarray((picture * 255).astype(np.uint8)).save(buffer, "JPEG", quality=50)
    compressed = np.asarray(Image.open(buffer)) / 255
    assert max(differ(picture, small), differ(picture, compressed), differ(picture, picture**0.9)) <= MOST_BITS
    assert differ(picture, other_picture()) > MOST_BITS and differ(picture, picture[:, ::-1]) > MOST_BITS


def test_what_is_said_of_files(tmp_path):
    Image.fromarray(np.full((90, 80), 70, np.uint8)).save(tmp_path / "flat.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    flat, broken, gone = (fingerprint(tmp_path / name) for name in ("flat.png", "broken.png", "gone.png"))
    assert flat.size == (80, 90) and "uniform" in flat.doubt and not flat.fault
    assert broken.size is None and broken.digest and broken.fault and broken.bits is None
    assert gone.fault == "no such file or directory" and not gone.digest


def prints(*pictures):
    return [Fingerprint((9, 6), str(n), look_bits(p)) for n, p in enumerate(pictures)]


def test_doubles_are_looked_for_in_different_sections_only():
    found = prints(grey_picture(), other_picture(), grey_picture() ** 0.95, grey_picture() ** 1.05)
    pairs = same_look(found, ["training", "training", "training", "testing"])
    assert [pair[:2] for pair in pairs] == [(0, 3), (2, 3)] or [pair[:2] for pair in pairs] == [(2, 3), (0, 3)]
    assert same_look(found, ["training"] * 4) == [] and same_look([], []) == []


def test_the_same_bytes_are_named_once():
    found = [Fingerprint(None, digest) for digest in ("a", "b", "a", "", "")]
    assert same_bytes(found, ["training", "training", "testing", "training", "testing"]) == [(0, 2)]


@pytest.mark.parametrize("count", [1, 1025, 2100])
def test_blocks_of_many_images_find_all_pairs(count):
    rng = np.random.default_rng(0)
    bits = rng.random((count, 255)) > 0.5
    found = [Fingerprint((1, 1), str(i), b) for i, b in enumerate(bits)] + [Fingerprint((1, 1), "x", bits[-1])]
    assert same_look(found, ["training"] * count + ["testing"]) == [(count - 1, count, 0)]
