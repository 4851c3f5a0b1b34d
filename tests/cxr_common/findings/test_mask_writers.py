from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.masks import read_mask
from cxr_common.data.reader import RadiographReader
from cxr_common.findings import NiftiMasks, PngMasks


@pytest.fixture
def masks():
    top_right = np.zeros((30, 20), bool)  # 30 columns, 20 rows
    top_right[25:29, 1:4] = True
    return {"Pleural effusion": top_right, "Mass": ~top_right}


@pytest.mark.parametrize(("writer", "suffix"), [(NiftiMasks(), "nii.gz"), (PngMasks(), "png")])
def test_one_file_a_class_upright(tmp_path, masks, writer, suffix):
    files = writer.write("case", {"spacing_mm": [0.5, 0.25]}, masks, tmp_path)
    assert files == {"Pleural effusion": f"case_Pleural-effusion.{suffix}", "Mass": f"case_Mass.{suffix}"}
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(writer.names("case", masks)) == sorted(files.values())
    for label, name in files.items():
        np.testing.assert_array_equal(read_mask(tmp_path / name), masks[label])


def test_png_is_as_seen_and_nifti_has_the_spacing(tmp_path, masks):
    found = {"spacing_mm": [0.5, 0.25]}
    name = PngMasks().write("case", found, masks, tmp_path)["Pleural effusion"]
    picture = Image.open(tmp_path / name)
    assert (picture.size, picture.mode) == ((30, 20), "1")
    assert picture.getpixel((27, 2)) == 255
    assert picture.getpixel((2, 17)) == 0
    name = NiftiMasks().write("case", found, masks, tmp_path)["Mass"]
    reader = RadiographReader()
    np.testing.assert_allclose(reader.get_data(reader.read(tmp_path / name))[1]["spacing"], (0.5, 0.25))
