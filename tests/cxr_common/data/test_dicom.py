"""DICOM objects: which are refused, and what is known of the others."""

import io
import math

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from cxr_common.errors import InputError
from tests.golden import SHARED, needs_radiographs
from tests.image_files import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    MARKER_BOX,
    dicom_dataset,
    marker_corner,
    marker_picture,
    read_image,
    write_dicom,
)

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")  # some are written on purpose


def item(**elements) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"Modality": "CT"}, "modality CT is not radiography"),
        ({"Modality": "US"}, "modality US"),
        ({"Modality": "MG"}, "modality MG"),
        ({"Modality": ["MR", "CR"]}, "modality MR"),
        ({"NumberOfFrames": "3"}, "3 frames"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "FOR PROCESSING"),
        ({"SOPClassUID": DX_FOR_PROCESSING}, "FOR PROCESSING"),
        ({"SOPClassUID": "1.2.840.10008.1.3.10"}, "DICOMDIR"),
        ({"DirectoryRecordSequence": [item(DirectoryRecordType="PATIENT")]}, "DICOMDIR"),
        ({"ViewPosition": "LL"}, "not a frontal view (LL)"),
        ({"ViewPosition": "RL"}, "not a frontal view"),
        ({"ViewPosition": "LATERAL"}, "not a frontal view"),
        ({"ViewPosition": "LLD"}, "not a frontal view"),
        ({"ViewPosition": "RAO"}, "not a frontal view"),
        ({"ViewPosition": "AP RLD"}, "not a frontal view"),
        ({"ViewPosition": "xtable lateral"}, "not a frontal view"),
        ({"ViewPosition": "", "ViewCodeSequence": [item(CodeMeaning="left lateral")]}, "not a frontal view"),
        ({"ViewPosition": "", "SeriesDescription": "Chest_LAT"}, "not a frontal view"),
        ({"ViewPosition": "", "ProtocolName": "Thorax seitlich"}, "not a frontal view"),
        ({"ViewPosition": "", "PatientOrientation": ["A", "F"]}, "not a frontal view (PatientOrientation A\\F)"),
        ({"ViewPosition": "", "PatientOrientation": ["P", "FR"]}, "not a frontal view"),
        ({"Rows": None}, "Rows is missing"),
        ({"Columns": 0}, "Columns is 0"),
        ({"BitsAllocated": None}, "BitsAllocated is missing"),
        ({"BitsAllocated": 12}, "BitsAllocated of 12"),
        ({"PhotometricInterpretation": None}, "PhotometricInterpretation is missing"),
        ({"PhotometricInterpretation": "CMYK"}, "PhotometricInterpretation is CMYK"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel is 3"),
        ({"Rows": 65535, "Columns": 65535}, "too large (65535 x 65535)"),
        ({"Rows": 41}, "cut off: 2400 of 2460 bytes"),
        ({"Rows": 10}, "2400 bytes of pixel data where the tags say 600"),
        ({"PixelData": b""}, "no pixel data"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "palette is missing"),
    ],
)
def test_refused(tmp_path, elements, reason):
    path = write_dicom(tmp_path / "image.dcm", marker_picture(), **elements)
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert reason in caught.value.reason
    assert caught.value.where == str(path)
    assert caught.value.action
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("sop_class", "named"), [("1.2.840.10008.5.1.4.1.1.88.11", "Text SR"), ("1.2.3", "1.2.3")])
def test_an_object_without_pixels_is_named(tmp_path, sop_class, named):
    icon = dicom_dataset(marker_picture(8, 8), Modality=None)
    path = write_dicom(tmp_path / "report.dcm", None, SOPClassUID=sop_class, IconImageSequence=[icon])
    with pytest.raises(InputError, match=f"no pixel data .*{named}"):
        read_image(path)


