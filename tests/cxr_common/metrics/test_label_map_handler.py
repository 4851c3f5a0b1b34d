from __future__ import annotations

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from torch.nn import functional as F

from cxr_common.metrics import LabelMapIoU, dataset_iou
from cxr_common.metrics.label_maps import label_map_counts


def test_it_is_the_iou_of_the_whole_epoch():
    rng = np.random.default_rng(0)
    predicted, truth = rng.integers(0, 3, (2, 5, 7, 6))
    truth[truth.shape[0] // 2, :2] = 255
    batches = [(predicted[:3], truth[:3]), (predicted[3:], truth[3:])]

    def step(engine, batch):
        maps = F.one_hot(torch.from_numpy(batch[0]), 3).movedim(-1, 1).float()
        return maps, torch.from_numpy(batch[1])

    engine = Engine(step)
    LabelMapIoU(["bus", "sheep"]).attach(engine, "miou")
    engine.run(batches)
    expected = dataset_iou(label_map_counts(predicted, truth, 2))
    assert engine.state.metrics["miou"] == pytest.approx(expected.mean())
    for name, value in zip(("background", "bus", "sheep"), expected):
        assert engine.state.metrics[f"miou_{name}"] == pytest.approx(value)
