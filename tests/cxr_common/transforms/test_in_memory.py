"""Images that were read already: what MONAI Deploy gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from cxr_common.errors import InputError
from cxr_common.transforms import LoadRadiograph, LoadRadiographd, MonaiLabelResultd

GREY = np.random.default_rng(0).random((6, 4)).astype(np.float32)


@pytest.mark.parametrize("image", [GREY, GREY[None], GREY[..., None], torch.from_numpy(GREY), MetaTensor(GREY[None])])
def test_all_layouts_become_a_channel_and_the_picture(image):
    out = LoadRadiographd("image")({"image": image})["image"]
    assert out.shape == (1, 6, 4) and out.dtype == torch.float32
    assert torch.equal(out.as_tensor()[0], torch.from_numpy(GREY))
    assert out.meta["in_memory"] and list(out.meta["spatial_shape"]) == [6, 4]


def test_metadata_and_place_are_kept():
    affine = torch.diag(torch.tensor([-0.5, -0.5, 1.0, 1.0], dtype=torch.float64))
    image = MetaTensor(torch.from_numpy(GREY[None]), affine=affine, meta={"spacing": [0.5, 0.5]})
    out, meta = LoadRadiograph(image_only=False)(image)
    assert torch.equal(out.affine, affine) and meta["spacing"] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (GREY * 255, "not grey in"),
        (GREY - 0.5, "not grey in"),
        (np.full((6, 4), np.nan, np.float32), "not grey in"),
        (np.zeros((3, 6, 4), np.float32), "shape"),
        (np.zeros((1, 6, 4, 1), np.float32), "shape"),
    ],
)
def test_others_are_refused(image, text):
    with pytest.raises(InputError, match=text):
        LoadRadiograph()(image)


def test_the_mask_of_an_image_in_memory_has_a_channel():
    image = LoadRadiograph()(GREY)
    mask = MetaTensor(torch.zeros(6, 4, dtype=torch.uint8))
    item = {"image": image, "pred": mask, "findings": {"findings": []}}
    assert MonaiLabelResultd("pred", task="segmentation")(item)["pred"].shape == (1, 6, 4)
    item["image"] = MetaTensor(GREY[None])
    assert MonaiLabelResultd("pred", task="segmentation")(item)["pred"].shape == (6, 4)
