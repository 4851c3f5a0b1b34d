from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cxr_common.axes import argmax_point
from cxr_common.heatmaps import upsample_heatmaps


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
