from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.networks.weights import read_state_dict

NETWORK = nn.Linear(2, 2)


def torch_saved(value, **options):
    return lambda path: torch.save(value, path, **options)


def raw(content):
    return lambda path: path.write_bytes(content)


@pytest.mark.fault("weights hold pickled objects", "refused in one line; nothing in them is run")
@pytest.mark.parametrize(
    ("name", "write", "reason"),
    [
        ("module.pt", torch_saved(NETWORK), r"holds a pickled object \(torch.nn.modules.linear.Linear\)"),
        ("old.pt", torch_saved(NETWORK, _use_new_zipfile_serialization=False), r"pickled object \(torch.nn"),
        ("numpy.pt", torch_saved({"a": np.zeros(3)}), r"pickled object \(numpy"),
        ("script.pt", lambda path: torch.jit.script(NETWORK).save(str(path)), "is a TorchScript network"),
        ("lightning.ckpt", torch_saved({"state_dict": NETWORK.state_dict()}), "has its state dict under 'state_dict'"),
        ("checkpoint.pt", torch_saved({"network": {}, "optimizer": {}, "epoch": 3}), "give the model.pt beside it"),
        ("tensor.pt", torch_saved(torch.zeros(3)), "no state dict but a Tensor"),
        ("number.pt", torch_saved({"a": 1}), "'a' is not a tensor"),
        ("nothing.pt", torch_saved({}), "an empty state dict"),
        ("arrays.npz", lambda path: np.savez(path, a=np.zeros(3)), "is a file of NumPy arrays"),
        ("plain.pkl", raw(pickle.dumps({"a": 1})), "is a plain pickle"),
        ("page.pt", raw(b"<!DOCTYPE html><html>"), "is a web page"),
        ("pointer.pt", raw(b"version https://git-lfs.github.com/spec/v1\noid sha256:0"), "git lfs pull"),
        ("keras.h5", raw(b"\x89HDF\r\n\x1a\n" + bytes(99)), "is an HDF5 file"),
        ("net.onnx", raw(b"\x08\x07" + bytes(99)), "is an ONNX network"),
        ("w.safetensors", raw(b"\x10" + bytes(7) + b'{"a":{}}'), "is a safetensors file"),
        ("empty.pt", raw(b""), "is empty"),
        ("noise.pt", raw(bytes(range(200, 255)) * 9), "is damaged, or no file of weights"),
    ],
)
def test_what_is_no_file_of_weights_is_called_by_its_name(tmp_path, name, write, reason):
    path = tmp_path / name
    write(path)
    with pytest.raises(InputError, match=reason) as caught:
        read_state_dict(path)
    assert caught.value.action
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_cut_file(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_state_dict(tmp_path)
    torch.save(NETWORK.state_dict(), tmp_path / "model.pt")
    whole = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "model.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is damaged"):
        read_state_dict(tmp_path / "model.pt")


@pytest.mark.parametrize("start", [b"hello world", b"junk"])
def test_no_number_without_meaning_is_shown(tmp_path, start):
    (tmp_path / "model.pt").write_bytes(start + bytes(90))
    with pytest.raises(InputError, match="is damaged, or no file of weights") as refused:
        read_state_dict(tmp_path / "model.pt")
    assert not any(character.isdigit() for character in refused.value.reason)
