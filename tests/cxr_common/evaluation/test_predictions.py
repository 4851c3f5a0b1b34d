from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.data import Dataset, MetaTensor

from cxr_common.evaluation import NetworkMaps, predict
from cxr_common.evaluation.provenance import data_sha256
from cxr_common.files import write_json
from cxr_common.localization import CamClassifier


@pytest.fixture
def dataset():
    items = []
    for i in range(5):
        image = MetaTensor(torch.rand(1, 64, 96), meta={"spatial_shape": np.array([128, 96])})
        items.append({"image": image, "label": torch.tensor([1.0, float("nan")]), "patient": f"p{i // 2}"})
    return Dataset(items)


def test_predictions_are_the_networks_in_order_and_it_is_left_as_it_was(dataset):
    torch.manual_seed(0)
    network = CamClassifier(2, backbone="resnet18").train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    predictions = predict(network, dataset, ["a", "b"], batch_size=2)
    assert network.training
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
    network.eval()
    with torch.no_grad():
        expected = torch.cat([network.pool(network(dataset[i]["image"].as_tensor()[None])) for i in range(5)])
    np.testing.assert_allclose(predictions.logits, expected, atol=1e-5)
    assert predictions.input_size == (64, 96)
    assert predictions.patients == ["p0", "p0", "p1", "p1", "p2"]


def make(boxes=None):
    items = [{"image": "a", "patient": "1", "boxes": boxes, "box_labels": [1] if boxes else None}, {"image": "b"}]
    return NetworkMaps(
        labels=["x", "y"],
        items=items,
        sizes=np.array([[200, 100], [50, 80]]),
        input_size=(100, 100),
        logits=np.array([[0.0, 2.0], [1.0, -1.0]], dtype=np.float32),
        maps=np.zeros((2, 2, 4, 4), dtype=np.float16),
        label=np.array([[1, np.nan], [0, -1]], dtype=np.float32),
    )


def test_boxes_are_scaled_to_the_network_input_axis_by_axis():
    boxes, classes = make([[20, 10, 40, 90]]).boxes()
    assert boxes[0].tolist() == [[10, 10, 20, 90]]
    assert classes == [[1], None]
    assert boxes[1] is None


def test_save_and_load_are_inverse(tmp_path):
    before = make([[20, 10, 40, 90]])
    before.save(tmp_path / "p.npz")
    after = NetworkMaps.load(tmp_path / "p.npz")
    assert after.items == before.items
    assert after.input_size == before.input_size
    np.testing.assert_array_equal(after.label, before.label)
    np.testing.assert_array_equal(after.maps, before.maps)
    assert [p.name for p in tmp_path.iterdir()] == ["p.npz"]


def test_a_subset_keeps_everything_in_step():
    part = make([[20, 10, 40, 90]]).subset(np.array([False, True]))
    assert part.items == [{"image": "b"}]
    assert part.logits.tolist() == [[1.0, -1.0]]
    assert part.sizes.tolist() == [[50, 80]]


def test_json_is_whole_or_absent(tmp_path):
    with pytest.raises(ValueError):
        write_json({"a": float("nan")}, tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_data_hash_is_of_content_and_truth_not_of_place(tmp_path):
    hashes = []
    for folder, pixel, label in (("a", b"1", [1]), ("b", b"1", [1]), ("c", b"2", [1]), ("d", b"1", [0])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.png").write_bytes(pixel)
        hashes.append(data_sha256([{"image": str(tmp_path / folder / "x.png"), "label": label}]))
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_heatmaps_are_0_outside_of_the_gate_and_logits_stay(tmp_path):
    plain = make()
    assert plain.heatmaps().min() == 0.5
    gate = np.array([[0, 0, 0.5, 1, 0], [np.nan] * 5], dtype=np.float32)
    gated = replace(plain, gate=gate)
    gated.save(tmp_path / "p.npz")
    for one in (gated, NetworkMaps.load(tmp_path / "p.npz")):
        heat = one.heatmaps()
        assert heat[0, :, :50].min() == 0.5 and heat[0, :, 50:].max() == 0 and heat[1].min() == 0.5
        assert torch.equal(torch.stack(list(one.each_heatmap())), heat)
        assert torch.equal(one.subset(np.array([False, True])).heatmaps(), heat[1:])
    assert np.array_equal(gated.probabilities, plain.probabilities)


def test_gates_are_those_of_the_data_set(dataset):
    network = CamClassifier(2, backbone="resnet18")
    gates = [torch.full((5,), float(n)) for n in range(5)]
    gated = Dataset([{**item, "gate": gate} for item, gate in zip(dataset.data, gates, strict=True)])
    assert predict(network, dataset, ["a", "b"]).gate is None
    assert np.array_equal(predict(network, gated, ["a", "b"], batch_size=2).gate, torch.stack(gates))
