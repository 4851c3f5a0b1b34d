"""Parity with the published PYLON: maps, pooled logits, gate and loss from the authors' code."""

from __future__ import annotations

import pytest
import torch

from cxr_common.axes import argmax_point, picture_to_tensor, tensor_to_picture
from cxr_common.errors import InputError
from cxr_common.localization import from_published_pylon
from tests import golden

CASES = [("pylon_2021_256", 105, 2), ("pylon_2020_256", 208, 1)]


@pytest.mark.parametrize(("case", "seed", "convolutions"), CASES)
def test_parity_float64(case, seed, convolutions):
    expected = golden.load(case)
    network = from_published_pylon(golden.weights(case, seed))
    assert not network.training
    assert len(network.up[0].lateral) == convolutions
    x = golden.image(seed, 2, 1, 256, 256)
    assert x.sum().item() == pytest.approx(float(expected["image_sum"]), abs=1e-6)
    with torch.no_grad():
        features = network.backbone(picture_to_tensor(x))
        gate = network.attention.gate(features[3])
        maps = network(picture_to_tensor(x))
    pooled = network.pool(maps)
    picture = tensor_to_picture(maps)
    torch.testing.assert_close(pooled.numpy(), expected["pooled_logits"], atol=1e-9, rtol=0)
    torch.testing.assert_close(tensor_to_picture(gate).numpy(), expected["pa_gate"], atol=1e-9, rtol=0)
    seg = torch.from_numpy(expected["seg_logits"]).double()
    torch.testing.assert_close(picture[:1], seg, atol=2e-6, rtol=0)
    for i, feature in enumerate(features, start=2):
        stats = torch.stack((feature.mean(), feature.std(), feature.min(), feature.max()))
        torch.testing.assert_close(stats, torch.from_numpy(expected[f"f{i}_stats"]), atol=1e-9, rtol=0)
    point = argmax_point(maps)
    flat = point[..., 1] * picture.shape[-1] + point[..., 0]
    assert (flat.numpy() == expected["argmax_flat"]).all()
    labels = torch.from_numpy(expected["bce_labels"]).double()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(pooled, labels)
    assert loss.item() == pytest.approx(float(expected["bce_loss"]), abs=1e-9)


@pytest.mark.parametrize(("case", "seed", "convolutions"), CASES)
def test_parity_float32(case, seed, convolutions):
    expected = golden.load(case)
    network = from_published_pylon(golden.weights(case, seed)).float()
    with torch.no_grad():
        maps = network(picture_to_tensor(golden.image(seed, 2, 1, 256, 256).float()))
    torch.testing.assert_close(
        network.pool(maps).double(), torch.from_numpy(expected["pooled_logits"]), atol=2e-4, rtol=0
    )
    torch.testing.assert_close(tensor_to_picture(maps)[:1].numpy(), expected["seg_logits"], atol=2e-4, rtol=0)


def as_published(network) -> dict[str, torch.Tensor]:
    """Our state dict under the published names, kernels back on (row, column): the converter's inverse, by hand."""
    part = {"0": "conv", "1": "bn"}
    out = {}
    two = len(network.up[0].lateral) == 2
    for key, value in network.state_dict().items():
        p = key.split(".")
        if p[0] == "backbone":
            name = ".".join(["net.encoder", *p[1:]])
        elif p[0] == "head":
            name = f"net.segmentation_head.0.{p[1]}"
        elif p[0] == "up":
            index = f"{p[3]}." if two else ""
            name = f"net.decoder.up{3 - int(p[1])}.conv1.{index}{part[p[4]]}.{p[5]}"
        elif p[1] in part:
            name = f"net.decoder.pa.mid.0.{part[p[1]]}.{p[2]}"
        else:
            index = {"mid": "0.", "dow": "1."}.get(p[1][:3], "")
            name = f"net.decoder.pa.{p[1]}.{index}{part[p[2]]}.{p[3]}"
        out[name] = picture_to_tensor(value) if value.ndim == 4 else value
    return out


@pytest.mark.parametrize("backbone", ["resnet18", "resnet34", "resnet50"])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("convolutions", [1, 2])
def test_round_trip_of_every_variant(backbone, attention, convolutions):
    from cxr_common.localization import Pylon

    torch.manual_seed(0)
    ours = Pylon(3, 1, backbone, 16, convolutions, attention, up_blocks=2).eval()
    back = from_published_pylon(as_published(ours))
    x = torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(back(x), ours(x), atol=0, rtol=0)


def test_one_error_names_unknown_and_missing_keys():
    from cxr_common.localization import Pylon

    state = as_published(Pylon(2, 1, "resnet18", 8))
    del state["net.encoder.layer2.0.conv1.weight"]
    state["net.decoder.pa.surprise.weight"] = torch.zeros(1)
    with pytest.raises(InputError) as error:
        from_published_pylon(state)
    assert "layer2.0.conv1.weight" in str(error.value)
    assert "net.decoder.pa.surprise.weight" in str(error.value)


def test_refuses_a_foreign_state_dict():
    with pytest.raises(InputError, match="not a PYLON checkpoint"):
        from_published_pylon({"fc.weight": torch.zeros(2, 2)})
