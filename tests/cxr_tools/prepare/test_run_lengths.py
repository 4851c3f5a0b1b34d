"""Run lengths: round trips, against pycocotools, and against genuine masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from cxr_tools.prepare.run_lengths import decode_coco, decode_siim, encode_coco, encode_siim

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(masks)
def test_round_trips(mask):
    assert np.array_equal(decode_siim(encode_siim(mask), mask.shape), mask)
    assert np.array_equal(decode_coco(encode_coco(mask), mask.shape), mask)


@given(masks)
def test_pycocotools_reads_and_writes_the_same(mask):
    picture = np.asfortranarray(mask.T.astype(np.uint8))
    theirs = coco.encode(picture)
    assert encode_coco(mask) == theirs["counts"].decode()
    assert np.array_equal(decode_coco(theirs["counts"].decode(), mask.shape), mask)


@given(st.integers(1, 3000), st.integers(0, 2999), st.integers(1, 3000))
def test_long_runs_as_pycocotools_has_them(height, start, length):
    mask = np.zeros((4, height), dtype=bool)
    mask[:, start : start + length] = True
    assert encode_coco(mask) == coco.encode(np.asfortranarray(mask.T.astype(np.uint8)))["counts"].decode()


def test_siim_counts_down_columns_and_from_the_end_of_the_run_before():
    mask = decode_siim("5 2 8 1", (4, 5))  # columns of 5 pixels: skip the first, two of the second, ...
    assert [tuple(p) for p in np.argwhere(mask)] == [(1, 0), (1, 1), (3, 0)]


@pytest.mark.parametrize("text", ["-1", "", " -1 "])
def test_no_mask(text):
    assert not decode_siim(text, (3, 2)).any()


@pytest.mark.parametrize("text", ["1", "1 2 3", "0 7", "-3 2", "1 x"])
def test_what_is_no_siim_mask(text):
    with pytest.raises(ValueError):
        decode_siim(text, (3, 2))


@pytest.mark.parametrize("counts", ["0", "\x7f", [1, 2], [-1, 7], "_"])
def test_what_is_no_coco_mask(counts):
    with pytest.raises(ValueError):
        decode_coco(counts, (3, 2))
