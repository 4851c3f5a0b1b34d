from __future__ import annotations

import pytest
import torch

from cxr_common.localization import CamClassifier, DropBlock2d
from cxr_common.localization.dropblock import drop_blocks, keep_mask
from cxr_common.networks import load_weights, save_weights
from tests.golden import load


@pytest.mark.parametrize("case", range(3))
def test_blocks_and_scale_are_the_published_ones(case):
    golden = load("wsmis_dropblock")
    x, seeds = (torch.from_numpy(golden[f"{name}{case}"]).double() for name in ("x", "seed_mask"))
    size = int(golden[f"block{case}"])
    torch.testing.assert_close(keep_mask(seeds, size), torch.from_numpy(golden[f"keep_mask{case}"]).double())
    expected = torch.from_numpy(golden[f"out{case}"]).double()
    torch.testing.assert_close(drop_blocks(x, seeds, size), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_a_seed_removes_its_block_and_no_more(size):
    seeds = torch.zeros(1, 20, 20)
    seeds[0, 10, 5] = 1
    gone = (keep_mask(seeds, size)[0] == 0).nonzero()
    before = size // 2 if size % 2 else size // 2 - 1
    assert gone[:, 0].unique().tolist() == list(range(10 - before, 10 - before + size))
    assert gone[:, 1].unique().tolist() == list(range(5 - before, 5 - before + size))
    assert len(gone) == size**2


def test_the_batch_keeps_its_mean_on_constant_features():
    torch.manual_seed(0)
    out = DropBlock2d(0.3, 3).train()(torch.full((4, 2, 16, 16), 2.0))
    torch.testing.assert_close(out.mean(), torch.tensor(2.0))
    assert (out == 0).any()
    torch.testing.assert_close(out[:, 0], out[:, 1])  # channels share the mask


def test_about_the_asked_part_is_removed():
    torch.manual_seed(0)
    out = DropBlock2d(0.2, 5).train()(torch.ones(64, 1, 64, 64))
    assert 0.14 < (out == 0).float().mean() < 0.2  # overlaps and borders remove a little less than a fifth


def test_evaluation_and_zero_probability_change_nothing():
    x = torch.randn(2, 3, 8, 8)
    assert DropBlock2d(0.5, 3).eval()(x) is x
    assert torch.equal(DropBlock2d(0.0, 3).train()(x), x)


def test_a_map_that_is_removed_whole_has_no_nan():
    out = drop_blocks(torch.ones(1, 1, 3, 3), torch.ones(1, 3, 3), 7)
    assert torch.equal(out, torch.zeros(1, 1, 3, 3))


def test_the_ramp_starts_at_nothing_and_reaches_its_probability():
    torch.manual_seed(0)
    block = DropBlock2d(0.9, 1, ramp_batches=4).train()
    x = torch.ones(8, 1, 32, 32)
    removed = [float((block(x) == 0).float().mean()) for _ in range(6)]
    assert removed[0] == 0
    assert removed[:5] == sorted(removed[:5])
    assert abs(removed[4] - 0.9) < 0.02
    assert abs(removed[5] - 0.9) < 0.02


@pytest.mark.parametrize("ramp", [0, 4])
def test_weights_trained_with_it_fit_a_network_without(ramp, tmp_path):
    trained = CamClassifier(2, backbone="resnet18", dropblock_prob=0.2, dropblock_ramp=ramp)
    plain = CamClassifier(2, backbone="resnet18")
    save_weights(trained, tmp_path / "model.pt")
    load_weights(plain, tmp_path / "model.pt")
    load_weights(trained, tmp_path / "model.pt")


@pytest.mark.parametrize(("probability", "size"), [(1.0, 3), (-0.1, 3), (0.2, 0)])
def test_impossible_settings_are_refused(probability, size):
    with pytest.raises(ValueError, match="drop_prob"):
        DropBlock2d(probability, size)


def test_the_classifier_has_it_after_the_third_and_the_fourth_stage():
    net = CamClassifier(2, backbone="resnet18", dropblock_prob=0.2)
    assert [n for n, m in net.named_modules() if isinstance(m, DropBlock2d)] == [
        "backbone.regularize3",
        "backbone.regularize4",
    ]
    assert not any(isinstance(m, DropBlock2d) for m in CamClassifier(2, backbone="resnet18").modules())
