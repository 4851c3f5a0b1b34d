from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigParser

from cxr_common.localization import Pylon
from cxr_common.networks import load_weights
from cxr_tools.convert_published import main
from tests.cxr_common.localization.test_published import as_published


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    network = Pylon(3, backbone="resnet18", lateral_convolutions=1).eval()
    torch.save(as_published(network), tmp_path / "model.pkl")
    return network, tmp_path / "model.pkl"


def test_a_checkpoint_becomes_a_bundle_that_loads(checkpoint, tmp_path):
    network, path = checkpoint
    output = tmp_path / "my_bundle"
    assert main(["pylon", str(path), "--labels", "A,B,C", "--output", str(output)]) == 0
    parser = ConfigParser()
    parser.read_config(output / "configs" / "inference.json")
    parser["bundle_root"] = str(output)
    converted = parser.get_parsed_content("network_def").eval()
    load_weights(converted, output / "models" / "model.pt")
    x = torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(converted(x), network(x), atol=2e-2, rtol=2e-2)  # float16 parameters
    assert list(parser.get_parsed_content("labels")) == ["A", "B", "C"]
    metadata = json.loads((output / "configs" / "metadata.json").read_text())
    inference = json.loads((output / "configs" / "inference.json").read_text())
    assert inference["findings_writer"]["version"] == metadata["version"] == "0.1.0"
    assert metadata["network_data_format"]["outputs"]["pred"]["num_channels"] == 3
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize(("labels", "reason"), [("A,B", "2 labels for 3 classes"), ("NIH", "14 labels for 3 classes")])
def test_wrong_labels_leave_nothing(checkpoint, tmp_path, capsys, labels, reason):
    assert main(["pylon", str(checkpoint[1]), "--labels", labels, "--output", str(tmp_path / "out")]) == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_not_touched(checkpoint, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert main(["pylon", str(checkpoint[1]), "--labels", "A,B,C", "--output", str(tmp_path / "out")]) == 1
    assert "exists already" in capsys.readouterr().err


def test_a_foreign_file_is_one_clear_error(tmp_path, capsys):
    (tmp_path / "model.pkl").write_bytes(b"no weights")
    assert main(["pylon", str(tmp_path / "model.pkl"), "--output", str(tmp_path / "out")]) == 1
    assert "model.pkl" in capsys.readouterr().err
