import itk
import nibabel as nib
import numpy as np
import pytest

from cxr_common.data import RadiographReader
from cxr_common.findings import save_mask


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_itk_finds_the_pixel_where_it_is_in_the_picture(tmp_path, suffix):
    mask = np.zeros((30, 20), bool)  # 30 columns, 20 rows
    mask[27, 2] = True  # top right
    path = tmp_path / f"mask{suffix}"
    save_mask(mask, path, (0.5, 0.25))
    image = itk.imread(str(path))
    assert list(itk.size(image)) == [30, 20]
    assert image.GetPixel([27, 2]) == 1
    assert list(image.TransformIndexToPhysicalPoint([27, 2])) == pytest.approx([27 * 0.5, 2 * 0.25])
    np.testing.assert_array_equal(itk.array_from_matrix(image.GetDirection()), np.eye(2))


def test_nibabel_and_our_reader_give_the_mask_back(tmp_path):
    mask = np.random.default_rng(0).random((31, 17)) > 0.5
    save_mask(mask, tmp_path / "mask.nii.gz", (0.5, 0.25))
    image = nib.load(tmp_path / "mask.nii.gz")
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(image.dataobj) != 0, mask)
    assert image.header.get_xyzt_units()[0] == "mm"
    reader = RadiographReader()
    again, meta = reader.get_data(reader.read(tmp_path / "mask.nii.gz"))
    np.testing.assert_array_equal(again > 0, mask)
    np.testing.assert_allclose(meta["spacing"], (0.5, 0.25))


def test_unknown_spacing_claims_no_unit(tmp_path):
    save_mask(np.ones((4, 3)), tmp_path / "mask.nii", None)
    header = nib.load(tmp_path / "mask.nii").header
    assert header.get_xyzt_units()[0] == "unknown"
    assert [float(zoom) for zoom in header.get_zooms()] == [1.0, 1.0]


def test_the_same_mask_gives_the_same_bytes(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        save_mask(np.ones((4, 3)), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
