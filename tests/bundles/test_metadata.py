"""What the model zoo's checks ask of a bundle."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from monai.bundle import ckpt_export, verify_metadata, verify_net_in_out

from cxr_common.labels import LABELS
from cxr_common.networks import load_weights
from tests.bundles.conftest import BUNDLES, DETECTORS
from tests.bundles.networks import make_network
from tests.golden import REPOSITORY


@pytest.fixture(scope="module", params=BUNDLES)
def bundle(request):
    """Folder of each bundle in turn."""
    return REPOSITORY / "bundles" / request.param


@pytest.fixture
def metadata(bundle):
    return bundle / "configs" / "metadata.json"


def test_metadata_fits_the_schema(metadata, tmp_path):
    # verify_metadata downloads the schema unless it is there already.
    schema = tmp_path / "schema.json"
    shutil.copy(REPOSITORY / "common" / "cxr_verify" / "schemas" / "meta_schema_20240725.json", schema)
    verify_metadata(meta_file=str(metadata), filepath=str(schema))


def test_a_broken_metadata_is_noticed(metadata, tmp_path):
    schema = tmp_path / "schema.json"
    shutil.copy(REPOSITORY / "common" / "cxr_verify" / "schemas" / "meta_schema_20240725.json", schema)
    content = json.loads(metadata.read_text())
    del content["network_data_format"]
    (tmp_path / "metadata.json").write_text(json.dumps(content))
    with pytest.raises(ValueError):
        verify_metadata(meta_file=str(tmp_path / "metadata.json"), filepath=str(schema))


@pytest.mark.parametrize("n", [1, 2])
def test_network_gives_what_the_metadata_says(bundle, metadata, n):
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(metadata),
        config_file=str(bundle / "configs" / "inference.json"),
        device="cpu",
        n=n,
        bundle_root=str(bundle),
    )


def test_network_exports_to_torchscript(bundle, metadata, tmp_path):
    ckpt_export(
        net_id="network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(bundle / "models" / "model.pt"),
        meta_file=str(metadata),
        config_file=str(bundle / "configs" / "inference.json"),
        bundle_root=str(bundle),
    )
    exported = torch.jit.load(tmp_path / "model.ts").eval()
    network = make_network(bundle).eval()
    load_weights(network, bundle / "models" / "model.pt")
    x = torch.rand(1, 1, 128, 64)
    with torch.no_grad():
        torch.testing.assert_close(exported(x), network(x))


def test_version_has_a_changelog_line_and_files_are_there(bundle, metadata):
    content = json.loads(metadata.read_text())
    assert content["version"] in content["changelog"]
    for name in ("LICENSE", "docs/README.md", "docs/data_license.txt", "models/model.pt", "models/thresholds.json"):
        assert (bundle / name).is_file(), name
    assert (bundle / "models" / "model.pt").stat().st_size < 25e6


def test_label_values_of_the_mask_are_the_channel_definition(bundle, metadata):
    content = json.loads(metadata.read_text())
    thresholds = json.loads((bundle / "models" / "thresholds.json").read_text())
    channels = content["network_data_format"]["post_processed_outputs"]["pred"]["channel_def"]
    # MONAI Label takes its label names from the network's own outputs, whatever comes after it.
    assert content["network_data_format"]["outputs"]["pred"]["channel_def"] == channels
    names = thresholds["labels"] if bundle.name in DETECTORS else ["background", *thresholds["labels"]]
    assert channels == {str(i): name for i, name in enumerate(names)}
    assert tuple(thresholds["labels"]) == LABELS
    inference = json.loads((bundle / "configs" / "inference.json").read_text())
    assert inference["findings_writer"]["version"] == content["version"]
    assert inference["findings_writer"]["bundle"] == bundle.name


def test_pinned_versions_are_those_tested(metadata):
    content = json.loads(metadata.read_text())
    constraints = dict(
        line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if "==" in line
    )
    constraints = {k.lower().replace("_", "-"): v for k, v in constraints.items()}
    pins = {
        "monai": content["monai_version"],
        "torch": content["pytorch_version"],
        "numpy": content["numpy_version"],
        **content["required_packages_version"],
        **content["training_packages_version"],
    }
    for name, version in pins.items():
        assert constraints[name] == version, name
