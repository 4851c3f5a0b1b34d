"""Unit peak, larger is more."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from cxr_common.saliency import unit_peak


def test_values_and_polarity():
    maps = torch.tensor([[[-2.0, 1.0], [4.0, 2.0]]])
    assert torch.equal(unit_peak(maps), torch.tensor([[[0.0, 0.25], [1.0, 0.5]]]))


def test_maps_without_evidence_give_zeros():
    maps = torch.stack((torch.zeros(3, 4), torch.full((3, 4), -1.0)))
    assert torch.equal(unit_peak(maps), torch.zeros(2, 3, 4))


@given(st.lists(st.floats(-1e300, 1e300), min_size=4, max_size=4))
def test_in_unit_range_for_any_values(values):
    heat = unit_peak(torch.tensor(values, dtype=torch.float64).view(1, 2, 2))
    assert ((heat >= 0) & (heat <= 1)).all()
    assert heat.max() == (1 if max(values) > 0 else 0)
