"""Dual attention alignment against the published attention, and what the published code gets wrong."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cxr_common.axes import picture_to_tensor
from cxr_common.detection import AlignedLabelLoss
from cxr_common.detection.alignment import aligned_logits, class_features, class_probability_maps, local_attention
from cxr_common.detection.anchors import AnchorGrid
from tests import golden

NAN = float("nan")


def example(dtype=torch.float64):
    """Golden levels (N, x, y, A, K), X, G, and the expected numbers, in our axes."""
    g = golden.load("oxnet_daa")
    levels = []
    for i in range(int(g["n_levels"])):
        levels.append(torch.logit(torch.from_numpy(g[f"level{i}_prob"])).transpose(1, 2).to(dtype))
    x, features, attention = (picture_to_tensor(torch.from_numpy(g[k])).to(dtype) for k in ("X", "G", "attention"))
    return levels, x, features, attention, g


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_parity(dtype, tolerance):
    levels, x, features, expected, g = example(dtype)
    maps = class_probability_maps(levels)
    picked = torch.stack([m.flatten(2).amax(2) for m in maps]).argmax(0)
    assert torch.equal(picked, torch.from_numpy(g["picked_level"]))
    attention = local_attention(maps, x.shape[2:])
    torch.testing.assert_close(attention, expected, atol=tolerance, rtol=0)
    logits = aligned_logits(x, attention)
    torch.testing.assert_close(logits, torch.from_numpy(g["aligned_logits"]).to(dtype), atol=tolerance, rtol=0)
    torch.testing.assert_close(
        class_features(features, attention), torch.from_numpy(g["class_features"]).to(dtype), atol=tolerance, rtol=0
    )
    loss = AlignedLabelLoss()(logits, torch.from_numpy(g["labels"]))
    assert loss.item() == pytest.approx(float(g["bce"]), abs=tolerance)


def test_by_hand():
    """One image, two classes, one anchor: class 0 peaks on the fine level, class 1 on the coarse one."""
    fine, coarse = torch.full((1, 2, 4, 4), 0.1), torch.full((1, 2, 2, 2), 0.2)
    fine[0, 0, 3, 0], coarse[0, 1, 0, 1] = 0.9, 0.8
    attention = local_attention([fine, coarse], (4, 4))
    torch.testing.assert_close(attention[0, 0], fine[0, 0] / fine[0, 0].sum())
    wide = F.interpolate(coarse[:, 1:], size=(4, 4), mode="bilinear", align_corners=True)[0, 0]
    torch.testing.assert_close(attention[0, 1], wide / wide.sum())
    x = torch.randn(1, 2, 4, 4)
    expected = [sum(x[0, c, i, j] * attention[0, c, i, j] for i in range(4) for j in range(4)) for c in range(2)]
    torch.testing.assert_close(aligned_logits(x, attention)[0], torch.stack(expected))


def test_maps_fit_the_detector():
    """One anchor of one cell stands out in the network's flat output, and in the map of its class and level."""
    anchors = AnchorGrid(levels=(3, 4))
    logits = torch.zeros(2, sum(anchors.counts((64, 32))), 3)
    x, y, anchor = 5, 2, 7
    logits[1, (x * 4 + y) * anchors.per_cell + anchor, 2] = 3
    fine, coarse = class_probability_maps(anchors.split(logits, (64, 32)))
    assert fine.shape == (2, 3, 8, 4) and coarse.shape == (2, 3, 4, 2)
    assert fine[1, 2, x, y] == torch.sigmoid(torch.tensor(3.0)) and (fine == 0.5).sum() == fine.numel() - 1
    assert (coarse == 0.5).all()


def test_features_of_a_class_are_its_own():
    """The published view() in place of a transpose gives a class the features of others."""
    features, attention = torch.zeros(1, 6, 2, 2), torch.zeros(1, 3, 2, 2)
    features[0, :, 1, 0] = torch.arange(6.0)
    attention[0, 2, 1, 0] = 1
    found = class_features(features, attention)
    assert torch.equal(found[0, 2], torch.arange(6.0)) and not found[0, :2].any()


def test_the_image_label_teaches_both_heads():
    torch.manual_seed(0)
    heads = [torch.randn(2, 8, 8, 2, 3, requires_grad=True), torch.randn(2, 4, 4, 2, 3, requires_grad=True)]
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    attention = local_attention(class_probability_maps(heads), (4, 4))
    AlignedLabelLoss()(aligned_logits(x, attention), torch.tensor([[1.0, 0, NAN], [0, 1, 1]])).backward()
    assert x.grad.abs().sum() > 0 and sum(h.grad.abs().sum() for h in heads) > 0
    assert not x.grad[0, 2].any()  # not annotated


def test_a_map_that_is_nothing_everywhere_gives_no_nan():
    maps = [torch.zeros(1, 2, 4, 4, requires_grad=True)]
    attention = local_attention(maps, (2, 2))
    assert torch.equal(attention, torch.zeros(1, 2, 2, 2))
    attention.sum().backward()
    assert torch.isfinite(maps[0].grad).all()


def test_half_precision_logits_are_summed_in_float32():
    maps = class_probability_maps([torch.zeros(1, 64, 64, 2, 1, dtype=torch.float16)])
    attention = local_attention(maps, (64, 64))
    assert attention.dtype == torch.float32
    torch.testing.assert_close(attention.sum(), torch.tensor(1.0))


def test_labels_that_are_not_annotated_do_not_count():
    logits = torch.randn(3, 2)
    label = torch.tensor([[1.0, NAN], [0.0, -1.0], [NAN, NAN]])
    expected = F.binary_cross_entropy_with_logits(logits[:2, 0], label[:2, 0])
    torch.testing.assert_close(AlignedLabelLoss()(logits, label), expected)
    ones = F.binary_cross_entropy_with_logits(logits[[0, 1, 1], [0, 0, 1]], torch.tensor([1.0, 0.0, 1.0]))
    torch.testing.assert_close(AlignedLabelLoss("ones")(logits, label), ones)


def test_an_unlabelled_batch_costs_nothing():
    logits = torch.randn(2, 3, requires_grad=True)
    loss = AlignedLabelLoss()(logits, torch.full((2, 3), NAN))
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="unknown label policy"):
        AlignedLabelLoss("maybe")
