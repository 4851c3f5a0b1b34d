from __future__ import annotations

import os

import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.localization import CamClassifier
from cxr_common.networks import load_weights, save_weights, weights_sha256


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CamClassifier(2, backbone="resnet18")


def test_round_trip_stores_parameters_as_float16_and_buffers_as_they_are(network, tmp_path):
    network.backbone.bn1.running_var.fill_(1e6)  # beyond float16
    save_weights(network, tmp_path / "model.pt")
    stored = torch.load(tmp_path / "model.pt", weights_only=True)
    assert stored["head.weight"].dtype == torch.float16
    assert stored["backbone.bn1.running_var"].dtype == torch.float32
    other = CamClassifier(2, backbone="resnet18")
    load_weights(other, tmp_path / "model.pt")
    assert other.head.weight.dtype == torch.float32
    torch.testing.assert_close(other.head.weight, network.head.weight, atol=1e-3, rtol=1e-3)
    assert other.backbone.bn1.running_var[0] == 1e6
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]


def test_mismatch_names_the_keys(network, tmp_path):
    save_weights(network, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"head.weight \(2, 512, 1, 1\) instead of \(3, 512, 1, 1\)"):
        load_weights(CamClassifier(3, backbone="resnet18"), tmp_path / "model.pt")
    with pytest.raises(InputError, match="missing.*layer1.2.conv1.weight"):
        load_weights(CamClassifier(2, backbone="resnet34"), tmp_path / "model.pt")


@pytest.mark.parametrize("content", [b"", b"not a weight file", b"PK\x03\x04 cut"])
def test_damaged_file_is_one_clear_error(network, tmp_path, content):
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(InputError, match="model.pt"):
        load_weights(network, tmp_path / "model.pt")


def test_missing_file_and_foreign_content(network, tmp_path):
    with pytest.raises(InputError, match="no such weight file"):
        load_weights(network, tmp_path / "none.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(InputError, match="no state dict"):
        load_weights(network, tmp_path / "list.pt")


def test_diverged_weights_are_not_written(network, tmp_path):
    network.head.weight.data[0] = float("nan")
    with pytest.raises(InputError, match="head.weight"):
        save_weights(network, tmp_path / "model.pt")
    assert not list(tmp_path.iterdir())


def test_hash_is_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert weights_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_equal_weights_make_equal_files(network, tmp_path):
    for name in ("one.pt", "another.pt"):
        save_weights(network, tmp_path / name)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("head.weight", lambda w: w.fill_(float("nan")), "head.weight holds values that are not finite"),
        ("backbone.bn1.running_var", lambda w: w.fill_(float("inf")), "running_var holds values that are not finite"),
        ("head.weight", lambda w: w.to(torch.int64), "head.weight is of torch.int64 instead of torch.float32"),
        ("head.weight", lambda w: w.to(torch.complex64), "head.weight is of torch.complex64"),
        ("head.weight", lambda w: w.bool(), "head.weight is of torch.bool"),
        ("head.weight", lambda w: w.double() + 1e300, "not finite"),
        ("backbone.bn1.running_var", lambda w: w - 9, "running_var holds variances below 0"),
        ("head.weight", lambda w: w.to_sparse(), "head.weight is not a plain tensor"),
        ("head.weight", lambda w: w.to("meta"), "head.weight is not a plain tensor"),
        ("head.weight", lambda w: torch.nested.nested_tensor([w[0], w[0, :1]]), "head.weight is not a plain tensor"),
    ],
)
def test_values_that_are_no_weights(network, tmp_path, name, change, reason):
    state = network.state_dict()
    torch.save({**state, name: change(state[name].clone())}, tmp_path / "model.pt")
    with pytest.raises(InputError, match=reason):
        load_weights(CamClassifier(2, backbone="resnet18"), tmp_path / "model.pt")


@pytest.mark.parametrize("prefix", ["module.", "model.net."])
def test_names_that_start_alike(network, tmp_path, prefix):
    torch.save({prefix + name: value for name, value in network.state_dict().items()}, tmp_path / "model.pt")
    with pytest.raises(InputError, match=f"do not fit.*; take '{prefix}' off the start of each name"):
        load_weights(network, tmp_path / "model.pt")


def test_keys_that_are_no_names(network, tmp_path):
    torch.save({0: torch.ones(1)}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="a tensor under 0, which is not a name"):
        load_weights(network, tmp_path / "model.pt")


def test_a_pipe_is_not_waited_for(network, tmp_path):
    os.mkfifo(tmp_path / "model.pt")
    with pytest.raises(InputError, match="not an ordinary file"):
        load_weights(network, tmp_path / "model.pt")


def test_all_zero_weights(network, tmp_path):
    torch.save({name: torch.zeros_like(value) for name, value in network.state_dict().items()}, tmp_path / "model.pt")
    with pytest.raises(InputError, match="all weights are zero"):
        load_weights(network, tmp_path / "model.pt")


def test_any_flipped_bit_of_a_tensor_is_noticed(network, tmp_path):
    save_weights(network, tmp_path / "model.pt")
    whole = (tmp_path / "model.pt").read_bytes()
    data = network.head.weight.detach().half().numpy().tobytes()
    for at in (0, len(data) // 2, len(data) - 1):
        content = bytearray(whole)
        content[whole.index(data) + at] ^= 1
        (tmp_path / "model.pt").write_bytes(content)
        with pytest.raises(InputError, match="is damaged: .*its checksum differs"):
            load_weights(network, tmp_path / "model.pt")
