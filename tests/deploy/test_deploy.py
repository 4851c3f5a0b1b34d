"""MONAI Deploy's own operator and application run our bundles; in the environment that `make test-deploy` makes."""

from __future__ import annotations

import json
import os
import subprocess

import numpy as np
import pydicom
import pytest

import cxr_common
from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from tests.golden import REPOSITORY

pytestmark = pytest.mark.deploy
PYTHON = os.environ.get("DEPLOY_PYTHON", "")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_dicom(make_phantom(3, 0, PhantomConfig(size=256), ("Effusion",)), folder / "a.dcm")
    return folder


def run(*arguments, cwd, **variables):
    # For tests.deploy.operator; the environment itself finds this collection, as docs/how-to/deploy.md has it.
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **variables}
    return subprocess.run([PYTHON, *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["cxr_pylon_localization", "cxr_multiscale_localization", "cxr_chexseg_segmentation"])
def test_the_sdks_bundle_operator_gives_our_mask(name, images, tmp_path):
    done = run("-m", "tests.deploy.operator", REPOSITORY / "bundles" / name, images / "a.dcm", "mask.npy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = cxr_common.load(name, device="cpu")(images / "a.dcm")
    mask = np.load(tmp_path / "mask.npy")
    assert mask.dtype == np.uint8 and mask.shape == (256, 256)
    assert {found.findings[value - 1].label for value in np.unique(mask) if value} <= {f.label for f in found.present}
    union = np.zeros(mask.shape, bool)
    for one in found.masks.values():
        union |= one
    assert np.array_equal(mask > 0, union)


def test_the_application_writes_seg_and_sr(images, tmp_path):
    done = run("-m", "cxr_tools.deploy", "-i", images, "-o", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    assert len(record["images"]) == 1 and not record["failures"]
    kinds = {pydicom.dcmread(path).Modality for path in (tmp_path / "out").rglob("*.dcm")}
    assert kinds == {"SEG", "SR"}


def test_a_detector_makes_reports_alone(images, tmp_path):
    done = run(
        "-m", "cxr_tools.deploy", "-i", images, "-o", tmp_path / "out", cwd=tmp_path, CXR_BUNDLE="cxr_oxnet_detection"
    )
    assert done.returncode == 0, done.stderr
    assert {pydicom.dcmread(path).Modality for path in (tmp_path / "out").rglob("*.dcm")} == {"SR"}


def test_a_failure_reaches_whoever_started_the_application(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(b"no DICOM")
    done = run("-m", "cxr_tools.deploy", "-i", tmp_path / "in", "-o", tmp_path / "out", cwd=tmp_path)
    assert "the bundle's inference failed" in done.stdout + done.stderr


def test_a_bundle_that_is_not_there_is_one_line(images, tmp_path):
    done = run("-m", "cxr_tools.deploy", "-i", images, "-o", tmp_path / "out", cwd=tmp_path, CXR_BUNDLE="none_such")
    assert done.returncode == 1
    assert "error: " in done.stderr and "none_such" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
