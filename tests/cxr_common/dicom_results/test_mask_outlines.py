from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from cxr_common.dicom_results.mask_outlines import MOST_POINTS, outlines


def test_filled_again_they_are_the_mask():
    mask = np.zeros((50, 71), bool)
    mask[5:20, 40:71] = mask[30:45, 2:20] = True
    mask[35:40, 8:12] = False  # a hole
    polygons = outlines(mask)
    assert len(polygons) == 3
    assert all((polygon[0] == polygon[-1]).all() for polygon in polygons)
    scale = 8
    drawn = np.zeros(mask.shape, bool)
    for polygon in polygons:
        sheet = Image.new("1", (71 * scale, 50 * scale))
        ImageDraw.Draw(sheet).polygon([tuple(point) for point in polygon * scale], fill=1)
        drawn ^= np.asarray(sheet)[scale // 2 :: scale, scale // 2 :: scale]
    np.testing.assert_array_equal(drawn, mask)


def test_a_ragged_mask_stays_within_what_an_element_holds():
    mask = np.random.default_rng(0).random((400, 400)) > 0.3
    assert max(map(len, outlines(mask))) <= MOST_POINTS
