from __future__ import annotations

import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn

from cxr_common.errors import InputError
from cxr_common.localization import CamClassifier, Pylon
from cxr_common.refinement import InterPixelLoss, InterPixelRelationNetwork
from cxr_common.segmentation import DeepLabV3Plus
from cxr_common.start.network_checks import (
    blank_pass,
    cells_misfit,
    check_batches,
    check_cells,
    check_reach,
    check_size,
    warn_of_cells,
)
from tests.golden import REPOSITORY


@pytest.fixture(scope="module")
def pylon():
    return Pylon(num_classes=2)


def test_a_blank_pass_leaves_the_network_and_the_random_state_alone(pylon):
    before = {name: value.clone() for name, value in pylon.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    assert blank_pass(pylon, (64, 64), images=2, training=True) is None
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(before[name], value) for name, value in pylon.state_dict().items())


def test_a_size_that_the_network_cannot_take(pylon):
    check_size(pylon, (64, 96))
    with pytest.raises(InputError, match=r"--spatial_size \[8, 64\]: .*at least 64"):
        check_size(pylon, (8, 64))


def test_a_network_without_kernels_says_nothing():
    assert blank_pass(nn.Linear(2, 2), (8, 8)) is None


@pytest.mark.parametrize(
    ("images", "batch_size", "processes", "reason"),
    [
        (10, 1, 1, "10 training images: this network cannot learn from a batch of one image.*batch_size 2 or more"),
        (10, 4, 2, "10 training images in 2 processes: .*a batch of one image.*another --batch_size"),
        (2, 4, 2, "a batch of one image"),
    ],
)
def test_batches_that_teach_nothing(pylon, images, batch_size, processes, reason):
    with pytest.raises(InputError, match=reason):
        check_batches(pylon, (64, 64), images, batch_size, processes)


@pytest.mark.parametrize(
    ("images", "batch_size", "processes"), [(10, 4, 1), (8, 4, 1), (2, 64, 1), (10, 3, 2), (32, 8, 2)]
)
def test_batches_that_can_be_learnt_from(pylon, images, batch_size, processes):
    check_batches(pylon, (64, 64), images, batch_size, processes)


def test_a_network_that_learns_from_one_image_may():
    check_batches(CamClassifier(num_classes=2, output_stride=8), (64, 64), 10, 1)


def test_a_last_batch_may_be_left_out(pylon):
    check_batches(pylon, (64, 64), 9, 4, left_out=True)
    with pytest.raises(InputError, match="1 training image: there is no batch"):
        check_batches(pylon, (64, 64), 1, 4, left_out=True)


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "resnet18", "densenet121"])
@pytest.mark.parametrize("size", [(128, 96), (320, 320), (64, 64)])
def test_sizes_that_cells_cover_can_be_trained(backbone, size):
    check_cells(CamClassifier(2, backbone=backbone), size, 1)


@pytest.mark.parametrize(
    ("backbone", "size", "covered"),
    [("efficientnet_lite0", (128, 150), 128), ("densenet121", (150, 128), 128), ("resnet18", (130, 130), 144)],
)
def test_sizes_that_stretch_maps_cannot_be_trained(backbone, size, covered):
    """Shown over the image, four cells of 32 pixels for 150 move what is in the last one by 22 pixels."""
    network = CamClassifier(2, backbone=backbone, output_stride=32)
    with pytest.raises(InputError, match=f"cover {covered} where there are 1[35]0.*choose multiples of 32"):
        check_cells(network, size, 1)
    with pytest.warns(UserWarning, match=f"cover {covered}"):
        warn_of_cells(network, size)


@pytest.mark.parametrize("size", [(512, 512), (150, 130)])
def test_a_network_that_cuts_its_maps_takes_any_size(size):
    check_cells(InterPixelRelationNetwork("resnet18"), size, 1)


RECIPES = ("train", "from_imagenet", "from_scratch", "from_classifier", "unet", "train_voc")


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("bundle", sorted(path.parent for path in (REPOSITORY / "bundles").glob("*/configs")), ids=str)
def test_no_bundles_own_size_is_refused(bundle, name):
    path = bundle / "configs" / f"{name}.yaml"
    if not path.exists():
        pytest.skip("has no such recipe")
    parser = ConfigParser()
    parser.read_config([path.with_name("train.yaml"), *([path] if name != "train" else [])])
    parser.update({"bundle_root": str(path.parent.parent), "labels": ["a", "b"]})
    assert cells_misfit(*(parser.get_parsed_content(name) for name in ("network_def", "spatial_size"))) is None


def test_a_published_crop_can_be_trained():
    check_cells(DeepLabV3Plus(2, backbone="resnet18", output_stride=16), (513, 513), 1)


@pytest.mark.parametrize("size", [(64, 128), (128, 32), (72, 37)])
def test_images_too_small_for_the_pairs_that_teach_are_refused(size):
    with pytest.raises(InputError, match=r"--spatial_size \[\d+, \d+\]: is too small.*at least \[73, 37\]"):
        check_reach(size, 10)
    check_reach(size, 4)


def test_the_smallest_images_that_have_pairs_give_a_loss():
    check_reach((73, 37), 10)
    network, label = InterPixelRelationNetwork("resnet18"), torch.zeros(1, 1, 19, 10, dtype=torch.long)
    assert InterPixelLoss(10)(network(torch.zeros(1, 1, 73, 37)), label).isfinite()
