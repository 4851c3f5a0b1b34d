"""Elements that an object of one frame keeps in its functional groups, where others have them at the top."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.image_files import grey_picture, marker_picture, read_image, stored_grey, write_dicom

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def groups(group: str, **macros: Dataset) -> dict[str, object]:
    return {group: [item(**{name: [macro] for name, macro in macros.items()})], "NumberOfFrames": 1}


@pytest.mark.parametrize("group", GROUPS)
def test_a_negative_slope_turns_the_picture_round(tmp_path, group):
    macro = item(RescaleSlope=-1, RescaleIntercept=4095, RescaleType="US")
    elements = groups(group, PixelValueTransformationSequence=macro)
    image, _ = read_image(write_dicom(tmp_path / "a.dcm", 4095 - stored_grey(12), BitsStored=12, **elements))
    assert np.abs(image.T - grey_picture()).max() < 0.01


@pytest.mark.parametrize("group", GROUPS)
def test_the_window_of_the_frame_is_the_picture_s(tmp_path, group):
    elements = groups(group, FrameVOILUTSequence=item(WindowCenter=2024, WindowWidth=2048))
    image, meta = read_image(write_dicom(tmp_path / "a.dcm", stored_grey(11) + 1000, BitsStored=12, **elements))
    assert np.abs(image.T - grey_picture()).max() < 0.01
    assert meta["intensity_source"] == "window"


def test_spacing_and_orientation_of_the_frame(tmp_path):
    macros = {
        "PixelMeasuresSequence": item(PixelSpacing=[0.3, 0.2]),
        "PatientOrientationInFrameSequence": item(PatientOrientation=["R", "F"]),
    }
    pixels = marker_picture()
    image, meta = read_image(write_dicom(tmp_path / "a.dcm", pixels, **groups(GROUPS[0], **macros)))
    assert meta["spacing"] == pytest.approx((0.2, 0.3)) and meta["spacing_source"] == "PixelSpacing"
    assert np.allclose(image.T, pixels[:, ::-1] / 255)


def test_the_frame_s_own_word_counts_before_that_of_all_frames(tmp_path):
    shared = groups(GROUPS[0], FrameVOILUTSequence=item(WindowCenter=200, WindowWidth=100))
    own = groups(GROUPS[1], FrameVOILUTSequence=item(WindowCenter=2024, WindowWidth=2048))
    image, _ = read_image(write_dicom(tmp_path / "a.dcm", stored_grey(11) + 1000, BitsStored=12, **shared | own))
    assert np.abs(image.T - grey_picture()).max() < 0.01


def test_what_stands_at_the_top_counts_first(tmp_path):
    elements = groups(GROUPS[0], FrameVOILUTSequence=item(WindowCenter=500, WindowWidth=1000))
    path = write_dicom(
        tmp_path / "a.dcm", stored_grey(12), BitsStored=12, WindowCenter=2048, WindowWidth=4096, **elements
    )
    assert np.abs(read_image(path)[0].T - grey_picture()).max() < 0.01