@pytest.mark.parametrize(
    "elements",
    [
        {"ViewPosition": "AP"},
        {"ViewPosition": ""},
        {"ViewPosition": None},
        {"Modality": "DX"},
        {"Modality": "OT"},
        {"Modality": ["CR", "DX"]},
        {"NumberOfFrames": "1"},
        {"NumberOfFrames": 0},
        {"ImageType": ["DERIVED", "SECONDARY"]},
        {"ViewPosition": "", "SeriesDescription": "CHEST PA & LAT"},
        {"ViewPosition": "", "SeriesDescription": "bilateral ribs"},
        {"ViewPosition": "", "SeriesDescription": "Thorax p.a. und seitlich"},
        {"ViewPosition": "", "SeriesDescription": "LL RL FLAT"},
        {"ViewPosition": "PA", "SeriesDescription": "lateral"},
        {"ViewPosition": "", "ViewCodeSequence": [item(CodeMeaning="postero-anterior")]},
        {"PatientOrientation": ""},
        {"PatientOrientation": ["L", "F"]},
        {"PatientOrientation": ["LA", "FP"]},
    ],
)
def test_accepted_without_a_word(tmp_path, elements):
    image, meta = read_image(write_dicom(tmp_path / "image.dcm", marker_picture(), **elements))
    assert marker_corner(image) == MARKER_BOX
    assert meta["warnings"] == ""


@pytest.mark.parametrize(
    ("elements", "warning"),
    [
        ({"Modality": None}, "Modality is missing"),
        ({"BodyPartExamined": "KNEE"}, "BodyPartExamined is KNEE"),
        ({"PatientOrientation": ["X", "F"]}, "PatientOrientation X\\F is invalid"),
        ({"PatientOrientation": "L"}, "PatientOrientation L is invalid"),
        ({"BitsStored": None}, "BitsStored is None, taken as 8"),
        ({"BitsStored": 12, "HighBit": 7}, "BitsStored is 12, taken as 8"),
        ({"PixelRepresentation": None}, "PixelRepresentation is None"),
    ],
)
def test_accepted_with_a_warning(tmp_path, elements, warning):
    image, meta = read_image(write_dicom(tmp_path / "image.dcm", marker_picture(), **elements))
    assert marker_corner(image) == MARKER_BOX
    assert warning in meta["warnings"]


def test_any_view_accepts_a_lateral(tmp_path):
    path = write_dicom(tmp_path / "image.dcm", marker_picture(), ViewPosition="LL", PatientOrientation=["A", "F"])
    image, meta = read_image(path, any_view=True)
    assert marker_corner(image) == MARKER_BOX and meta["view"] == "LL" and meta["stored_axes"] == "+x+y"


@pytest.mark.parametrize(
    ("orientation", "code", "turn"),
    [
        (["L", "F"], "+x+y", lambda p: p),
        (["R", "F"], "-x+y", lambda p: p[:, ::-1]),
        (["L", "H"], "+x-y", lambda p: p[::-1]),
        (["R", "H"], "-x-y", lambda p: p[::-1, ::-1]),
        (["F", "L"], "+y+x", lambda p: p.T),
        (["F", "R"], "-y+x", lambda p: p.T[::-1]),
        (["H", "L"], "+y-x", lambda p: p.T[:, ::-1]),
        (["RP", "FA"], "-x+y", lambda p: p[:, ::-1]),
    ],
)
def test_patient_orientation_is_turned_upright(tmp_path, orientation, code, turn):
    stored = np.ascontiguousarray(turn(marker_picture()))
    path = write_dicom(tmp_path / "image.dcm", stored, PatientOrientation=orientation, PixelSpacing=[0.3, 0.2])
    image, meta = read_image(path)
    assert image.shape == (60, 40) == tuple(meta["spatial_shape"])
    assert marker_corner(image) == MARKER_BOX
    assert meta["stored_axes"] == code
    assert tuple(meta["stored_shape"]) == stored.shape[::-1]
    # PixelSpacing is row \ column spacing of the stored picture; ours is x, y of the upright one.
    assert meta["spacing"].tolist() == ([0.3, 0.2] if "y" in code[:2] else [0.2, 0.3])


