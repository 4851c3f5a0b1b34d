"""Saliency in the form of logit maps, alone and inside MONAI's evaluator."""

from __future__ import annotations

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator

from cxr_common.heatmaps import unit_peak
from cxr_common.localization import METHODS, SaliencyInferer, saliency_logits
from cxr_common.localization.saliency.methods import make_method
from cxr_common.networks import max_pool
from tests.cxr_common.localization.saliency.networks import classifier, image, small


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["cam", "pylon"])
def test_largest_pixel_is_the_class_logit(method, name):
    network, x = classifier(name).float(), image().float()
    out = SaliencyInferer(method, "backbone.layer4")(x, network)
    assert out.dtype == torch.float32
    assert type(out) is torch.Tensor
    torch.testing.assert_close(max_pool(out), network.pool(network(x)).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_order_is_that_of_the_saliency(method):
    network, x = small().double(), image()
    out = SaliencyInferer(method, "relu2")(x, network).flatten(2)
    heat = unit_peak(make_method(method)(network, x, "relu2")[1]).flatten(2)
    sorted_out = out.gather(-1, heat.argsort(-1))
    assert (sorted_out.diff(dim=-1) >= 0).all()


@pytest.mark.parametrize("level", [-1e4, -300.0, -30.0, -2.0, 0.0, 3.0, 30.0, 300.0, 1e4])
def test_sigmoid_is_probability_times_heat(level):
    logits = torch.full((1, 1), level)
    maps = torch.tensor([[[[0.0, 0.2, 0.5], [0.999, 4.0, -3.0]]]]) / 4
    out = saliency_logits(logits, maps)
    assert out.float().isfinite().all()
    assert out.max().item() == level
    assert out[0, 0, 0, 0] == out[0, 0, 1, 2] == out.min()
    heat = unit_peak(maps.double())
    torch.testing.assert_close(out.sigmoid(), logits.double().sigmoid() * heat, rtol=1e-6, atol=2e-6)


def test_it_says_how_its_heatmaps_are_made():
    assert SaliencyInferer("layercam", "relu2").describe() == {"saliency": {"method": "layercam", "layer": "relu2"}}
    assert SaliencyInferer("cam", "relu2").describe() == {"saliency": {"method": "cam", "layer": None}}
    own = SaliencyInferer(make_method("gradcam"), torch.nn.ReLU())
    assert own.describe() == {"saliency": {"method": "GradCam", "layer": "ReLU"}}


def test_a_map_without_evidence_is_the_class_logit_everywhere():
    maps = torch.stack((torch.zeros(2, 3), -torch.rand(2, 3)))[None]
    logits = torch.tensor([[1.5, -2.5]])
    assert torch.equal(saliency_logits(logits, maps).float(), logits[..., None, None].expand_as(maps))


def test_constant_network_gives_no_nan():
    network = small()
    network.linear.weight.data.zero_()
    for method in METHODS:
        out = SaliencyInferer(method, "relu2")(image().float(), network)
        torch.testing.assert_close(out, network.linear.bias.detach()[:, None, None].expand_as(out))


@pytest.mark.parametrize("method", METHODS)
def test_inside_the_evaluator(method):
    network = small().requires_grad_(False)
    data = [{"image": MetaTensor(x)} for x in image(3).float()]
    outputs = []
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(data), batch_size=2),
        network=network,
        inferer=SaliencyInferer(method, "relu2"),
        postprocessing=lambda item: outputs.append(item["pred"]) or item,
    )
    evaluator.run()
    expected = SaliencyInferer(method, "relu2")(image(3).float(), network)
    torch.testing.assert_close(torch.stack(outputs), expected, rtol=0, atol=1e-3)


def test_autocast_changes_nothing():
    inferer, network = SaliencyInferer("gradcam", "relu2"), small()
    expected = inferer(image().float(), network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(inferer(image().float(), network), expected)


def test_only_a_module_and_its_image():
    with pytest.raises(TypeError, match="torch module"):
        SaliencyInferer("cam")(image(), lambda x: x)
    with pytest.raises(TypeError, match="nothing but"):
        SaliencyInferer("cam")(image(), small(), 1)
    with pytest.raises(ValueError, match="unknown saliency method"):
        SaliencyInferer("smoothgrad")
