from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pydicom
import pytest

import cxr_common
from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.errors import InputError, causes
from tests.golden import REPOSITORY

BUNDLES = REPOSITORY / "bundles"


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory):
    """A phantom with an effusion in a DICOM file."""
    path = tmp_path_factory.mktemp("radiographs") / "a.dcm"
    write_dicom(make_phantom(3, 0, PhantomConfig(size=256), ("Effusion",)), path)
    return path


@pytest.fixture(scope="module")
def pylon():
    return cxr_common.load("cxr_pylon_localization")


def test_findings_are_those_of_the_workflow(pylon, radiograph, tmp_path):
    bundle = BUNDLES / "cxr_pylon_localization"
    options = ["--bundle_root", bundle, "--dataset_dir", radiograph.parent, "--output_dir", tmp_path]
    command = [
        sys.executable,
        "-m",
        "monai.bundle",
        "run",
        "--config_file",
        bundle / "configs" / "inference.json",
        *options,
    ]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    (image,) = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))["images"]
    found = pylon(radiograph)
    assert [f.model_dump(exclude_unset=True) for f in found.findings] == image["findings"]
    assert set(found.masks) == {finding.label for finding in found.present} == set(image["files"]["masks"])
    assert found.model.weights_sha256 == json.loads((tmp_path / "findings.json").read_text())["model"]["weights_sha256"]


def test_an_unforeseen_error_keeps_its_cause(pylon):
    with pytest.raises(RuntimeError) as raised:
        pylon.read("a\0b.dcm")
    assert [str(cause) for cause in causes(raised.value)][1:] == ["embedded null byte"]


@pytest.mark.parametrize("name", sorted(path.parent.name for path in BUNDLES.glob("*/bundle.yaml")))
def test_every_bundle_answers(name, radiograph):
    found = cxr_common.load(name, device="cpu")(radiograph)
    assert len(found.findings) == 8
    assert (found.heatmap is None) == (name == "cxr_oxnet_detection")
    assert found.plot().size > (256, 256)


def test_the_three_steps_are_those_of_a_call(pylon, radiograph):
    item = pylon.read(radiograph)
    preds = pylon.predict([item, item])
    assert len(preds) == 2 and len(preds[0]) == 8
    found = [pylon.conclude(item, pred)[pylon.keys.findings]["findings"] for pred in preds]
    assert found[0] == found[1]
    for step, call in zip(found[0], pylon(radiograph).findings):
        assert step["label"] == call.label
        assert step["probability"] == pytest.approx(call.probability, abs=1e-4)  # a batch adds up in another order


def test_an_array_is_the_picture_of_its_file(pylon, radiograph):
    values = pydicom.dcmread(radiograph).pixel_array
    full = (values / values.max() * 255).astype(np.uint8)
    assert [f.decision for f in pylon(full).findings] == [f.decision for f in pylon(radiograph).findings]
    assert pylon(full).picture.shape == full.T.shape


def test_several_give_a_list_and_a_folder_its_radiographs(pylon, radiograph):
    both = pylon([radiograph, np.zeros((64, 64), np.uint8)])
    assert [len(found.findings) for found in both] == [8, 8]
    assert [found.source for found in pylon(radiograph.parent)] == [radiograph]


@pytest.mark.parametrize("values", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool), np.zeros((4, 4), complex)])
def test_other_arrays_are_refused(pylon, values):
    with pytest.raises(InputError, match="is not a radiograph"):
        pylon(values)


def test_a_file_that_cannot_be_read_is_named(pylon, tmp_path):
    (tmp_path / "b.dcm").write_bytes(b"nothing")
    with pytest.raises(InputError, match="b.dcm"):
        pylon(tmp_path / "b.dcm")


def test_an_option_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="did you mean weights"):
        cxr_common.load("cxr_pylon_localization", wieghts="x.pt")


def test_grey_values_of_another_scale_are_refused(tmp_path):
    for name in ("model.pt", "thresholds.json"):
        shutil.copy(BUNDLES / "cxr_pylon_localization" / "models" / name, tmp_path)
    thresholds = json.loads((tmp_path / "thresholds.json").read_text(encoding="utf-8"))
    thresholds["tuned_on"]["intensity"] = {"mean": 0.25, "std": 0.501961}
    (tmp_path / "thresholds.json").write_text(json.dumps(thresholds), encoding="utf-8")
    weights = str(tmp_path / "model.pt")
    with pytest.raises(InputError, match="learned from images with --intensity_mean 0.25;"):
        cxr_common.load("cxr_pylon_localization", device="cpu", weights=weights)
    assert cxr_common.load("cxr_pylon_localization", device="cpu", weights=weights, intensity_mean=0.25).labels


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_there_is_not_is_refused(device):
    with pytest.raises(InputError, match=f"--device {device}: cannot be used"):
        cxr_common.load("cxr_pylon_localization", device=device)


def test_weights_that_do_not_fit_are_refused():
    other = BUNDLES / "cxr_oxnet_detection" / "models" / "model.pt"
    with pytest.raises(InputError):
        cxr_common.load("cxr_pylon_localization", weights=str(other))
