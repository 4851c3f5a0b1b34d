"""What is at the top right of the radiograph is there in every kind, pixel for pixel, however the source is stored."""

from __future__ import annotations

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom.sr import srread

from cxr_common.axes import picture_to_tensor
from cxr_common.data.orientation import boxes_to_stored, to_upright
from cxr_common.dicom_results import KINDS, make_object, read_source
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, box, result, write_source
from tests.image_files import read_image

ORIENTATIONS = {"upright": ["L", "F"], "mirrored": ["R", "F"], "on its side": ["F", "L"]}


@pytest.fixture(params=ORIENTATIONS)
def made(request, tmp_path):
    path = write_source(
        tmp_path / "source.dcm", PatientOrientation=ORIENTATIONS[request.param], PixelSpacing=[0.1, 0.2]
    )
    source = read_source(path)
    files = {}
    for kind in KINDS:
        files[kind] = tmp_path / f"{kind}.dcm"
        make_object(kind, result(), source, ResultUids(MODEL)).save_as(files[kind], enforce_file_format=True)
    return path, source, files


def brightest(path):
    """The box of the radiograph's brightest pixels as they are stored, found by pydicom alone."""
    rows, columns = np.nonzero(pydicom.dcmread(path).pixel_array == 4095)
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def bounds(points):
    return (*np.min(points, 0), *np.max(points, 0))


def test_the_source_is_what_the_test_thinks(made):
    """The reader sees the square at the top right, whichever way the file has it."""
    image, _ = read_image(made[0])
    x, y = np.nonzero(image == image.max())
    assert (x.min(), y.min(), x.max() + 1, y.max() + 1) == box()


def test_segmentation(made):
    path, source, files = made
    seg = highdicom.seg.segread(files["dicom_seg"])
    frames = pydicom.dcmread(files["dicom_seg"]).pixel_array
    for number, finding in enumerate(f for f in result().findings if f.mask is not None):
        by_highdicom = seg.get_pixels_by_source_instance([pydicom.dcmread(path).SOPInstanceUID])[0, ..., number]
        for stored in (frames[number], by_highdicom):
            np.testing.assert_array_equal(to_upright(picture_to_tensor(stored), source.stored_axes) != 0, finding.mask)
    rows, columns = np.nonzero(frames[0])
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == brightest(path)
    measures = pydicom.dcmread(files["dicom_seg"]).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.PixelSpacing == [0.1, 0.2]


def test_report(made):
    path, source, files = made
    groups = srread(files["dicom_sr"]).content.get_planar_roi_measurement_groups()
    boxes = [g.roi.value for g in groups if g.roi.graphic_type.value == "POLYLINE"]
    points = [g.roi.value[0] for g in groups if g.roi.graphic_type.value == "POINT"]
    assert bounds(boxes[0]) == brightest(path)
    assert points[0].tolist() == [sum(brightest(path)[0::2]) / 2, sum(brightest(path)[1::2]) / 2]
    strip = boxes_to_stored(np.array([[0.0, 10, 5, 30]]), source.size, source.stored_axes)[0]
    assert bounds(boxes[1]) == tuple(strip)


def test_presentation_state(made):
    path, _, files = made
    state = pydicom.dcmread(files["dicom_gsps"])
    drawn = [np.reshape(o.GraphicData, (-1, 2)) for o in state.GraphicAnnotationSequence[1].GraphicObjectSequence]
    assert len(drawn) == 2  # outline and box
    for points in drawn:
        assert bounds(points) == brightest(path)


def test_secondary_capture(made):
    """It is upright whatever the source is, as its PatientOrientation says."""
    capture = pydicom.dcmread(made[2]["dicom_sc"])
    assert capture.PatientOrientation == ["L", "F"]
    rows, columns = np.nonzero((capture.pixel_array == (230, 159, 0)).all(-1))
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 4
    assert tuple(found) == box()
    across, down = made[1].upright_spacing
    assert capture.PixelSpacing == [down / 4, across / 4]
