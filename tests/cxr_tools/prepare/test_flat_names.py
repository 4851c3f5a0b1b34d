from __future__ import annotations

import os

from cxr_tools.prepare.flat_names import FlatNames


def test_a_name_tells_image_and_class():
    names = FlatNames()
    assert names.stem("a/b.png", "Nodule/Mass") == "a_b_Nodule_Mass" == names.stem("a/b.png", "Nodule/Mass")
    assert names.stem("../a/c d.png") == "a_c_d"


def test_no_two_images_or_classes_share_one():
    names = FlatNames()
    pairs = [("a/b.png", "X"), ("a_b.png", "X"), ("a/b.jpg", "X"), ("A/b.png", "X"), ("a/b.png", "x"), ("a", "b_X")]
    found = [names.stem(*pair) for pair in pairs]
    assert len({name.casefold() for name in found}) == len(pairs)
    assert found == [names.stem(*pair) for pair in pairs]


def test_a_name_that_is_too_long_is_cut_and_stays_its_own():
    names, folder = FlatNames(), "\u2603" * 90
    found = {names.stem(f"{folder}/{n}.png", "Mass") for n in range(3)}
    assert len(found) == 3 and all(len(os.fsencode(name)) < 200 for name in found)
