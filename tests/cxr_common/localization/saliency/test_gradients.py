"""Gradients of every class in one pass: right, and nothing left behind."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.localization import layer_gradients
from tests.cxr_common.localization.saliency.networks import classifier, image, small


def one_at_a_time(network, x, layer):
    """Gradients (N, C, K, x, y) by one plain backward pass an image and class."""
    module, kept = network.get_submodule(layer), []

    def keep(_module, _inputs, output):
        output.retain_grad()
        kept.append(output)
        return output.clone()

    handle = module.register_forward_hook(keep)
    rows = []
    for n in range(len(x)):
        row = []
        for c in range(3):
            kept.clear()
            network.zero_grad()
            network.pool(network(x[n : n + 1]))[0, c].backward()
            row.append(kept[0].grad[0])
        rows.append(torch.stack(row))
    handle.remove()
    network.zero_grad()
    return torch.stack(rows)


@pytest.mark.parametrize(
    ("name", "layer"),
    [("cam", "backbone.layer4"), ("cam", "backbone.bn1"), ("pylon", "backbone.layer3"), ("pylon", "up.1.lateral.1")],
)
def test_equals_one_image_and_class_at_a_time(name, layer):
    network, x = classifier(name), image()
    logits, activation, gradient = layer_gradients(network, x, layer)
    torch.testing.assert_close(logits, network.pool(network(x)).detach(), rtol=0, atol=1e-12)
    expected = one_at_a_time(network, x, layer)
    assert gradient.shape == (2, 3, *activation.shape[1:])
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-10 * expected.abs().max().item())


@pytest.mark.parametrize("score", ["logit", "exp"])
def test_central_differences(score):
    network, x = small().double(), image(1, 8, 6)
    logits, activation, gradient = layer_gradients(network, x, "relu2", score)
    rest = lambda a: network.pool(network.linear(a))  # noqa: E731
    value = rest if score == "logit" else lambda a: rest(a).exp()
    numeric, step = torch.zeros_like(gradient), 1e-5
    for i in range(activation.numel()):
        shift = torch.zeros_like(activation).flatten()
        shift[i] = step
        shift = shift.view_as(activation)
        with torch.no_grad():
            slope = (value(activation + shift) - value(activation - shift)) / (2 * step)
        numeric.flatten(2)[..., i] = slope
    torch.testing.assert_close(gradient, numeric, rtol=0, atol=1e-9)
    torch.testing.assert_close(rest(activation).detach(), logits)


def test_exp_of_a_huge_logit_is_finite():
    network = small()
    network.linear.bias.data.fill_(1e4)
    gradient = layer_gradients(network, image().float(), "relu2", "exp").gradient
    assert gradient.dtype == torch.float64
    assert gradient.pow(3).isfinite().all()


def test_operations_in_place_around_the_layer_do_not_reach_its_activation():
    network, x = small(norm=True).double(), image()
    # norm is followed by a ReLU in place, relu1 works in place on norm's output.
    norm = layer_gradients(network, x, "norm")
    relu = layer_gradients(network, x, "relu1")
    assert norm.activation.min() < 0
    torch.testing.assert_close(norm.activation, network.norm(network.conv1(x)).detach())
    torch.testing.assert_close(relu.activation, norm.activation.relu())
    torch.testing.assert_close(norm.gradient, relu.gradient * (norm.activation > 0)[:, None])
    kept = relu.activation.clone()
    network(x)
    torch.testing.assert_close(relu.activation, kept, rtol=0, atol=0)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_any_grad_mode_and_frozen_parameters(context):
    network = small().requires_grad_(False)
    expected = layer_gradients(small(), image().float(), "relu2")
    with context():
        mode = torch.is_grad_enabled()
        got = layer_gradients(network, image().float(), "relu2")
        assert torch.is_grad_enabled() == mode
        assert torch.is_inference_mode_enabled() == (context is torch.inference_mode)
        made_here = layer_gradients(network, image().float() * 1, "relu2")
    for a, b, c in zip(got, expected, made_here):
        torch.testing.assert_close(a, b)
        torch.testing.assert_close(c, b)
        assert not a.requires_grad


def test_nothing_below_the_layer_is_recorded():
    network, seen = small(), {}
    for name in ("conv1", "conv2", "linear"):
        network.get_submodule(name).register_forward_hook(
            lambda _m, _i, output, name=name: seen.__setitem__(name, output.requires_grad)
        )
    layer_gradients(network, image().float(), "relu2")
    assert seen == {"conv1": False, "conv2": False, "linear": True}


def hooks(network: nn.Module) -> int:
    return sum(
        len(getattr(m, kind))
        for m in network.modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    )


def test_network_is_left_as_it_was():
    network = small(norm=True).train()
    network.norm.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    flags = [module.training for module in network.modules()]
    layer_gradients(network, image().float(), "relu2")
    assert hooks(network) == 0
    assert [module.training for module in network.modules()] == flags
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_network_is_left_as_it_was_after_an_error():
    network = small().train()
    network.conv2.eval()
    network.linear.register_forward_hook(lambda *_: 1 / 0)
    flags = [module.training for module in network.modules()]
    with pytest.raises(ZeroDivisionError):
        layer_gradients(network, image().float(), "relu2")
    assert hooks(network) == 1
    assert [module.training for module in network.modules()] == flags
    assert torch.is_grad_enabled()


def test_no_tensor_stays_alive():
    network, x = small(), image().float()

    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects())

    layer_gradients(network, x, "relu1")
    before = alive()
    for _ in range(5):
        layer_gradients(network, x, "relu1")
    assert alive() == before
    gc.disable()
    try:
        # Without the collector: no reference cycle holds a graph until it runs.
        for _ in range(5):
            layer_gradients(network, x, "relu1")
        assert sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects()) == before
    finally:
        gc.enable()


def test_results_hold_no_graph():
    for tensor in layer_gradients(small(), image().float(), "relu1"):
        assert tensor.grad_fn is None
        assert not tensor.requires_grad


def test_a_module_is_as_good_as_its_name():
    network, x = small(), image().float()
    for a, b in zip(layer_gradients(network, x, "conv2"), layer_gradients(network, x, network.conv2)):
        assert torch.equal(a, b)


def test_unknown_layers_are_refused_by_name():
    network = classifier("cam")
    with pytest.raises(InputError, match=r"no layer 'backbone.layer9'; backbone has .*layer4"):
        layer_gradients(network, image(), "backbone.layer9")
    with pytest.raises(InputError, match="it has backbone, head"):
        layer_gradients(network, image(), "encoder")
    with pytest.raises(InputError, match="layer Conv2d: is not part of the network"):
        layer_gradients(network, image(), nn.Conv2d(1, 1, 1))


def test_unsuitable_layers_are_refused():
    network = classifier("cam")
    with pytest.raises(InputError, match="runs 2 times"):
        layer_gradients(network, image(), "backbone.layer4.1.act")
    with pytest.raises(InputError, match="not one"):
        layer_gradients(network, image(), "backbone")
    with pytest.raises(InputError, match="runs 0 times"):
        layer_gradients(network, image(), "backbone.avgpool")
    constant = small()
    constant.pool = lambda maps: torch.zeros(len(maps), 3)
    with pytest.raises(InputError, match="do not depend"):
        layer_gradients(constant, image().float(), "relu2")
    with pytest.raises(ValueError, match="score"):
        layer_gradients(small(), image().float(), "relu2", "softmax")


def test_autocast_does_not_reach_it():
    network, x = small(), image().float()
    expected = layer_gradients(network, x, "relu2")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = layer_gradients(network, x, "relu2")
    for a, b in zip(got, expected):
        assert torch.equal(a, b)
    half = layer_gradients(network, x.bfloat16(), "relu2")
    assert half.logits.dtype == torch.float32
