from __future__ import annotations

import torch
from monai.transforms import Compose, CopyItemsd

from cxr_common.detection import strong_augmentation
from cxr_common.training import SeededCacheDataset


def picture():
    """A smooth ramp with one bright square, and its box."""
    image = torch.linspace(0.1, 0.6, 64)[None, :, None].expand(1, 64, 64).clone()
    image[0, 40:52, 10:20] = 0.95
    return {"image": image, "boxes": [[40, 10, 52, 20]]}


def dataset(seed=0, n=24, **options):
    pipeline = Compose([CopyItemsd("image", names="image_strong"), strong_augmentation(**options)])
    return SeededCacheDataset([picture() for _ in range(n)], pipeline, seed=seed, progress=False)


def test_only_the_strong_view_changes():
    items = [dataset()[i] for i in range(8)]
    for item in items:
        assert torch.equal(torch.as_tensor(item["image"]), picture()["image"]) and item["boxes"] == [[40, 10, 52, 20]]
        assert item["image_strong"].shape == (1, 64, 64) and item["image_strong"].dtype == torch.float32
        assert torch.isfinite(item["image_strong"]).all()
    assert sum(not torch.equal(i["image_strong"], i["image"]) for i in items) >= 7


def test_nothing_moves():
    """Without the blanked rectangle the bright square stays the brightest part, where its box is."""
    data = dataset(cutout_prob=0.0)
    for i in range(24):
        strong = torch.as_tensor(data[i]["image_strong"])[0]
        inside = torch.zeros(64, 64, dtype=torch.bool)
        inside[40:52, 10:20] = True
        assert strong[42:50, 12:18].mean() > strong[~inside].mean() + 0.1, i


def test_one_rectangle_is_blanked():
    data = dataset(prob=0.0, cutout=(8, 16), cutout_prob=1.0)
    sizes = set()
    for i in range(24):
        changed = torch.as_tensor(data[i]["image_strong"])[0] != torch.as_tensor(data[i]["image"])[0]
        assert (torch.as_tensor(data[i]["image_strong"])[0][changed] == 0.5).all()
        x, y = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
        sides = int(x[-1] - x[0]) + 1, int(y[-1] - y[0]) + 1
        assert max(sides) <= 16 and changed.sum() <= sides[0] * sides[1]
        sizes.add(sides)
    assert len(sizes) > 5


def test_it_is_replayed_by_seed_epoch_and_index():
    a, b, other = dataset(), dataset(), dataset(seed=1)
    for d in (a, b, other):
        d.set_epoch(2)
    first = [a[i]["image_strong"] for i in range(6)]
    again = [b[i]["image_strong"] for i in reversed(range(6))][::-1]
    assert all(torch.equal(x, y) for x, y in zip(first, again))
    assert any(not torch.equal(x, other[i]["image_strong"]) for i, x in enumerate(first))
    a.set_epoch(3)
    assert any(not torch.equal(x, a[i]["image_strong"]) for i, x in enumerate(first))


def test_several_keys_change_alike():
    pipeline = strong_augmentation(["image", "copy"], prob=1.0)
    pipeline.set_random_state(seed=3)
    for _ in range(10):
        item = pipeline({"image": picture()["image"], "copy": picture()["image"]})
        assert torch.equal(torch.as_tensor(item["image"]), torch.as_tensor(item["copy"]))
