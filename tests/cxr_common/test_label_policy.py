from __future__ import annotations

import math

import pytest
import torch

from cxr_common.label_policy import apply_label_policy

NAN = float("nan")


@pytest.mark.parametrize(("policy", "target"), [("zeros", 0.0), ("ones", 1.0), ("soft", 0.7), ("ignore", NAN)])
def test_policies(policy, target):
    out = apply_label_policy(torch.tensor([1.0, 0.0, -1.0, NAN]), policy)
    assert out[:2].tolist() == [1, 0]
    assert math.isnan(out[3])
    assert math.isnan(out[2]) if math.isnan(target) else out[2].item() == pytest.approx(target)
