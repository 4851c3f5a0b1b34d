"""Colour palettes in either byte order, packed or not, and of fewer bits than they declare."""

import numpy as np
import pytest

from cxr_common.errors import InputError
from tests.image_files import BIG_ENDIAN, EXPLICIT, IMPLICIT, dicom_dataset, read_image, save_dicom

COLOURS = ("Red", "Green", "Blue")
INDICES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def palette_image(path, entries: np.ndarray, bits: int, syntax: str, first: int = 0, packed: bool = False):
    """An image of a grey palette, whose entries are words of the file's byte order, or bytes packed into such."""
    dataset = dicom_dataset(INDICES, syntax, PhotometricInterpretation="PALETTE COLOR")
    order = ">" if syntax == BIG_ENDIAN else "<"
    words = entries.astype(np.uint8).view("<u2") if packed else entries
    for colour in COLOURS:
        keyword = f"{colour}PaletteColorLookupTable"
        setattr(dataset, f"{keyword}Descriptor", [len(entries), first, bits])
        setattr(dataset, f"{keyword}Data", words.astype(f"{order}u2").tobytes())
    return save_dicom(path, dataset)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize(
    ("largest", "bits", "packed"),
    [(65535, 16, False), (4095, 16, False), (255, 16, False), (255, 8, False), (255, 8, True)],
)
def test_grey_palettes(tmp_path, syntax, largest, bits, packed):
    entries = np.round(np.linspace(0, largest, 256)[::-1])  # the order of a palette is not that of its grey values
    image, meta = read_image(palette_image(tmp_path / "i.dcm", entries, bits, syntax, packed=packed))
    np.testing.assert_allclose(image.T, 1 - INDICES / 255, atol=2e-3)
    assert meta["intensity_source"] == "palette"
    assert ("the palette declares 16 bits" in meta["warnings"]) is (largest < 65535 and bits == 16)


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_indices_beyond_the_palette_take_its_ends(tmp_path, syntax):
    image, _ = read_image(palette_image(tmp_path / "i.dcm", np.array([0, 13107, 26214, 65535]), 16, syntax, first=100))
    grey = image.T.ravel()
    assert grey[:101].max() == 0 and grey[103:].min() == 1
    assert grey[101:103].tolist() == pytest.approx([0.2, 0.4])


def test_two_colours_of_a_palette_are_not_grey(tmp_path):
    path = palette_image(tmp_path / "i.dcm", np.linspace(0, 65535, 256), 16, BIG_ENDIAN)
    import pydicom

    dataset = pydicom.dcmread(path)
    dataset.RedPaletteColorLookupTableData = bytes(512)
    with pytest.raises(InputError, match="in colour"):
        read_image(save_dicom(path, dataset))
    del dataset.BluePaletteColorLookupTableData
    with pytest.raises(InputError, match="palette is missing or damaged"):
        read_image(save_dicom(path, dataset))


def test_segmented_palette(tmp_path):
    dataset = dicom_dataset(INDICES, PhotometricInterpretation="PALETTE COLOR")
    for colour in COLOURS:
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        # One discrete entry of 0, then a line of 255 entries up to 65535 (PS3.3 C.7.9.2).
        data = np.array([0, 1, 0, 1, 255, 65535], "<u2").tobytes()
        setattr(dataset, f"Segmented{colour}PaletteColorLookupTableData", data)
    image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
    np.testing.assert_allclose(image.T, INDICES / 255, atol=2e-3)
    assert meta["warnings"] == ""
