"""Labels for inter-pixel relations from heatmaps."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from cxr_common.axes import picture_to_tensor
from cxr_common.networks.crf import CrfSettings, refine_labels
from cxr_common.refinement.relation_labels import IGNORE, multi_label_relations, reduce_labels, single_label_relations
from tests import golden

NAN = float("nan")


def placed(cams, keys, classes):
    """The maps of the golden keys among all classes; the others are bright, but the image does not have them."""
    heatmaps = torch.ones(classes, *cams.shape[1:], dtype=cams.dtype)
    heatmaps[keys] = cams
    labels = [0.0, NAN, -1.0] * classes
    for k in keys:
        labels[k] = 1.0
    return heatmaps, labels[:classes]


@pytest.mark.parametrize("i", [0, 1])
def test_single_label_golden(i):
    expected = golden.load("irn_cam_to_label")
    cams = picture_to_tensor(torch.from_numpy(expected[f"cams{i}"]))
    heatmaps, labels = placed(cams, expected[f"keys{i}"].tolist(), 20)
    thresholds = float(expected[f"fg_thres{i}"]), float(expected[f"bg_thres{i}"])
    relations = single_label_relations(heatmaps, labels, *thresholds)
    assert relations.dtype == torch.uint8
    assert np.array_equal(relations.numpy(), picture_to_tensor(expected[f"label{i}"]))


def test_multi_label_golden():
    expected = golden.load("irn_cam_to_label")
    cams = picture_to_tensor(torch.from_numpy(expected["cams1"]))
    heatmaps, labels = placed(cams, expected["keys1"].tolist(), 4)
    relations = multi_label_relations(heatmaps / cams.max(), labels)
    rule = single_label_relations(heatmaps / cams.max(), labels, 0.25, 0.10)
    assert torch.equal(relations[1], rule)
    # The golden maps were divided by their maximum + 1e-5; no pixel is so close to a threshold that it matters.
    assert np.array_equal(relations[1].numpy(), picture_to_tensor(expected["label1"]))
    assert (relations[[0, 2, 3]] == IGNORE).all()


def test_reduction_golden():
    expected = golden.load("irn_losses")
    full = picture_to_tensor(torch.from_numpy(expected["label_full"]))
    assert np.array_equal(reduce_labels(full).numpy(), picture_to_tensor(expected["label_reduced"]))


def test_single_label_by_hand():
    heatmaps = torch.tensor([[[0.31, 0.1, 0.0]], [[0.9, 0.9, 0.9]], [[0.2, 0.05, 0.4]]])
    assert single_label_relations(heatmaps, [1, 0, 1]).tolist() == [[1, IGNORE, 3]]
    assert single_label_relations(heatmaps, [0, 0, 1]).tolist() == [[IGNORE, 0, 3]]


def test_multi_label_by_hand():
    heatmaps = torch.tensor([[[4.0, 0.9, 0.2]], [[0.5, 0.2, 0.01]], [[1.0, 1.0, 1.0]]])
    relations = multi_label_relations(heatmaps, [1, 1, None])
    assert relations.tolist() == [[[1, IGNORE, 0]], [[2, 2, 0]], [[IGNORE] * 3]]


@pytest.mark.parametrize("threshold", [0.3, 0.05])
def test_a_tie_with_a_threshold_in_float32_is_below_it(threshold):
    tie = torch.full((1, 1, 1), threshold)  # float32, 0.3 rounds up: in float64 it would be above
    next_up = torch.nextafter(tie, torch.ones(1))
    expected = {0.3: (IGNORE, 1), 0.05: (0, IGNORE)}[threshold]
    assert [int(single_label_relations(h, [1])) for h in (tie, next_up)] == list(expected)
    assert int(single_label_relations(tie.double(), [1])) == expected[0]


def test_the_first_class_wins_a_tie():
    assert single_label_relations(torch.full((3, 1, 1), 0.8), [0, 1, 1]).tolist() == [[2]]


@pytest.mark.parametrize(("labels", "value"), [([0, 0], 0), ([0, -1], IGNORE), ([0, None], IGNORE), ([NAN, 0], IGNORE)])
def test_no_class_present(labels, value):
    heatmaps = torch.rand(2, 4, 5)
    assert (single_label_relations(heatmaps, labels) == value).all()
    assert (multi_label_relations(heatmaps, labels) == IGNORE).all()


def test_a_dead_map_of_a_present_finding_teaches_nothing():
    assert (multi_label_relations(torch.stack((torch.zeros(4, 4), -torch.ones(4, 4))), [1, 1]) == IGNORE).all()


def test_transposed_heatmaps_give_transposed_labels():
    heatmaps = torch.rand(3, 9, 13)
    for relations in (single_label_relations, multi_label_relations):
        assert torch.equal(relations(heatmaps.mT, [1, 0, 1]), relations(heatmaps, [1, 0, 1]).mT)


def test_permuted_classes_give_permuted_labels():
    heatmaps, order = torch.rand(4, 9, 13), [2, 0, 3, 1]
    labels = torch.tensor([1.0, 0.0, 1.0, 1.0])
    single = single_label_relations(heatmaps, labels)
    permuted = single_label_relations(heatmaps[order], labels[order])
    back = {i + 1: old + 1 for i, old in enumerate(order)} | {0: 0, IGNORE: IGNORE}
    assert [back[v] for v in permuted.flatten().tolist()] == single.flatten().tolist()
    multi, permuted = multi_label_relations(heatmaps, labels), multi_label_relations(heatmaps[order], labels[order])
    for i, old in enumerate(order):
        assert torch.equal(permuted[i] == i + 1, multi[old] == old + 1)
        assert torch.equal(permuted[i] == 0, multi[old] == 0)


def test_the_refiner_sees_each_threshold_and_its_foreground_wins():
    seen = []

    def refine(labels, n_labels):
        seen.append((labels.tolist(), n_labels))
        return torch.tensor([[[1, 0, 0]]]) if len(seen) == 1 else torch.tensor([[[0, 2, 0]]])

    heatmaps = torch.tensor([[[0.1, 0.0, 0.9]], [[1.0, 1.0, 1.0]], [[0.0, 0.4, 0.0]]])
    relations = single_label_relations(heatmaps, [1, 0, 1], refine=refine)
    assert seen == [([[[0, 2, 1]]], 3), ([[[1, 2, 1]]], 3)]
    assert relations.tolist() == [[1, IGNORE, 0]]


def test_with_the_crf_labels_follow_the_edges_of_the_image():
    truth = torch.zeros(32, 24, dtype=torch.bool)
    truth[8:24, 6:18] = True
    image = (60.0 + 120 * truth)[None, None]
    x, y = torch.meshgrid(torch.arange(32.0), torch.arange(24.0), indexing="ij")
    blob = torch.exp(-(((x - 15) / 10) ** 2) - ((y - 11) / 8) ** 2)[None]  # spills over the edges
    refine = partial(refine_labels, image=image, settings=CrfSettings().at_stride(4))
    rough, fine = (multi_label_relations(blob, [1], 0.4, 0.3, refine=r)[0] for r in (None, refine))
    assert ((fine == 1) != truth).sum() < ((rough == 1) != truth).sum()
    assert torch.equal(fine == 1, truth)
    assert torch.equal(fine == 0, ~truth)


@pytest.mark.parametrize(
    ("heatmaps", "labels", "thresholds", "match"),
    [
        (torch.zeros(2, 4, 4), [1], (0.3, 0.1), "with C = 1"),
        (torch.zeros(4, 4), [1] * 4, (0.3, 0.1), "heatmaps must be"),
        (torch.zeros(255, 2, 2), [1] * 255, (0.3, 0.1), "< 255"),
        (torch.full((1, 2, 2), NAN), [1], (0.3, 0.1), "NaN"),
        (torch.zeros(1, 2, 2), [1], (0.1, 0.3), "foreground"),
        (torch.zeros(1, 2, 2), [1], (0.3, -0.1), "negative"),
    ],
)
def test_bad_input_is_refused(heatmaps, labels, thresholds, match):
    for relations in (single_label_relations, multi_label_relations):
        with pytest.raises(ValueError, match=match):
            relations(heatmaps, labels, *thresholds)
