from __future__ import annotations

import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.exports import OnnxNetwork, check_runtime, on_runtime
from cxr_common.exports import onnx_network as module
from cxr_common.localization import CamClassifier, MirroredInferer, SaliencyInferer


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cxr-bundles" / "onnx"


def make_network(seed=0):
    torch.manual_seed(seed)
    return CamClassifier(num_classes=2, backbone="resnet18").eval()


def test_any_batch_and_size_by_one_file(cache):
    network = make_network()
    run = OnnxNetwork(network)
    for shape in ((1, 1, 64, 64), (3, 1, 64, 96), (2, 1, 128, 64)):
        image = torch.randn(*shape)
        with torch.no_grad():
            torch.testing.assert_close(run(image), network(image), rtol=0, atol=1e-4)
    assert len(list(cache.iterdir())) == 1
    assert torch.equal(run.pool(run(image)), network.pool(run(image)))


def test_weights_and_structure_have_files_of_their_own(cache):
    image = torch.randn(1, 1, 64, 64)
    wide = make_network()
    wide.head.dilation = (2, 2)  # other results from the same weights
    for network in (make_network(), make_network(), make_network(1), wide):
        OnnxNetwork(network)(image)
    assert len(list(cache.iterdir())) == 3


def test_a_file_is_written_once(cache, monkeypatch):
    image = torch.randn(1, 1, 64, 64)
    expected = OnnxNetwork(make_network())(image)
    monkeypatch.setattr(module, "write_onnx", lambda *_: pytest.fail("written again"))
    assert torch.equal(OnnxNetwork(make_network())(image), expected)


@pytest.mark.parametrize("damage", ["cut short", "of another network"])
def test_a_wrong_file_is_made_anew(cache, damage):
    image = torch.randn(1, 1, 64, 64)
    OnnxNetwork(make_network())(image)
    (path,) = cache.iterdir()
    content = path.read_bytes()
    if damage == "cut short":
        path.write_bytes(content[: len(content) // 2])
    else:
        module.write_onnx(make_network(5), image, path, ["pred"])
    with torch.no_grad():
        torch.testing.assert_close(OnnxNetwork(make_network())(image), make_network()(image), rtol=0, atol=1e-4)
    assert [p.stat().st_size for p in cache.iterdir()] == [len(content)]


def test_a_runtime_that_differs_is_refused_and_leaves_nothing(cache, monkeypatch):
    write = module.write_onnx
    monkeypatch.setattr(module, "write_onnx", lambda _, *rest: write(make_network(9), *rest))
    with pytest.raises(InputError, match="something else than the network"):
        OnnxNetwork(make_network())(torch.randn(1, 1, 64, 64))
    assert list(cache.iterdir()) == []


def test_torch_stays_the_network_itself_in_a_faster_order():
    network = make_network()
    assert on_runtime(network, "torch") is network and not network.training
    weight = next(w for w in network.parameters() if w.dim() == 4 and min(w.shape[:2]) > 1)
    assert weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("device", "inferer", "text"),
    [
        ("cuda:0", None, "add --device cpu"),
        ("cpu", SaliencyInferer("gradcam", "head"), "gradients"),
        ("cpu", MirroredInferer(SaliencyInferer("gradcam", "head")), "gradients"),
    ],
)
def test_what_onnx_runtime_cannot_do_is_refused(device, inferer, text):
    check_runtime("torch", device, inferer)
    with pytest.raises(InputError, match=text):
        check_runtime("onnx", device, inferer)


def test_a_missing_onnx_runtime_names_the_command(monkeypatch):
    monkeypatch.setattr("cxr_common.exports.runtime.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install onnxruntime"):
        check_runtime("onnx", "cpu", SaliencyInferer("cam"))
