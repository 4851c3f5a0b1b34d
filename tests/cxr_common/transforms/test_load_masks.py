from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, EnsureTyped, RandFlipd, RandRotated, Resized
from PIL import Image

from cxr_common.errors import InputError
from cxr_common.training import SeededCacheDataset
from cxr_common.transforms import BinarizeMasksd, LoadMasksd, LoadRadiographd, RandResizedCropd

LABELS = ("Mass", "Nodule", "Effusion")


@pytest.fixture
def item(tmp_path):
    """An image of 60 x 40 with a mass at the top right, no nodule, and effusion not annotated."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)
    mass = np.zeros((40, 60), np.uint8)
    mass[2:14, 36:58] = 255
    Image.fromarray(picture).save(tmp_path / "image.png")
    Image.fromarray(mass).save(tmp_path / "mass.png")
    return {"image": str(tmp_path / "image.png"), "mask": {"Mass": str(tmp_path / "mass.png"), "Nodule": None}}


def loading(size=None):
    resize = [] if size is None else [Resized("image", size, mode="area")]
    return [LoadRadiographd("image"), *resize, LoadMasksd(labels=LABELS)]


def test_masks_come_on_the_images_own_grid(item):
    mask = Compose(loading())(item)["mask"]
    assert mask.shape == (3, 60, 40)
    assert mask.dtype == torch.float32
    expected = torch.zeros(60, 40)
    expected[36:58, 2:14] = 1
    torch.testing.assert_close(mask[0], expected)
    assert (mask[1] == 0).all()
    assert mask[2].isnan().all()


def test_masks_come_on_the_resized_images_grid(item):
    mask = Compose(loading((16, 20)))(item)["mask"]
    inside = torch.zeros(16, 20)
    inside[10:15, 1:7] = 1  # x 36 to 58 of 60 is 9.6 to 15.47 of 16: the first and last cells are half covered or less
    torch.testing.assert_close(mask[0], inside)
    assert (mask[1] == 0).all()
    assert mask[2].isnan().all()


def test_half_precision_and_collating(item):
    transform = Compose([LoadRadiographd("image"), LoadMasksd(labels=LABELS, dtype=torch.float16)])
    batch = next(iter(DataLoader(Dataset([item, {**item, "mask": {}}], transform), batch_size=2)))
    assert batch["mask"].shape == (2, 3, 60, 40)
    assert batch["mask"].dtype == torch.float16
    assert batch["mask"][1].isnan().all()


def test_an_item_without_masks_is_not_annotated_where_allowed(item):
    del item["mask"]
    with pytest.raises(KeyError, match="mask"):
        LoadMasksd(labels=LABELS)(LoadRadiographd("image")(item))
    mask = LoadMasksd(labels=LABELS, allow_missing_keys=True)(LoadRadiographd("image")(item))["mask"]
    assert mask.isnan().all()


def test_bad_settings_and_another_images_mask_are_refused(item, tmp_path):
    with pytest.raises(InputError, match="holds NaN"):
        LoadMasksd(labels=LABELS, dtype=torch.uint8)
    with pytest.raises(InputError, match="class names"):
        LoadMasksd()
    Image.fromarray(np.zeros((40, 61), np.uint8)).save(tmp_path / "mass.png")
    with pytest.raises(InputError, match="mass.png: the mask has 61 x 40 pixels"):
        LoadMasksd(labels=LABELS)(LoadRadiographd("image")(item))


def spatial(keys):
    """The spatial augmentation of the bundles' train.yaml."""
    return [
        EnsureTyped(keys, track_meta=False),
        RandRotated(keys, range_x=0.6, prob=1.0, padding_mode="zeros"),
        RandResizedCropd(keys, (32, 32)),
        RandFlipd(keys, spatial_axis=0, prob=0.5),
    ]


def pipeline(item, keys, seed):
    return Compose([*loading(), *spatial(keys), BinarizeMasksd()]).set_random_state(seed)(item)


@pytest.mark.parametrize("seed", range(4))
def test_image_and_masks_move_together_and_the_image_as_without_masks(item, seed):
    """The image is the mask here, so it says where the mask has to go."""
    item["image"] = item["mask"]["Mass"]
    both, alone = pipeline(item, ["image", "mask"], seed), pipeline(item, ["image"], seed)
    assert torch.equal(torch.as_tensor(both["image"]), torch.as_tensor(alone["image"]))
    inside = (both["image"][0] > 0.5).float()
    assert torch.equal(torch.as_tensor(both["mask"][0]), torch.as_tensor(inside))
    assert 0 < inside.mean() < 1


@pytest.mark.parametrize("seed", range(4))
def test_planes_stay_empty_or_unknown_through_augmentation(item, seed):
    mask = torch.as_tensor(pipeline(item, ["image", "mask"], seed)["mask"])
    assert set(mask[0].unique().tolist()) == {0, 1}
    assert (mask[1] == 0).all()
    assert mask[2].isnan().all()


def test_zero_padding_would_make_unknown_corners_empty(item):
    """What BinarizeMasksd mends; should MONAI change, it may go."""
    transform = Compose([*loading((32, 32)), *spatial(["image", "mask"])[:2]]).set_random_state(0)
    rotated = torch.as_tensor(transform(item)["mask"])[2]
    assert (rotated == 0).any()
    assert rotated.isnan().any()
    assert BinarizeMasksd()({"mask": rotated[None]})["mask"].isnan().all()


def test_a_cached_data_set_keeps_its_masks_as_loaded(item):
    transform = Compose([*loading((32, 32)), *spatial(["image", "mask"]), BinarizeMasksd()])
    dataset = SeededCacheDataset([item], transform, progress=False)
    first = torch.as_tensor(dataset[0]["mask"])
    dataset.set_epoch(1)
    assert not torch.equal(torch.as_tensor(dataset[0]["mask"])[:2], first[:2])
    dataset.set_epoch(0)
    assert torch.equal(torch.as_tensor(dataset[0]["mask"])[:2], first[:2])
