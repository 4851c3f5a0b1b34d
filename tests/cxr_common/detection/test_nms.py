from __future__ import annotations

import statistics
import sys
import time
import types

import numpy as np
import pytest
import torch
from monai.data.box_utils import batched_nms as monai_nms

from cxr_common.boxes import pairwise_iou
from cxr_common.detection import batched_nms, nms


@pytest.fixture(autouse=True)
def torchvision_is_asked_for_anew():
    nms.torchvision_nms.cache_clear()
    yield
    nms.torchvision_nms.cache_clear()


@pytest.fixture
def without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)


def example(seed, count, classes=3, integer=False, clusters=12):
    """Boxes about common centres; integers give equal scores and overlaps of exactly the threshold."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(clusters, 2, generator=generator) * 200
    centre = centres[torch.randint(0, clusters, (count,), generator=generator)]
    centre = centre + torch.randn(count, 2, generator=generator) * 8
    half = 4 + torch.rand(count, 2, generator=generator) * 20
    boxes = torch.cat((centre - half, centre + half), 1).clamp(0, 220)
    scores = torch.rand(count, generator=generator)
    if integer:
        boxes, scores = (boxes / 4).round() * 4, (scores * 5).round() / 5
    return boxes, scores, torch.randint(0, classes, (count,), generator=generator)


@pytest.mark.usefixtures("without_torchvision")
@pytest.mark.parametrize("block", [1, 100, 1 << 16])
@pytest.mark.parametrize("integer", [False, True])
def test_monais_result(block, integer, monkeypatch):
    monkeypatch.setattr(nms, "BLOCK_CELLS", block)
    for seed in range(3):
        for count, classes in ((1, 1), (40, 1), (90, 4)):
            case = example(seed, count, classes, integer)
            for threshold, most in ((0.5, -1), (0.25, 7), (0.0, -1)):
                found = batched_nms(*case, threshold, most)
                assert found.tolist() == monai_nms(*case, threshold, most).tolist()


@pytest.mark.usefixtures("without_torchvision")
def test_of_equal_scores_the_first_wins():
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 1, 10, 11], [50, 50, 60, 60]])
    assert batched_nms(boxes, torch.full((4,), 0.5), torch.zeros(4), 0.5).tolist() == [0, 3]
    assert batched_nms(boxes.flip(0), torch.full((4,), 0.5), torch.zeros(4), 0.5).tolist() == [0, 1]


@pytest.mark.usefixtures("without_torchvision")
@pytest.mark.parametrize("seed", range(4))
def test_classes_stay_apart_below_zero_too(seed):
    boxes, scores, labels = example(seed, 80)
    boxes = boxes - 300
    kept = []
    for i in scores.argsort(descending=True).tolist():
        rivals = [k for k in kept if labels[k] == labels[i]]
        if not rivals or pairwise_iou(boxes[[i]].numpy(), boxes[rivals].numpy()).max() <= 0.5:
            kept.append(i)
    assert batched_nms(boxes, scores, labels, 0.5).tolist() == kept


def test_no_boxes():
    found = batched_nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0), 0.5)
    assert found.shape == (0,) and found.dtype == torch.long


@pytest.mark.usefixtures("without_torchvision")
def test_degenerate_boxes_suppress_nothing():
    boxes = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 5], [0, 5, 9, 5]])
    case = (boxes, torch.tensor([0.9, 0.8, 0.7]), torch.zeros(3))
    assert batched_nms(*case, 0.5).tolist() == monai_nms(*case, 0.5).tolist() == [0, 1, 2]


def test_torchvision_is_used_where_it_imports(monkeypatch):
    calls = []

    def loop(boxes, scores, threshold):
        calls.append(len(boxes))
        order = scores.argsort(descending=True)
        return order[torch.from_numpy(nms.greedy_nms(boxes[order].numpy(), threshold))]

    package, ops = types.ModuleType("torchvision"), types.ModuleType("torchvision.ops")
    package.ops, ops.nms = ops, loop
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.ops", ops)
    case = example(0, 60, integer=True)
    assert batched_nms(*case, 0.5, 9).tolist() == monai_nms(*case, 0.5, 9).tolist()
    assert calls == [60]


@pytest.mark.parametrize("error", ["RuntimeError('operator torchvision::nms does not exist')", "ImportError('gone')"])
def test_a_torchvision_of_another_torch_is_passed_over(tmp_path, monkeypatch, error):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(f"raise {error}\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    assert nms.torchvision_nms() is None
    case = example(1, 40)
    assert batched_nms(*case, 0.5).tolist() == monai_nms(*case, 0.5).tolist()


def test_a_torchvision_that_does_not_know_the_device_is_done_without(monkeypatch):
    def without_cuda(boxes, scores, threshold):
        raise NotImplementedError("Could not run 'torchvision::nms' with arguments from the 'CUDA' backend")

    monkeypatch.setattr(nms, "torchvision_nms", lambda: without_cuda)
    case = example(1, 40)
    assert batched_nms(*case, 0.5).tolist() == monai_nms(*case, 0.5).tolist()


@pytest.mark.slow
@pytest.mark.usefixtures("without_torchvision")
@pytest.mark.parametrize(("classes", "clusters"), [(8, 1000), (1, 1000), (8, 20), (1, 20)])
def test_twenty_times_as_fast_as_monai_at_1000_boxes(classes, clusters):
    """Paired, in processor time, since other things run on the machine."""
    case = example(0, 1000, classes, clusters=clusters)
    ratios = []
    for _ in range(5):
        times = []
        for function in (batched_nms, monai_nms):
            start = time.process_time()
            function(*case, 0.5)
            times.append(time.process_time() - start)
        ratios.append(times[1] / times[0])
    print(classes, clusters, "ratio", np.round(ratios, 1))
    assert statistics.median(ratios) >= 20
