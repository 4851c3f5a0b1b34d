from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.masks import read_mask
from cxr_common.data.reader import RadiographReader
from cxr_common.findings import NiftiMasks, PngMasks
from tests.cxr_common.findings.test_case import decoded
from tests.cxr_common.findings.test_findings_writer import localized, save_image


@pytest.fixture
def case(tmp_path):
    top_right = np.zeros((30, 20), bool)  # 30 columns, 20 rows
    top_right[25:29, 1:4] = True
    path = save_image(tmp_path / "in" / "a.png", (30, 20))
    item = localized(path)
    item["findings"] |= {"spacing_mm": [0.5, 0.25]}
    return replace(decoded(item, path), masks={"Pleural effusion": top_right, "Mass": ~top_right})


@pytest.mark.parametrize(("writer", "suffix"), [(NiftiMasks(), "nii.gz"), (PngMasks(), "png")])
def test_one_file_for_each_class_upright(tmp_path, case, writer, suffix):
    (tmp_path / "out").mkdir()
    files = writer.write(case, tmp_path / "out")
    assert files == {"Pleural effusion": f"a_Pleural-effusion.{suffix}", "Mass": f"a_Mass.{suffix}"}
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(writer.names("a", case.masks)) == sorted(files.values())
    for label, name in files.items():
        np.testing.assert_array_equal(read_mask(tmp_path / "out" / name), case.masks[label])


def test_png_is_as_seen_and_nifti_has_the_spacing(tmp_path, case):
    picture = Image.open(tmp_path / PngMasks().write(case, tmp_path)["Pleural effusion"])
    assert (picture.size, picture.mode) == ((30, 20), "1")
    assert picture.getpixel((27, 2)) == 255
    assert picture.getpixel((2, 17)) == 0
    name = NiftiMasks().write(case, tmp_path)["Mass"]
    reader = RadiographReader()
    np.testing.assert_allclose(reader.get_data(reader.read(tmp_path / name))[1]["spacing"], (0.5, 0.25))
