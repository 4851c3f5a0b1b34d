"""Parity with the published IRN: boundary, displacement, features, and the padded and mirrored wrapper."""

from __future__ import annotations

import pytest
import torch

from cxr_common.axes import picture_to_tensor, tensor_to_picture
from cxr_common.errors import InputError
from cxr_common.refinement import from_published_irn, relations
from tests import golden


@pytest.fixture(scope="module")
def expected():
    return golden.load("irn_net")


def state(expected):
    found = golden.weights("irn_net", 401)
    return {**found, "mean_shift.running_mean": torch.from_numpy(expected["mean_shift"])}


def rows_columns(displacement):
    """(N, 2, x, y) along x and y to the published (N, 2, row, column) along rows and columns."""
    return tensor_to_picture(displacement).flip(1)


def close(found, expected, dtype):
    atol = 3e-7 if dtype == torch.float64 else 1e-4
    torch.testing.assert_close(found.double(), torch.from_numpy(expected).double(), atol=atol, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_parity(expected, dtype):
    network = from_published_irn(state(expected)).to(dtype)
    assert not network.training
    x = picture_to_tensor(golden.image(401, 1, 3, 128, 128).to(dtype))
    with torch.no_grad():
        out = network(x)
        features = network.features(x)
        boundary, displacement = relations(network, x)
    close(tensor_to_picture(out[:, :1]), expected["edge_logits"], dtype)
    close(rows_columns(out[:, 1:]), expected["dp"], dtype)
    close(tensor_to_picture(boundary)[:, 0], expected["edge_prob_flip"], dtype)
    close(rows_columns(displacement)[0], expected["dp_flip"], dtype)
    for i, feature in enumerate(features, start=1):
        stats = torch.stack((feature.mean(), feature.std(), feature.min(), feature.max()))
        close(stats, expected[f"x{i}_stats"], torch.float32)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_parity_of_the_padded_wrapper(expected, dtype):
    network = from_published_irn(state(expected)).to(dtype)
    y = picture_to_tensor(golden.image(402, 1, 3, 100, 120).to(dtype))
    with torch.no_grad():
        boundary, displacement = relations(network, y, crop_size=128)
    close(tensor_to_picture(boundary)[:, 0], expected["pad_edge_prob"], dtype)
    close(rows_columns(displacement)[0], expected["pad_dp"], dtype)
    with pytest.raises(ValueError, match="crop_size"):
        relations(network, y, crop_size=64)


def test_mean_shift_is_swapped_and_taken_off_in_evaluation_only(expected):
    shifted = {**state(expected), "mean_shift.running_mean": torch.tensor([3.0, 5.0], dtype=torch.float64)}
    network, plain = from_published_irn(shifted), from_published_irn(state(expected))
    torch.testing.assert_close(network.mean_shift, torch.tensor([5.0, 3.0], dtype=torch.float64))
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        difference = (plain(x) - network(x)).mean((0, 2, 3))
        torch.testing.assert_close(difference, torch.tensor([0.0, 5.0, 3.0], dtype=torch.float64))
        torch.testing.assert_close(network.train()(x), plain.train()(x))


def test_aliases_of_a_real_file_are_understood_and_unknown_keys_named(expected):
    import json

    aliases = json.loads((golden.GOLDEN / "irn_net_alias.json").read_text())
    found = state(expected)
    from_published_irn({**found, **{alias: found[name] for alias, name in aliases.items()}})
    with pytest.raises(InputError, match="fc_edge9"):
        from_published_irn({**found, "fc_edge9.weight": torch.zeros(1)})
    del found["fc_dp3.0.weight"]
    with pytest.raises(InputError, match=r"displacement\.2\.0\.weight"):
        from_published_irn(found)
    with pytest.raises(InputError, match="resnet50"):
        from_published_irn({"x": torch.zeros(1)})
