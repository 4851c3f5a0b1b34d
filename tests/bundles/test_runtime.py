"""What a bundle finds does not hang on what runs its network."""

from __future__ import annotations

import json

import pytest

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.errors import find_input_error
from tests.bundles.conftest import BUNDLES
from tests.bundles.workflow import findings_of
from tests.golden import REPOSITORY

TIMES = {"date", "created", "started", "finished", "seconds"}
#: Those that are asked in the quick suite: one of maps and the one of boxes.
QUICK = ("cxr_gradcam_classification", "cxr_oxnet_detection")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for seed, finding in enumerate(("Effusion", "Nodule")):
        write_dicom(make_phantom(seed, 0, PhantomConfig(size=256), (finding,)), folder / f"{finding}.dcm")
    return folder


def close(found, expected, where=""):
    """Whether two records are the same; numbers may be 1e-4 apart, and times are not looked at."""
    assert type(found) is type(expected), where
    if isinstance(found, dict):
        assert found.keys() == expected.keys(), where
        for key in found.keys() - TIMES:
            close(found[key], expected[key], f"{where}.{key}")
    elif isinstance(found, list):
        assert len(found) == len(expected), where
        for i, (a, b) in enumerate(zip(found, expected, strict=True)):
            close(a, b, f"{where}[{i}]")
    elif isinstance(found, float):
        # Coordinates are rounded to hundredths of a pixel: at an edge a digit can turn.
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-4) or abs(found - expected) <= 0.0101, where
    else:
        assert found == expected, where


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BUNDLES]
)
def test_onnx_finds_the_same(name, images, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bundle = REPOSITORY / "bundles" / name
    options = {"device": "cpu", "batch_size": 2, "outputs": ["json"]}
    expected = findings_of(bundle, images, tmp_path / "torch", **options)
    found = findings_of(bundle, images, tmp_path / "onnx", runtime="onnx", **options)
    assert len(list((tmp_path / "cache" / "cxr-bundles" / "onnx").glob("*.onnx"))) == 1
    assert len(expected["images"]) == 2 and not expected["failures"]
    close(found, json.loads(json.dumps(expected).replace(str(tmp_path / "torch"), str(tmp_path / "onnx"))))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"runtime": "onxx"}, "one of torch, onnx"),
        ({"runtime": "onnx", "inferer#method": "gradcam"}, "--inferer#method cam"),
    ],
)
def test_a_runtime_that_cannot_be_is_one_line(options, text, images, tmp_path):
    bundle = REPOSITORY / "bundles" / "cxr_gradcam_classification"
    with pytest.raises(Exception) as error:
        findings_of(bundle, images, tmp_path, device="cpu", **options)
    assert text in str(find_input_error(error.value))
