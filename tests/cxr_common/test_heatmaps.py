from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from cxr_common.axes import argmax_point
from cxr_common.heatmaps import unit_peak, upsample_heatmaps


def test_heatmap_is_the_sigmoid_at_the_maps_stride_then_bilinear():
    logits = torch.tensor([[[[-2.0, 2.0]]]])  # x = 0; y = 0, 1
    heat = upsample_heatmaps(logits, (1, 4))[0, 0, 0]
    low, high = torch.sigmoid(torch.tensor([-2.0, 2.0])).tolist()
    expected = [low, 0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high, high]  # by hand, align_corners False
    assert heat.tolist() == pytest.approx(expected)


def test_the_largest_pixel_does_not_hang_on_the_layout_in_memory():
    """With the largest cell at the right and lower edge an enlarged map is constant there: its first pixel counts."""
    small = torch.rand(25, 8, 4, 4, generator=torch.Generator().manual_seed(0)) * 4 - 4
    small[..., 3, 3] = 1 + 4 * torch.rand(25, 8, generator=torch.Generator().manual_seed(1))
    last = small.contiguous(memory_format=torch.channels_last)
    rounded = F.interpolate(last.sigmoid(), size=(128, 128), mode="bilinear", align_corners=False)
    assert len(rounded.flatten(2).argmax(-1).unique()) > 1  # or this test says nothing
    for maps in (small, last):
        points = argmax_point(upsample_heatmaps(maps, (128, 128)))
        assert (points == 112).all()  # the cell's centre lies between 111 and 112


def test_unit_peak_keeps_polarity():
    maps = torch.tensor([[[-2.0, 1.0], [4.0, 2.0]]])
    assert torch.equal(unit_peak(maps), torch.tensor([[[0.0, 0.25], [1.0, 0.5]]]))


def test_maps_without_evidence_give_zeros():
    maps = torch.stack((torch.zeros(3, 4), torch.full((3, 4), -1.0)))
    assert torch.equal(unit_peak(maps), torch.zeros(2, 3, 4))


@given(st.lists(st.floats(-1e300, 1e300), min_size=4, max_size=4))
def test_unit_peak_is_in_unit_range_for_any_values(values):
    heat = unit_peak(torch.tensor(values, dtype=torch.float64).view(1, 2, 2))
    assert ((heat >= 0) & (heat <= 1)).all()
    assert heat.max() == (1 if max(values) > 0 else 0)
