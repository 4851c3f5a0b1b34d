"""A bundle's inference as users run it: command line, MONAI Label, damaged input."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jsonschema
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from PIL import Image

from cxr_common.data.phantom import make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.networks import load_weights, save_weights
from tests.bundles.conftest import BUNDLES, DETECTORS, FIRST
from tests.bundles.networks import make_network
from tests.bundles.workflow import findings_of
from tests.damaged import KINDS, write_damaged_corpus, write_good_files
from tests.golden import REPOSITORY, SHARED, needs_radiographs


@pytest.fixture(scope="module", params=BUNDLES)
def bundle(request):
    """Folder of each bundle in turn."""
    return REPOSITORY / "bundles" / request.param


def in_full(name, value):
    """A case of a bundle that only `make test-all` asks of any bundle but the first."""
    return pytest.param(name, value, marks=[] if name == FIRST else [pytest.mark.slow])


def infer(bundle, images, output, cwd, *options):
    """Run the command of the card in a process of its own."""
    command = [sys.executable, "-m", "monai.bundle", "run"]
    command += ["--config_file", str(bundle / "configs" / "inference.json"), "--bundle_root", str(bundle)]
    command += ["--dataset_dir", str(images), "--output_dir", str(output), *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "common")}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)


def scores(network, x):
    """What is read off a network: class probabilities (of each anchor), or the relation network's boundaries."""
    pred = network(x)
    if isinstance(pred, tuple):
        return pred[0].sigmoid()
    return (network.pool(pred) if hasattr(network, "pool") else pred[:, :1]).sigmoid()


def stray(folder):
    return [p for p in folder.rglob("*") if p.name.startswith(".") or p.suffix == ".tmp"]


@pytest.fixture(scope="module")
def damaged_run(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    good = write_good_files(folder / "in" / "good", n=10)
    # Reading is the same for all bundles: two hundred files for one of them, some of every kind for the others.
    bad = write_damaged_corpus(folder / "in" / "bad", n=200 if bundle.name == FIRST else 3 * len(KINDS))
    return folder, good, bad, infer(bundle, folder / "in", folder / "out", folder)


@pytest.mark.one_localizer
def test_damaged_inputs_of_every_kind_stop_nothing(damaged_run):
    folder, good, bad, done = damaged_run
    assert len({kind for _, kind in bad}) == len(KINDS) >= 15
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    record = json.loads((folder / "out" / "findings.json").read_text())
    assert len(record["images"]) == len(good)
    assert len(record["failures"]) == len(bad)
    jsonschema.validate(record, json.loads((REPOSITORY / "docs" / "schemas" / "findings.schema.json").read_text()))
    for failure in record["failures"]:
        assert failure["reason"], failure
        assert failure["action"], failure
        assert failure["path"] in done.stdout


@pytest.mark.one_localizer
def test_damaged_inputs_leave_no_partial_output(damaged_run):
    folder, good, _, _ = damaged_run
    assert stray(folder / "out") == []
    assert len(list((folder / "out").glob("*overlay*.png"))) == len(good)
    model = json.loads((folder / "out" / "findings.json").read_text())["model"]["name"]
    assert len(list((folder / "out").glob("*.npz"))) == (0 if model in DETECTORS else len(good))


def test_phantom_dicoms_of_both_polarities_give_the_same_findings(bundle, tmp_path):
    phantom = make_phantom(99, 0, findings=("Mass",))
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "b").mkdir()
    write_dicom(phantom, tmp_path / "in" / "a" / "x.dcm", photometric="MONOCHROME1")
    write_dicom(phantom, tmp_path / "in" / "b" / "x.dcm", photometric="MONOCHROME2")
    images = findings_of(bundle, tmp_path / "in", tmp_path / "out")["images"]
    assert len(images) == 2
    a, b = ([f["probability"] for f in image["findings"]] for image in images)
    np.testing.assert_allclose(a, b, atol=2e-3)
    assert len({image["files"]["overlay"] for image in images}) == 2  # the same name in two folders


