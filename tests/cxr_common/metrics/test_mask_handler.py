from __future__ import annotations

import numpy as np
import pytest
import torch
from ignite.engine import Engine

from cxr_common.axes import picture_to_tensor
from cxr_common.errors import InputError
from cxr_common.metrics import MaskIoU
from tests import golden


def run(handler, batches):
    engine = Engine(lambda _engine, batch: batch)
    handler.attach(engine, "iou")
    return engine.run(batches, 1)


def test_published_validation_in_batches():
    g = golden.load("chexseg_iou")
    probability = torch.from_numpy(picture_to_tensor(g["prob"])).double()
    maps, masks = torch.logit(probability), torch.from_numpy(picture_to_tensor(g["target"])).float()
    names = [f"c{i}" for i in range(10)]
    state = run(MaskIoU(names), [(maps[:2], masks[:2]), (maps[2:], masks[2:])])
    # sigmoid(logit(p)) is not p to the last bit, and a pixel may lie at a threshold.
    assert state.metrics["iou"] == pytest.approx(float(g["mean_best_iou"]), abs=1e-3)
    np.testing.assert_allclose([state.metrics[f"iou_{n}"] for n in names], g["best_iou"], atol=1e-3)
    chosen = run(MaskIoU(names, averaged=["c9", "c0"]), [(maps, masks)]).metrics["iou"]
    assert chosen == pytest.approx(g["best_iou"][[0, 9]].mean(), abs=1e-3)


def test_what_is_not_annotated_is_left_out_and_coarse_maps_are_resized():
    maps = torch.full((2, 2, 4, 4), -9.0)
    maps[:, :, :2] = 9.0
    masks = torch.zeros(2, 2, 16, 16)
    masks[0, 0, :8] = 1
    masks[1, 0] = torch.nan  # would be a miss
    masks[:, 1] = torch.nan
    items = [(m, t) for m, t in zip(maps, masks, strict=True)]
    state = run(MaskIoU(["a", "b"]), [([m for m, _ in items], [t for _, t in items])])  # decollated
    assert state.metrics["iou_a"] == pytest.approx(1)
    assert np.isnan(state.metrics["iou_b"])
    assert state.metrics["iou"] == pytest.approx(1)
    assert state.metric_details["iou"].shape == (1, 2)


def test_unknown_classes_are_refused():
    with pytest.raises(InputError, match="no classes c"):
        MaskIoU(["a", "b"], averaged=["a", "c"])
