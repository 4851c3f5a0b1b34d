from __future__ import annotations

import pytest
import torch

from cxr_common.transforms.augmentation import RandBrightnessContrastd, RandResizedCropd


def test_crop_keeps_area_and_shape_within_bounds():
    crop = RandResizedCropd("image", (8, 8), scale=(0.3, 0.6), ratio=(0.5, 2.0))
    crop.set_random_state(0)
    for _ in range(200):
        crop.randomize((80, 120))
        x0, y0, x1, y1 = crop.box
        assert 0 <= x0 < x1 <= 80
        assert 0 <= y0 < y1 <= 120
        assert 0.28 <= (x1 - x0) * (y1 - y0) / 9600 <= 0.62
        assert 0.48 <= (x1 - x0) / (y1 - y0) <= 2.08


def test_whole_image_is_only_resized():
    crop = RandResizedCropd("image", (16, 12), scale=(1, 1), ratio=(0.5, 0.5), mode="bilinear")
    image = torch.linspace(0, 1, 8)[None, :, None].expand(1, 8, 16).contiguous()
    out = crop({"image": image})["image"]
    assert out.shape == (1, 16, 12)
    torch.testing.assert_close(out.mean(), image.mean(), atol=1e-5, rtol=0)
    assert (out[0, 1:, 0] >= out[0, :-1, 0]).all()  # axis 0 is still x


@pytest.mark.parametrize("transform", [RandResizedCropd("image", (8, 8)), RandBrightnessContrastd("image", prob=1.0)])
def test_a_seed_repeats_the_draw(transform):
    image = torch.rand(1, 20, 20)
    first = transform.set_random_state(5)({"image": image})["image"]
    torch.testing.assert_close(transform.set_random_state(5)({"image": image})["image"], first, atol=0, rtol=0)
    assert not torch.equal(transform.set_random_state(6)({"image": image})["image"], first)


def test_brightness_and_contrast_follow_their_formula_and_stay_in_range():
    transform = RandBrightnessContrastd("image", prob=1.0).set_random_state(1)
    image = torch.rand(1, 9, 9)
    out = transform({"image": image})["image"]
    gain, offset = transform.factors
    torch.testing.assert_close(out, (gain * image + offset).clamp(0, 1))
    assert 0.5 <= gain <= 1.5
    assert -0.5 <= offset <= 0.5
    assert torch.equal(RandBrightnessContrastd("image", prob=0.0)({"image": image})["image"], image)
