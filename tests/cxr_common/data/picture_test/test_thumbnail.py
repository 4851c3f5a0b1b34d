"""The small picture averages, and forgets exposure."""

from __future__ import annotations

import numpy as np
import torch

from cxr_common.data.picture_test.thumbnail import SIDE, standardised, thumbnail


def test_thumbnail_averages_and_keeps_rows_and_columns_apart():
    picture = np.zeros((3 * SIDE, 2 * SIDE), np.float32)
    picture[:3, :2] = 1
    picture[0, -1] = 0.6
    small = thumbnail(picture)
    assert small.shape == (SIDE, SIDE) and small[0, 0] == 1
    np.testing.assert_allclose(small[0, -1], 0.1, atol=1e-6)
    assert (small > 0).sum() == 2


def test_exposure_is_forgotten():
    small = torch.rand(2, SIDE, SIDE)
    torch.testing.assert_close(standardised(small), standardised(0.2 + 0.3 * small), rtol=1e-3, atol=1e-3)
    assert standardised(torch.full((1, SIDE, SIDE), 0.3)).abs().max() < 1
