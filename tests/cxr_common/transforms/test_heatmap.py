from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.findings.heatmap_file import Heatmap, save_heatmap
from cxr_common.transforms import LoadHeatmapd


@pytest.fixture
def path(tmp_path):
    maps = np.zeros((2, 4, 3), np.float16)
    maps[1, 3, 0] = 0.5
    save_heatmap(Heatmap(maps, ("Mass", "Nodule"), (40, 30)), tmp_path / "x_heatmap.npz")
    return str(tmp_path / "x_heatmap.npz")


def test_classes_come_in_the_order_wanted(path):
    maps = LoadHeatmapd("heatmap", ["Nodule", "Mass"])({"heatmap": path, "other": 1})["heatmap"]
    assert maps.dtype == torch.float32
    assert maps.shape == (2, 4, 3)
    assert maps[0, 3, 0] == 0.5
    assert maps[1].max() == 0


def test_a_class_that_is_not_there_is_named(path):
    with pytest.raises(InputError, match="Effusion"):
        LoadHeatmapd("heatmap", ["Mass", "Effusion"])({"heatmap": path})
