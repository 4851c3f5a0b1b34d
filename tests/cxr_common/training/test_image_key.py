from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Lambdad, RandFlipd, Resized, ScaleIntensityd

from cxr_common.errors import InputError
from cxr_common.training.image_key import describe_transforms, file_state, key_of


def scaled(factor):
    return Lambdad("image", lambda image: image * factor)


CHANGES = [
    (Resized("image", (8, 8)), Resized("image", (8, 9))),
    (Resized("image", (8, 8), mode="area"), Resized("image", (8, 8), mode="nearest")),
    (Lambdad("image", lambda v: v + 1), Lambdad("image", lambda v: v + 2)),
    (Lambdad("image", lambda v, n=1: v * n), Lambdad("image", lambda v, n=2: v * n)),
    (scaled(2), scaled(3)),
    (Lambdad("image", partial(torch.mul, other=2)), Lambdad("image", partial(torch.mul, other=3))),
    (scaled(np.arange(3)), scaled(np.arange(1, 4))),
    (scaled(torch.zeros(2)), scaled(torch.zeros(3))),
    (ScaleIntensityd("image", dtype=np.float32), ScaleIntensityd("image", dtype=np.float64)),
]


@pytest.mark.parametrize(("one", "other"), CHANGES)
def test_every_setting_counts(one, other):
    assert describe_transforms([one]) != describe_transforms([other])
    assert describe_transforms([one]) == describe_transforms([Compose([one])])


def test_order_counts():
    one, other = CHANGES[0]
    assert describe_transforms([one, other]) != describe_transforms([other, one])


@pytest.mark.slow
def test_it_is_the_same_in_another_process():
    code = """
from monai.transforms import Lambdad, Resized
from cxr_common.training.image_key import describe_transforms
from cxr_common.transforms import LoadRadiographd
words = {"one", "two", "three"}
kept = Lambdad("image", lambda v, words=words: [w for w in words])
print(describe_transforms([LoadRadiographd("image"), Resized("image", (8, 8)), kept]))
"""
    command = [sys.executable, "-c", code]
    texts = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(texts) == 1 and "LoadRadiographd" in texts.pop()


def test_what_cannot_be_told_is_refused():
    with pytest.raises(InputError, match="RandFlipd is random"):
        describe_transforms([Compose([RandFlipd("image")])])
    with pytest.raises(InputError, match="cannot tell what a lock does"):
        describe_transforms([scaled(threading.Lock())])


def test_a_file_that_changes_has_another_state(tmp_path):
    path = tmp_path / "a.png"
    missing = file_state(path)
    path.write_bytes(b"1")
    first = file_state(path)
    path.write_bytes(b"12")
    assert len({missing, first, file_state(path)}) == 3


def test_keys_are_of_the_texts_one_by_one():
    assert key_of(["a", "b"]) != key_of(["ab"]) != key_of(["b", "a"]) and len(key_of([])) == 32