@pytest.mark.parametrize(
    ("bundle", "kind"),
    [(FIRST, "missing"), *(in_full(name, "empty") for name in BUNDLES)],
    indirect=["bundle"],
)
@pytest.mark.one_localizer
def test_nothing_to_read_is_one_line(bundle, tmp_path, kind):
    if kind == "empty":
        (tmp_path / "in").mkdir()
    done = infer(bundle, "in", "out", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert not (tmp_path / "out" / "findings.json").exists()


@pytest.mark.one_localizer
def test_weights_of_another_network_are_one_line(bundle, tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "x.png")
    save_weights(make_network(bundle, backbone="resnet34"), tmp_path / "w" / "model.pt")
    done = infer(bundle, tmp_path / "x.png", "out", tmp_path, "--weights", str(tmp_path / "w" / "model.pt"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "thresholds.json" in done.stderr or "do not fit the network" in done.stderr


def test_properties_are_complete(bundle, tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "x.png")
    flow = ConfigWorkflow(
        config_file=str(bundle / "configs" / "inference.json"),
        meta_file=str(bundle / "configs" / "metadata.json"),
        logging_file=str(bundle / "configs" / "logging.conf"),
        workflow_type="infer",
        bundle_root=str(bundle),
        dataset_dir=str(tmp_path),
        output_dir=str(tmp_path / "out"),
    )
    flow.initialize()
    assert flow.check_properties() == []
    flow.run()
    assert json.loads((tmp_path / "out" / "findings.json").read_text())["failures"] == []


def test_monai_label_gets_a_label_mask_or_boxes(bundle, tmp_path):
    """MONAI Label reads inference.json alone: it runs the transforms itself, without evaluator and handlers."""
    picture = (make_phantom(99, 1, findings=("Cardiomegaly",)).image[:, :200] * 255).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "x.png")
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.json")
    parser["bundle_root"] = str(bundle)
    network = parser.get_parsed_content("network_def").eval()
    # As MONAI Label loads it: plainly, without our loader.
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    item = parser.get_parsed_content("preprocessing")({"image": str(tmp_path / "x.png")})
    if bundle.name in DETECTORS:
        detector = parser.get_parsed_content("detector")
        detector.network = network
        with torch.no_grad():
            item.update(detector(item["image"][None], use_inferer=True)[0])
        item = parser.get_parsed_content("postprocessing")(item)
        assert item["box"].shape == (len(item["label"]), 6)
        assert len(item["label_scores"]) == len(item["label"])
        return
    with torch.no_grad():
        item["pred"] = parser.get_parsed_content("inferer")(item["image"][None], network)[0]
    mask = parser.get_parsed_content("postprocessing")(item)["pred"]
    if "classification" in bundle.name:
        assert mask.shape == (9,)
        assert mask[0] == 0
        return
    assert mask.shape == (200, 256)
    assert mask.dtype == torch.uint8
    assert int(mask.max()) <= 8


def test_stored_half_precision_changes_no_probability_that_matters(bundle):
    network = make_network(bundle)
    load_weights(network, bundle / "models" / "model.pt")
    stored = torch.load(bundle / "models" / "model.pt", weights_only=True)
    parameters = dict(network.named_parameters())
    assert all((value.dtype == torch.float16) == (name in parameters) for name, value in stored.items())
    phantom = torch.from_numpy(make_phantom(99, 2).image)[None, None].float()
    x = (torch.nn.functional.interpolate(phantom, size=(128, 128), mode="area") - 0.4984) / 0.2483
    network.eval()
    with torch.no_grad():
        before = scores(network, x)
        for p in network.parameters():
            p.mul_(1 + 2**-12)  # as far as rounding to float16 can move a weight
        after = scores(network, x)
    assert (before - after).abs().max() < 0.02


@needs_radiographs
@pytest.mark.parametrize(
    ("bundle", "folder"),
    [(FIRST, "dicom"), *(in_full(name, "nih") for name in BUNDLES)],
    indirect=["bundle"],
)
@pytest.mark.one_localizer
def test_real_files_of_every_kind_are_read(bundle, tmp_path, folder):
    done = infer(bundle, SHARED / "cxr" / "originals" / folder, "out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    images = json.loads((tmp_path / "out" / "findings.json").read_text())["images"]
    assert len(images) == 3
