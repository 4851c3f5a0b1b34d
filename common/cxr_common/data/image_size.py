"""The size of an image, from its header where that tells."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PIL import Image

from cxr_common.data.orientation import EXIF_CODES, IDENTITY, code_from_directions
from cxr_common.data.reader import read_picture

_ORIENTATION_TAG = 274  # EXIF
_DEFLATED = "1.2.840.10008.1.2.1.99"
_VOLUMES = (".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".nhdr")
Size = tuple[int, int]


def upright_size(path: str | Path) -> Size | None:
    """Width and height of an upright image, as boxes count its pixels.

    Pixels are not read but of NIfTI, MetaImage and NRRD, which are small and whose axes may lie in any way.

    Args:
        path: of an image.

    Returns:
        Pixels; None where that cannot be told, as of a damaged file, which reading reports in its own words.
    """
    for read in (_raster, _dicom, _volume):
        with suppress(Exception):
            if (size := read(Path(path))) is not None:
                return size
    return None


def _turned(size: Size, code: str) -> Size:
    return size[::-1] if code[1] == "y" else size


def _raster(path: Path) -> Size | None:
    with Image.open(path) as image:
        # Pillow gives the size of a TIFF upright, that of others as stored.
        tag = 1 if image.format == "TIFF" else image.getexif().get(_ORIENTATION_TAG, 1)
        return _turned(image.size, EXIF_CODES.get(tag, IDENTITY))


def _dicom(path: Path) -> Size | None:
    import pydicom

    with open(path, "rb") as file:
        if _DEFLATED.encode() in file.read(2000):  # would be inflated as a whole
            return None
    keywords = ["Rows", "Columns", "PatientOrientation"]
    dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=keywords, force=True)
    directions = "".join(str(part)[:1] for part in dataset.get("PatientOrientation") or "").upper()
    code = IDENTITY
    with suppress(ValueError, KeyError):
        code = code_from_directions(directions, "LF") if len(directions) == 2 else IDENTITY
    return _turned((int(dataset.Columns), int(dataset.Rows)), code)


def _volume(path: Path) -> Size | None:
    if not path.name.lower().endswith(_VOLUMES):
        return None
    width, height = read_picture(path).shape
    return int(width), int(height)
