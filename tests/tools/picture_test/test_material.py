"""Where the pictures come from: patients never cross splits, and what is made is made again."""

from __future__ import annotations

import numpy as np
import pytest

from cxr_common.errors import InputError
from tools.picture_test.lateral import make_lateral
from tools.picture_test.others import limb, page, part_of, shapes
from tools.picture_test.radiographs import find_good


def write_tables(folder, nih, cxr):
    (folder / "nih").mkdir()
    (folder / "cxr").mkdir()
    rows = [f"learn/{p}.png,{p},{split},PA" for p, split in nih]
    (folder / "nih" / "images.csv").write_text("\n".join(["image,patient,split,view", *rows]))
    rows = [
        f"images/{i}.png,{source},{group},{split},{licence},AP Supine" for i, (source, group, split, licence) in cxr
    ]
    head = "file,dataset,group_id,split,licence_class,view"
    (folder / "cxr" / "manifest.csv").write_text("\n".join([head, *rows]))


def test_patients_never_cross_splits_and_closed_images_never_train(tmp_path):
    nih = [("0001", "training"), ("0002", "training"), ("0003", "validation"), ("0004", "localisation")]
    cxr = [("nih", "nih:4", "train", "open"), ("nih", "nih:3", "train", "open"), ("nih", "nih:2", "test", "open")]
    cxr += [("x", "x:1", "train", "nc"), ("x", "x:1", "train", "open"), ("x", "x:2", "train", "open")]
    write_tables(tmp_path, nih, list(enumerate(cxr)))
    found = {split: sorted((i.patient, i.source) for i in images) for split, images in find_good(tmp_path).items()}
    assert found["training"] == [("nih:1", "NIH PA"), ("x:2", "x AP")]
    assert found["validation"] == [("nih:3", "NIH PA")]
    assert {patient for patient, _ in found["testing"]} == {"nih:4", "nih:2", "x:1"}


def test_missing_tables_are_said_so(tmp_path):
    with pytest.raises(InputError, match="--shared"):
        find_good(tmp_path)


def test_what_is_made_is_made_again():
    for make in (limb, shapes, lambda rng: page(rng, (0,))):
        first, again, other = (make(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first.dtype == np.uint8 and np.ptp(first) > 50
        assert np.array_equal(first, again) and not np.array_equal(first, other)
    first, again, other = make_lateral(0, 1), make_lateral(0, 1), make_lateral(0, 2)
    assert np.array_equal(first, again) and not np.array_equal(first, other) and 0 <= first.min() <= first.max() <= 1


def test_parts_of_a_list_do_not_meet():
    assert part_of(list("abcdefg"), (0, 1)) == list("abdeg") and part_of(list("abcdefg"), (2,)) == list("cf")
