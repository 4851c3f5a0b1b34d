"""JPEG files and frames whose end marker comes before their last pixel."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate

from cxr_common.errors import InputError
from tests.image_files import (
    ENCODERS,
    JPEG_BASELINE,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    dicom_dataset,
    read_image,
    stored_grey,
    write_dicom,
)

#: Its last rows are black, as decoders leave those that are missing.
BLACK_BELOW = stored_grey(8, "uint8")
BLACK_BELOW[-20:] = 0
END = b"\xff\xd9"


def cut(content, share):
    return content[: int(len(content) * share)] + END


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"quality": 100}, {"exif": True}])
@pytest.mark.parametrize("picture", [stored_grey(8, "uint8"), BLACK_BELOW, np.zeros((40, 60), "uint8")])
def test_files(tmp_path, picture, options):
    image, file = Image.fromarray(picture), io.BytesIO()
    if "exif" in options:  # with a thumbnail, which has an end of its own
        small = io.BytesIO()
        image.resize((16, 16)).save(small, "JPEG")
        options = {"exif": b"Exif\0\0" + small.getvalue()}
    image.save(file, "JPEG", **options)
    path = tmp_path / "a.jpg"
    for trailing in (b"", bytes(100), b"\xff\xd8\xff\xe0" + END):
        path.write_bytes(file.getvalue() + trailing)
        assert np.abs(read_image(path)[0].T * 255 - picture).mean() < 6
    if picture.any():
        path.write_bytes(cut(file.getvalue(), 0.75))
        with pytest.raises(InputError, match=r"ends before its last pixel|cut off"):
            read_image(path)


@pytest.mark.parametrize("syntax", [JPEG_BASELINE, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS])
@pytest.mark.parametrize("picture", [stored_grey(8, "uint8"), BLACK_BELOW])
def test_frames(tmp_path, syntax, picture):
    frame = ENCODERS[syntax](picture, dicom_dataset(picture))
    path = write_dicom(tmp_path / "a.dcm", picture, syntax, PixelData=encapsulate([frame]))
    assert np.abs(read_image(path)[0].T * 255 - picture).max() < 20
    for share in (0.5, 0.8):
        path = write_dicom(tmp_path / "a.dcm", picture, syntax, PixelData=encapsulate([cut(frame, share)]))
        with pytest.raises(InputError, match="cannot be decoded"):
            read_image(path)
