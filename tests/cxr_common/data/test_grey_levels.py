"""Counting the values of a picture."""

import numpy as np
import pytest

from cxr_common.data.grey_levels import levels_of


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"])
@pytest.mark.parametrize("wide", [False, True])
def test_levels_of_every_type(dtype, wide):
    info = np.iinfo(dtype)
    ends = [info.min, info.max] if wide else [info.max - 2, info.max]
    pixels = np.array([ends, [ends[1], ends[1]]], dtype)
    levels = levels_of(pixels)
    assert levels.counts.sum() == 4 and levels.counts[levels.values == ends[1]].sum() == 3
    assert (levels.values[levels.index(pixels)] == pixels).all()


@pytest.mark.parametrize("wide", [False, True])
def test_padding_is_not_counted_and_has_an_index_all_the_same(wide):
    pixels = np.array([[5, 6, 7, 1 << 20 if wide else 9]])
    padding = np.array([[True, False, False, True]])
    levels = levels_of(pixels, padding)
    assert levels.counts.sum() == 2
    assert levels.values[levels.index(pixels)][~padding].tolist() == [6, 7]