@pytest.mark.parametrize(
    ("elements", "spacing", "source", "warned"),
    [
        ({"PixelSpacing": [0.3, 0.2]}, [0.2, 0.3], "PixelSpacing", False),
        ({"PixelSpacing": [0.3, 0.2], "ImagerPixelSpacing": [1, 1]}, [0.2, 0.3], "PixelSpacing", False),
        ({"ImagerPixelSpacing": [0.14, 0.15]}, [0.15, 0.14], "ImagerPixelSpacing", False),
        ({"NominalScannedPixelSpacing": [0.1, 0.1]}, [0.1, 0.1], "NominalScannedPixelSpacing", False),
        ({"PixelSpacing": [0, 0]}, None, "", True),
        ({"PixelSpacing": [-0.2, 0.2]}, None, "", True),
        ({"PixelSpacing": [500, 500]}, None, "", True),
        ({"PixelSpacing": [0.1, 5]}, None, "", True),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.14, 0.14]}, [0.14, 0.14], "ImagerPixelSpacing", True),
        ({"PixelSpacing": None}, None, "", False),
        ({"PixelSpacing": ""}, None, "", False),
    ],
)
def test_spacing(tmp_path, elements, spacing, source, warned):
    _, meta = read_image(write_dicom(tmp_path / "image.dcm", marker_picture(), **elements))
    assert meta["spacing_source"] == source
    assert ("cannot be true" in meta["warnings"]) == warned
    if spacing is None:
        assert np.isnan(meta["spacing"]).all()
        assert np.diag(meta["affine"]).tolist() == [-1, -1, 1, 1]
    else:
        assert meta["spacing"].tolist() == spacing
        assert np.diag(meta["affine"]).tolist() == [-spacing[0], -spacing[1], 1, 1]


def test_identity_is_kept(tmp_path):
    path = write_dicom(tmp_path / "i.dcm", marker_picture(), PatientOrientation=["R", "F"], SOPInstanceUID="1.2.3.4")
    _, meta = read_image(path)
    known = {
        "modality": "CR",
        "view": "PA",
        "patient_orientation": "R\\F",
        "patient_id": "case-1",
        "study_instance_uid": "1.2.826.0.1.1",
        "series_instance_uid": "1.2.826.0.1.2",
        "sop_instance_uid": "1.2.3.4",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1",
        "photometric_interpretation": "MONOCHROME2",
        "transfer_syntax_uid": EXPLICIT,
        "file_format": "DICOM",
        "filename_or_obj": str(path),
    }
    assert {key: meta[key] for key in known} == known


# Colour


def test_equal_channels_are_grey(tmp_path):
    rgb = np.repeat(marker_picture()[..., None], 3, axis=-1)
    image, _ = read_image(write_dicom(tmp_path / "rgb.dcm", rgb))
    assert image.shape == (60, 40) and marker_corner(image) == MARKER_BOX
    np.testing.assert_allclose(image, marker_picture().T / 255, atol=1e-6)


def test_planar_configuration(tmp_path):
    rgb = np.repeat(marker_picture()[..., None], 3, axis=-1)
    planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0)).tobytes()
    image, _ = read_image(write_dicom(tmp_path / "planes.dcm", rgb, PlanarConfiguration=1, PixelData=planes))
    np.testing.assert_allclose(image, marker_picture().T / 255, atol=1e-6)


def test_neutral_ybr_is_grey(tmp_path):
    ybr = np.full((40, 60, 3), 128, np.uint8)
    ybr[..., 0] = marker_picture()
    image, _ = read_image(write_dicom(tmp_path / "ybr.dcm", ybr, PhotometricInterpretation="YBR_FULL"))
    np.testing.assert_allclose(image, marker_picture().T / 255, atol=1.5 / 255)


def test_colour_is_refused_unless_asked_for(tmp_path):
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[..., 0], rgb[:20, :, 2] = 200, 100
    path = write_dicom(tmp_path / "rgb.dcm", rgb)
    with pytest.raises(InputError, match="in colour"):
        read_image(path)
    image, meta = read_image(path, channels=3)
    assert image.shape == (3, 60, 40) and meta["original_channel_dim"] == 0
    np.testing.assert_allclose(image[:, 0, 0], [200 / 255, 0, 100 / 255], atol=1e-6)
    grey, _ = read_image(write_dicom(tmp_path / "grey.dcm", marker_picture()), channels=3)
    assert grey.shape == (3, 60, 40) and (grey[0] == grey[2]).all()


