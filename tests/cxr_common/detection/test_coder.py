from __future__ import annotations

import pytest
import torch
from monai.data.box_utils import clip_boxes_to_image

from cxr_common.detection import DetectionBoxCoder
from tests import golden


def vectors():
    return {k: torch.from_numpy(v) for k, v in golden.load("oxnet_boxcoder").items()}


def test_published_codes():
    g = vectors()
    found = DetectionBoxCoder().encode_single(g["gt"], g["anchors"])
    torch.testing.assert_close(found, g["encoded"], atol=1e-9, rtol=0)


def test_published_boxes():
    g = vectors()
    found = DetectionBoxCoder().decode_single(g["deltas"], g["anchors"])
    # MONAI takes the exponential in float32.
    torch.testing.assert_close(found, g["decoded"], atol=5e-5, rtol=0)
    clipped, _ = clip_boxes_to_image(found, (128, 128), remove_empty=False)
    # Published code clips the low corner below and the high corner above only.
    torch.testing.assert_close(clipped, g["clipped"].clamp(0, 128), atol=5e-5, rtol=0)


def test_decoding_undoes_encoding():
    torch.manual_seed(0)
    corners = torch.rand(2, 50, 2) * 100
    boxes, anchors = (torch.cat((c, c + 1 + torch.rand(50, 2) * 50), 1) for c in corners)
    coder = DetectionBoxCoder()
    torch.testing.assert_close(coder.decode_single(coder.encode_single(boxes, anchors), anchors), boxes)


@pytest.mark.parametrize(
    ("box", "counts_as"), [([5, 5, 5, 9], [4.5, 5, 5.5, 9]), ([5, 5, 5.4, 5.2], [4.7, 4.6, 5.7, 5.6])]
)
def test_a_thin_box_counts_as_one_pixel_about_its_centre(box, counts_as):
    coder, anchor = DetectionBoxCoder(), torch.tensor([[0.0, 0, 8, 8]])
    code = coder.encode_single(torch.tensor([box], dtype=torch.float32), anchor)
    torch.testing.assert_close(coder.decode_single(code, anchor), torch.tensor([counts_as], dtype=torch.float32))
