"""The contract of the reader: shape, type, one set of keys for every format."""

import math
import os
import warnings

import numpy as np
import pytest
from monai.data import ImageReader
from PIL import Image

from cxr_common.data import RadiographReader, read_picture, reader
from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.scan import TEXT_KEYS
from cxr_common.errors import InputError
from tests.damaged import write_good_files
from tests.image_files import marker_picture, read_image, write_dicom

KEYS = {
    "affine",
    "original_affine",
    "space",
    "spatial_shape",
    "original_channel_dim",
    "filename_or_obj",
    "file_format",
    "spacing",
    "spacing_source",
    "stored_axes",
    "stored_shape",
    "intensity_source",
    "intensity_low",
    "intensity_high",
    "warnings",
    *TEXT_KEYS,
}


def test_every_format_has_the_same_keys_of_the_same_types(tmp_path):
    metas = [read_image(path)[1] for path in write_good_files(tmp_path, 5)]
    assert len({meta["file_format"] for meta in metas}) == 4
    for meta in metas:
        assert set(meta) == KEYS
        assert None not in [v for v in meta.values() if not isinstance(v, np.ndarray)]
        assert {k: type(v) for k, v in meta.items()} == {k: type(v) for k, v in metas[0].items()}
        assert meta["affine"].shape == (4, 4) and meta["spacing"].shape == meta["spatial_shape"].shape == (2,)
        assert str(meta["space"]) == "RAS" and math.isnan(meta["original_channel_dim"])


def test_image(tmp_path):
    image, _ = read_image(write_dicom(tmp_path / "a.dcm", marker_picture(), PatientOrientation=["R", "F"]))
    assert image.shape == (60, 40) and image.dtype == np.float32 and image.flags.c_contiguous


def test_signature(tmp_path):
    reader = RadiographReader()
    assert isinstance(reader, ImageReader)
    assert reader.verify_suffix("x.dcm") and reader.verify_suffix(["anything"])
    path = write_dicom(tmp_path / "a.dcm", marker_picture())
    for given in (path, str(path), [path], (str(path),)):
        assert reader.get_data(reader.read(given))[0].shape == (60, 40)
    with pytest.raises(InputError, match="2 files for one image"):
        reader.read([path, path])
    with pytest.raises(InputError, match="channels must be 1 or 3"):
        RadiographReader(channels=2)


def test_read_picture(tmp_path):
    Image.fromarray(marker_picture()).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_picture(tmp_path / "a.png"), marker_picture().T / 255, atol=1e-6)


def test_library_loggers_are_as_they_were(tmp_path, caplog):
    import logging

    logger = logging.getLogger("pydicom")
    before = logger.level
    path = write_dicom(tmp_path / "a.dcm", marker_picture(), NumberOfFrames=0)
    read_image(path)
    (tmp_path / "b.dcm").write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError):
        read_image(tmp_path / "b.dcm")
    assert logger.level == before and not caplog.records


@pytest.mark.parametrize("change", ["grows", "vanishes"])
def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch, change):
    path = write_dicom(tmp_path / "i.dcm", marker_picture())
    read = reader.read_dicom

    def reads_and_changes(*args):
        scan = read(*args)
        path.write_bytes(path.read_bytes() + b"more") if change == "grows" else path.unlink()
        return scan

    monkeypatch.setattr(reader, "read_dicom", reads_and_changes)
    with pytest.raises(InputError, match="changed while it was read"):
        read_image(path)


def test_a_name_that_is_not_utf_8_is_one_failure(tmp_path):
    path = tmp_path / os.fsdecode(b"M\xfcller.dcm")
    write_dicom(path, marker_picture())
    with pytest.raises(InputError, match=r"M\\xfcller.dcm: the name .* is not UTF-8; rename it"):
        read_image(path)


@pytest.mark.parametrize(("refuse", "warned"), [(None, False), (False, True)])
def test_an_unlikely_picture_is_warned_of_where_this_is_asked_for(tmp_path, refuse, warned):
    path = write_dicom(tmp_path / "white.dcm", np.full((100, 120), 255, np.uint8))
    found = RadiographReader(refuse_unlikely=refuse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, meta = found.get_data(found.read(path))
    assert ("nearly uniform" in meta["warnings"]) is warned
    assert any("nearly uniform" in str(warning.message) for warning in caught) is warned


def test_an_unlikely_picture_is_refused_where_this_is_asked_for(tmp_path):
    path = write_dicom(tmp_path / "white.dcm", np.full((100, 120), 255, np.uint8))
    found = RadiographReader(refuse_unlikely=True)
    with pytest.raises(
        InputError, match="not be an upright frontal chest radiograph: it is nearly uniform; .*refuse_unlikely"
    ):
        found.get_data(found.read(path))


@pytest.mark.parametrize("options", [{"any_view": True}, {"channels": 3}])
def test_other_views_and_photographs_that_are_asked_for_are_not_doubted(tmp_path, options):
    path = write_dicom(tmp_path / "white.dcm", np.full((100, 120), 255, np.uint8))
    found = RadiographReader(**options, refuse_unlikely=True)
    assert "uniform" not in found.get_data(found.read(path))[1]["warnings"]


def test_the_picture_is_tested_as_it_is_shown(tmp_path):
    """A file that lies on its side, and says so, is turned upright first."""
    picture = (255 * make_phantom(5, 0, PhantomConfig(size=128)).image).astype(np.uint8)
    path = write_dicom(tmp_path / "a.dcm", np.rot90(picture).copy(), PatientOrientation=["F", "R"])
    found = RadiographReader(refuse_unlikely=False)
    assert "this may be" not in found.get_data(found.read(path))[1]["warnings"]
    path = write_dicom(tmp_path / "b.dcm", np.rot90(picture).copy())
    assert "the head to the left" in found.get_data(found.read(path))[1]["warnings"]
