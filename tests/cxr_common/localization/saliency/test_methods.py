"""The methods against golden numbers, three other libraries and their own definitions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cxr_common.axes import argmax_point
from cxr_common.errors import InputError
from cxr_common.heatmaps import unit_peak
from cxr_common.localization import METHODS, Cam, GradCam, GradCamPlusPlus, LayerCam, make_method
from tests import golden
from tests.cxr_common.localization.saliency.networks import ClassLogits, classifier, golden_network, image, small

LAYERS = [("cam", "backbone.layer4"), ("cam", "backbone.layer2"), ("pylon", "backbone.layer4"), ("pylon", "up.2")]


@pytest.mark.parametrize(("layer", "tolerance"), [("relu2", 1e-5), ("relu1", 5e-3)])
def test_wsmis_golden(layer, tolerance):
    expected = golden.load("wsmis_gradcampp")
    picture = golden.image(601, 1, 1, 32, 32)
    torch.testing.assert_close(picture.flatten()[:8].numpy(), expected["image_probe"])
    # Network and image are both on (row, column): the methods do not care.
    for dtype in (torch.float64, torch.float32):
        network = golden_network().to(dtype)
        for name, method in (("gradcampp", make_method("gradcampp_wsmis")), ("gradcam", GradCam())):
            logits, maps = method(network, picture.to(dtype), layer)
            target = torch.from_numpy(expected[f"{name}_{layer}"])
            # The golden Grad-CAM is before its ReLU.
            target = target.relu() if name == "gradcam" else target
            limit = 1e-10 if dtype == torch.float64 else tolerance * target.abs().max().item()
            torch.testing.assert_close(maps[0], target, rtol=0, atol=limit)
            torch.testing.assert_close(logits[0].double(), torch.from_numpy(expected["logits"]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("name", "layer"), LAYERS)
@pytest.mark.parametrize("method", ["gradcam", "gradcampp"])
def test_agrees_with_monai(method, name, layer):
    from monai.visualize import GradCAM, GradCAMpp

    network, x = classifier(name), image()
    # MONAI adds 1e-7 to the denominator and takes exp(logit): large gradients and a small logit leave its maps alone.
    with torch.no_grad():
        network.head.weight.mul_(1000)
    maps = make_method(method)(network, x, layer)[1]
    other = (GradCAM if method == "gradcam" else GradCAMpp)(ClassLogits(network), f"network.{layer}")
    for n in range(len(x)):
        network.head.bias.data -= ClassLogits(network)(x[n : n + 1])[0].detach()
        for c in range(3):
            expected = other.compute_map(x[n : n + 1], class_idx=c)
            torch.testing.assert_close(unit_peak(maps[n, c]), unit_peak(expected)[0, 0], rtol=0, atol=1e-4)
    # MONAI's object holds the graph, whose hooks hold the object: no collector sees that circle.
    other.nn_module.score = None
    other.nn_module.activations.clear()
    other.nn_module.gradients.clear()


TORCHCAM = [
    ("gradcam", "GradCAM"),
    ("layercam", "LayerCAM"),
    pytest.param(
        "gradcampp",
        "GradCAMpp",
        # Strict: when torchcam mends it, this says so.
        marks=pytest.mark.xfail(
            reason="torchcam 0.5 divides a copy of alpha, so its alpha is the gradient squared", strict=True
        ),
    ),
]


@pytest.mark.parametrize(("name", "layer"), LAYERS)
@pytest.mark.parametrize(("method", "theirs"), TORCHCAM)
def test_agrees_with_torchcam(method, theirs, name, layer):
    methods = pytest.importorskip("torchcam.methods")
    network, x = classifier(name), image()
    maps = make_method(method)(network, x, layer)[1]
    logits = ClassLogits(network)
    with getattr(methods, theirs)(logits, f"network.{layer}") as other:
        for c in range(3):
            expected = other(c, logits(x), normalized=False)[0]
            torch.testing.assert_close(unit_peak(maps[:, c]), unit_peak(expected), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_agrees_with_captum(name, layer):
    captum = pytest.importorskip("captum.attr")
    network, x = classifier(name), image()
    maps = GradCam()(network, x, layer)[1]
    other = captum.LayerGradCam(ClassLogits(network), network.get_submodule(layer))
    for c in range(3):
        expected = other.attribute(x, target=c, relu_attributions=True).detach()[:, 0]
        torch.testing.assert_close(maps[:, c], expected, rtol=0, atol=1e-4 * expected.max().item())


def test_grad_cam_of_an_averaging_network_is_its_cam():
    network, x = classifier("cam"), image()
    maps = GradCam()(network, x, "backbone.layer4")[1]
    cam = network(x).detach() - network.head.bias.detach()[:, None, None]
    torch.testing.assert_close(maps, cam.relu() / cam[0, 0].numel(), rtol=0, atol=1e-10)


def test_cam_is_the_logit_map_above_its_minimum():
    network, x = classifier("pylon"), image()
    logits, maps = Cam()(network, x)
    expected = network(x).detach()
    torch.testing.assert_close(logits, network.pool(expected))
    torch.testing.assert_close(maps, expected - expected.amin((-2, -1), keepdim=True))
    assert not maps.requires_grad


def test_layer_cam_by_hand():
    activation = torch.tensor([[[[1.0, 2.0]], [[3.0, -4.0]]]])
    gradient = torch.tensor([[[[[2.0, -1.0]], [[1.0, 1.0]]]]])
    assert LayerCam().maps(activation, gradient).tolist() == [[[[5.0, 0.0]]]]


def test_grad_cam_plus_plus_by_hand():
    activation, gradient = torch.ones(1, 1, 1, 2).double(), torch.tensor([[[[[2.0, 1.0]]]]]).double()
    # g^3 A sums to 9 for A = 1 and to -0.9 for A = -0.1; the denominators are 8 and 2 more.
    for scale, w in ((1.0, 4 / 17 * 2 + 1 / 11), (-0.1, 4 / 7.1 * 2 + 1 / 1.1)):
        for score in ("logit", "exp"):
            maps = GradCamPlusPlus(score).maps(scale * activation, gradient)
            expected = scale * w if score == "exp" else max(scale * w, 0)
            torch.testing.assert_close(maps, torch.full_like(maps, expected), rtol=0, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["cam", "pylon"])
def test_batch_equals_one_image_at_a_time(method, name):
    network, x = classifier(name), image(3)
    logits, maps = make_method(method)(network, x, "backbone.layer4")
    assert maps.dtype == torch.float64
    for n in range(3):
        alone, one = make_method(method)(network, x[n : n + 1], "backbone.layer4")
        torch.testing.assert_close(logits[n], alone[0], rtol=0, atol=1e-10)
        torch.testing.assert_close(maps[n], one[0], rtol=1e-8, atol=1e-10 * maps[n].abs().max().item())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_finite_for_extreme_logits_constant_images_and_zero_gradients(method, level):
    network = small()
    network.linear.bias.data.fill_(level)
    network.linear.weight.data[1] = 0
    network.linear.weight.data[2] *= 1e6
    x = torch.stack((torch.zeros(1, 16, 12), torch.ones(1, 16, 12), 1e4 * torch.ones(1, 16, 12), torch.rand(1, 16, 12)))
    logits, maps = make_method(method)(network, x, "relu2")
    assert maps.isfinite().all()
    assert unit_peak(maps).isfinite().all()
    assert (maps[:, 1] == 0).all()


class Corner(nn.Module):
    """Evidence is brightness, passed through as it is; its maps average to the logit."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 2, 1, bias=False)
        self.head = nn.Conv2d(2, 1, 1)
        self.features.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
        self.head.weight.data = torch.tensor([2.0, 0.5]).view(1, 2, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(image).relu())

    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.mean((-2, -1))


@pytest.mark.parametrize("method", METHODS)
def test_the_peak_is_at_the_evidence(method):
    x = 0.1 * torch.rand(1, 1, 9, 6, generator=torch.Generator().manual_seed(0))
    x[0, 0, 7, 1] = 5  # x = 7, y = 1: right, near the top
    _, maps = make_method(method)(Corner(), x, "features")
    heat = unit_peak(maps)
    assert argmax_point(heat).tolist() == [[[7, 1]]]
    assert heat[0, 0, 7, 1] == 1
    assert heat.median() < 0.1


def test_names():
    assert list(METHODS) == ["cam", "gradcam", "gradcampp", "gradcampp_wsmis", "layercam"]
    assert make_method("gradcampp").score == "logit"
    assert make_method("gradcampp_wsmis").score == "exp"
    with pytest.raises(InputError, match="unknown saliency method 'gradcam\\+\\+'; choose one of cam, gradcam"):
        make_method("gradcam++")
    with pytest.raises(InputError, match="LayerCam needs a layer"):
        LayerCam()(small(), image().float(), None)
    with pytest.raises(ValueError, match="score"):
        GradCamPlusPlus("log")
