"""Grey values of the samples that pydicom and pydicom-data carry, against those that were looked at and agreed to."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from tests.golden import REPOSITORY, SHARED, needs_radiographs
from tests.image_files import read_image, save_dicom

SAMPLES = json.loads((REPOSITORY / "tests" / "data" / "grey_samples.json").read_text())["samples"]


def sample(name: str, folder: Path) -> Path:
    """The sample as a radiograph; skips where its package is not installed."""
    expected = SAMPLES[name]
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"{name} is not here (pip install {expected['package']})")
    if expected["radiograph"]:
        return Path(path)
    dataset = pydicom.dcmread(path)
    dataset.Modality = "CR"
    if "NumberOfFrames" in dataset:
        dataset.NumberOfFrames = 1
    return save_dicom(folder / name, dataset)


@pytest.mark.filterwarnings("ignore")  # pydicom's, of what is odd in its samples
@pytest.mark.parametrize("name", SAMPLES)
def test_samples_have_the_grey_values_that_were_agreed_to(tmp_path, name):
    expected = SAMPLES[name]
    image, meta = read_image(sample(name, tmp_path), any_view=True)
    assert list(image.shape) == expected["size"] and meta["intensity_source"] == expected["source"]
    assert image.mean() == pytest.approx(expected["mean"], abs=5e-4)
    found = np.quantile(image, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    # Decoders of lossy frames differ by a grey level of 8 bits.
    np.testing.assert_allclose(found, expected["quantiles"], atol=1e-3 if "sha256" in expected else 5e-3)
    if "sha256" in expected:
        assert hashlib.sha256(np.round(image * 1000).astype("<i2").tobytes()).hexdigest() == expected["sha256"]
    guessed = expected["source"] in ("used depth", "percentile")
    assert ("of the declared range" in meta["warnings"]) is guessed


def test_no_radiograph_among_the_samples_changed():
    assert sum(s["radiograph"] for s in SAMPLES.values()) == 18
    assert not [name for name, s in SAMPLES.items() if s["radiograph"] and "before" in s]
    assert all(s["why"] for s in SAMPLES.values() if "before" in s)


@needs_radiographs
@pytest.mark.parametrize(
    ("name", "source", "mean", "median"),
    [
        ("dicom/Fake_MONOCHROME1_from_siim.dcm", "bits stored", 0.37087, 0.3255),
        ("dicom/siim_1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm", "bits stored", 0.62913, 0.6745),
        ("dicom/nema_wg04_RG1_chest_J2KI.dcm", "window", 0.75361, 0.8124),
        ("ieee8023/ieee_ARDSSevere-png_19ca.png", "dtype", 0.51433, 0.5216),
        ("nih/00000001_000.png", "dtype", 0.50249, 0.5255),
        ("nih/00001280_004.png", "dtype", 0.58345, 0.6392),
        ("nih/00008365_000.png", "dtype", 0.5764, 0.6275),
    ],
)
def test_real_radiographs_are_as_they_were(name, source, mean, median):
    image, meta = read_image(SHARED / "cxr" / "originals" / name, any_view=True)
    assert (meta["intensity_source"], "range" in meta["warnings"], "scale" in meta["warnings"]) == (
        source,
        False,
        False,
    )
    assert (image.mean(), np.median(image)) == pytest.approx((mean, median), abs=2e-3)
