"""What the model zoo's checks ask of the bundle."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from monai.bundle import ckpt_export, verify_metadata, verify_net_in_out

from cxr_common.labels import LABELS
from cxr_common.networks import Pylon, load_weights
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_pylon_localization"
METADATA = BUNDLE / "configs" / "metadata.json"


def test_metadata_fits_the_schema(tmp_path):
    # verify_metadata downloads the schema unless it is there already.
    schema = tmp_path / "schema.json"
    shutil.copy(REPOSITORY / "tests" / "data" / "meta_schema_20240725.json", schema)
    verify_metadata(meta_file=str(METADATA), filepath=str(schema))


def test_a_broken_metadata_is_noticed(tmp_path):
    schema = tmp_path / "schema.json"
    shutil.copy(REPOSITORY / "tests" / "data" / "meta_schema_20240725.json", schema)
    content = json.loads(METADATA.read_text())
    del content["network_data_format"]
    (tmp_path / "metadata.json").write_text(json.dumps(content))
    with pytest.raises(ValueError):
        verify_metadata(meta_file=str(tmp_path / "metadata.json"), filepath=str(schema))


@pytest.mark.parametrize("n", [1, 2])
def test_network_gives_what_the_metadata_says(n):
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(METADATA),
        config_file=str(BUNDLE / "configs" / "inference.json"),
        device="cpu",
        n=n,
        bundle_root=str(BUNDLE),
    )


def test_network_exports_to_torchscript(tmp_path):
    ckpt_export(
        net_id="network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(BUNDLE / "models" / "model.pt"),
        meta_file=str(METADATA),
        config_file=str(BUNDLE / "configs" / "inference.json"),
        bundle_root=str(BUNDLE),
    )
    exported = torch.jit.load(tmp_path / "model.ts").eval()
    network = Pylon(8, backbone="resnet18").eval()
    load_weights(network, BUNDLE / "models" / "model.pt")
    x = torch.rand(1, 1, 128, 64)
    with torch.no_grad():
        torch.testing.assert_close(exported(x), network(x))


def test_version_has_a_changelog_line_and_files_are_there():
    content = json.loads(METADATA.read_text())
    assert content["version"] in content["changelog"]
    for name in ("LICENSE", "docs/README.md", "docs/data_license.txt", "models/model.pt", "models/thresholds.json"):
        assert (BUNDLE / name).is_file(), name
    assert (BUNDLE / "models" / "model.pt").stat().st_size < 25e6


def test_label_values_of_the_mask_are_the_channel_definition():
    content = json.loads(METADATA.read_text())
    thresholds = json.loads((BUNDLE / "models" / "thresholds.json").read_text())
    channels = content["network_data_format"]["outputs"]["pred"]["channel_def"]
    assert channels == {str(i): name for i, name in enumerate(["background", *thresholds["labels"]])}
    assert tuple(thresholds["labels"]) == LABELS
    inference = json.loads((BUNDLE / "configs" / "inference.json").read_text())
    assert inference["findings_writer"]["version"] == content["version"]


def test_pinned_versions_are_those_tested():
    content = json.loads(METADATA.read_text())
    constraints = dict(
        line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if "==" in line
    )
    constraints = {k.lower().replace("_", "-"): v for k, v in constraints.items()}
    pins = {
        "monai": content["monai_version"],
        "torch": content["pytorch_version"],
        "numpy": content["numpy_version"],
        **content["required_packages_version"],
    }
    for name, version in pins.items():
        assert constraints[name] == version, name