def test_grey_palette(tmp_path):
    reverse = np.arange(255, -1, -1)
    palette = {}
    for name in ("Red", "Green", "Blue"):
        palette[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        palette[f"{name}PaletteColorLookupTableData"] = reverse.astype("uint8").tobytes()
    picture = np.array([[0, 51, 255, 0]], np.uint8)
    image, meta = read_image(
        write_dicom(tmp_path / "palette.dcm", picture, PhotometricInterpretation="PALETTE COLOR", **palette)
    )
    assert image[:, 0].tolist() == pytest.approx([1, 0.8, 0, 1]) and meta["intensity_source"] == "palette"


# Files as they are found


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_without_preamble_and_file_meta(tmp_path, syntax):
    whole = write_dicom(tmp_path / "whole.dcm", marker_picture(dtype="uint16"), syntax).read_bytes()
    group_length = int.from_bytes(whole[140:144], "little")
    bare = tmp_path / "bare"
    bare.write_bytes(whole[144 + group_length :])
    image, meta = read_image(bare)
    assert marker_corner(image) == MARKER_BOX
    assert meta["transfer_syntax_uid"] == syntax


def test_without_preamble_but_with_file_meta(tmp_path):
    whole = write_dicom(tmp_path / "whole.dcm", marker_picture(), DEFLATED).read_bytes()
    (tmp_path / "bare").write_bytes(whole[132:])
    assert marker_corner(read_image(tmp_path / "bare")[0]) == MARKER_BOX


def test_every_cut_is_refused(tmp_path):
    whole = write_dicom(tmp_path / "whole.dcm", marker_picture(16, 16)).read_bytes()
    cut = tmp_path / "cut.dcm"
    for size in [*range(1, len(whole) - 256, 7), len(whole) - 255, len(whole) - 1]:
        cut.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_image(cut)


def test_one_bit_image(tmp_path):
    picture = np.zeros((8, 16), np.uint8)
    picture[1, 9:] = 1
    data = np.packbits(picture, axis=None, bitorder="little").tobytes()
    image, _ = read_image(write_dicom(tmp_path / "bit.dcm", picture, BitsAllocated=1, BitsStored=1, PixelData=data))
    assert (image == picture.T).all()


# Real radiographs

DICOM = SHARED / "cxr" / "originals" / "dicom"


def assert_upright_and_bright_where_dense(image: np.ndarray) -> None:
    """Mediastinum brighter than the lungs, abdomen below them, air above the shoulder; x is the first axis."""
    width, height = image.shape

    def mean(x0: float, x1: float, y0: float, y1: float) -> float:
        return float(image[int(x0 * width) : int(x1 * width), int(y0 * height) : int(y1 * height)].mean())

    lungs = max(mean(0.2, 0.38, 0.3, 0.55), mean(0.62, 0.75, 0.3, 0.5))
    assert mean(0.45, 0.55, 0.35, 0.6) > lungs + 0.2
    assert mean(0.15, 0.45, 0.85, 0.97) > lungs + 0.2
    assert mean(0, 0.05, 0, 0.1) < lungs - 0.2


@needs_radiographs
def test_real_jpeg_baseline():
    (path,) = DICOM.glob("siim*.dcm")
    image, meta = read_image(path)
    assert image.shape == (1024, 1024) and meta["intensity_source"] == "bits stored"
    assert_upright_and_bright_where_dense(image)
    frame = path.read_bytes()
    frame = frame[frame.index(b"\xff\xd8\xff") :]
    by_pillow = np.asarray(Image.open(io.BytesIO(frame)), np.float32).T / 255
    assert np.abs(image - by_pillow).max() <= 1.5 / 255  # another decoder


@needs_radiographs
def test_real_monochrome1_is_the_inverse_of_the_same_pixels():
    (path,) = DICOM.glob("siim*.dcm")
    image, _ = read_image(path)
    inverse, meta = read_image(DICOM / "Fake_MONOCHROME1_from_siim.dcm")
    assert meta["photometric_interpretation"] == "MONOCHROME1"
    np.testing.assert_allclose(inverse, 1 - image, atol=1e-6)


@needs_radiographs
def test_real_jpeg_2000_of_15_bits_monochrome1_windowed():
    path = DICOM / "nema_wg04_RG1_chest_J2KI.dcm"
    image, meta = read_image(path)
    assert image.shape == (1841, 1955) and meta["intensity_source"] == "window"
    assert (meta["intensity_low"], meta["intensity_high"]) == (0, 29999)
    assert math.isnan(meta["spacing"][0]) and "PixelSpacing of 0 x 0" in meta["warnings"]
    stored = pydicom.dcmread(path).pixel_array
    expected = 1 - np.clip((stored.astype(np.float64) - 14999.5) / 29999 + 0.5, 0, 1)
    np.testing.assert_allclose(image, expected.T, atol=1e-6)
    assert_upright_and_bright_where_dense(image)
