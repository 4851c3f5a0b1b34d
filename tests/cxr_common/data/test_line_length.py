"""Lines of another length than the header's are told from the pixels, and honest pictures are not doubted."""

import warnings

import numpy as np
import pytest

from cxr_common.data.line_length import line_length, warn_of_line_length
from cxr_common.data.scan import RadiographWarning
from tests.image_files import RLE, dicom_dataset, grey_picture, read_image, save_dicom, stored_grey, write_nifti

GREY = grey_picture(120, 160)
NOISY = np.clip(GREY + np.random.default_rng(0).normal(0, 0.02, GREY.shape), 0, 1)
EXCHANGED = "the lines of the picture look 90 pixels long where the header says 60: rows and columns may be exchanged"


@pytest.mark.parametrize("picture", [GREY, NOISY], ids=["smooth", "noisy"])
def test_the_length_of_lines_is_found(picture):
    assert line_length(picture.reshape(160, 120)) == 160
    assert line_length(picture[:, :140].copy().reshape(140, 120)) == 140


@pytest.mark.parametrize("picture", [GREY, NOISY, 1 - GREY, GREY.T, GREY[:, ::-1]])
def test_honest_pictures_are_not_doubted(picture):
    assert line_length(np.ascontiguousarray(picture)) is None


def test_what_is_no_picture_is_not_doubted():
    stripes = np.repeat(np.arange(120) % 2.0, 160).reshape(120, 160)
    noise = np.random.default_rng(0).random((120, 160))
    for picture in (stripes, stripes.T.copy(), noise, np.ones((120, 160)), np.ones((3, 900)), GREY[:20]):
        assert line_length(picture) is None


def test_the_warning_says_what_may_be_wrong():
    with pytest.warns(RadiographWarning, match="look 140 pixels long where the header says 120: the header's size"):
        warn_of_line_length(NOISY[:, :140].copy().reshape(-1)[: 120 * 135].reshape(135, 120))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_line_length(np.zeros((40, 60, 3)))


@pytest.mark.parametrize("kind", ["dicom", "rle", "nifti"])
def test_exchanged_sizes_are_warned_of(tmp_path, kind):
    stored = stored_grey(12)  # 60 rows of 90
    if kind == "nifti":
        path = write_nifti(tmp_path / "a.nii", stored.reshape(90, 60).T, np.diag([-0.2, -0.2, 1, 1]))
    else:
        dataset = dicom_dataset(stored, RLE if kind == "rle" else "1.2.840.10008.1.2.1", BitsStored=12)
        dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows
        path = tmp_path / "a.dcm"
        save_dicom(path, dataset)
    assert EXCHANGED in read_image(path)[1]["warnings"]
