from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import time

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.transforms import RandFlipd, Resized
from PIL import Image

from cxr_common.errors import InputError, find_input_error
from cxr_common.training import CachedImaged
from cxr_common.transforms import LoadRadiographd

STORES = [("packed", "uint8", 0.5 / 255 + 1e-6), ("packed", "float16", 2**-12), ("packed", "float32", 0)]
STORES += [("persistent", "float16", 0)]  # which keeps float32, whatever the type of packed pixels
read: list[str] = []


class Noted(LoadRadiographd):
    """Notes which files are read."""

    def __call__(self, data, *args, **kwargs):
        read.append(data["image"])
        return super().__call__(data, *args, **kwargs)


def head(side=16):
    return [Noted("image"), Resized("image", spatial_size=(side, side), mode="area")]


def plain(item, side=16):
    for transform in head(side):
        item = transform(item)
    return item["image"].as_tensor()


@pytest.fixture
def items(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{n}.png" for n in range(6)]
    for n, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (40 + n, 30), dtype=np.uint8)).save(path)
    return [{"image": str(path), "label": [n]} for n, path in enumerate(paths)]


@pytest.fixture
def cached(items, tmp_path):
    def make(kind="packed", dtype="float16", given=items, side=16):
        read.clear()
        return CachedImaged(head(side), given, tmp_path / "cache", kind, dtype)

    return make


@pytest.mark.parametrize(("kind", "dtype", "error"), STORES)
def test_an_image_is_read_once_and_always_the_same(cached, items, kind, dtype, error):
    transform = cached(kind, dtype)
    first = [transform(item) for item in items]
    assert [x["label"] for x in first] == [[n] for n in range(6)] and len(read) == 6
    # Another process: nothing is left but the files.
    for again in (pickle.loads(pickle.dumps(transform)), cached(kind, dtype)):
        read.clear()
        for n in reversed(range(6)):
            image = again(items[n])["image"]
            assert torch.equal(image, first[n]["image"]) and image.dtype == torch.float32
            assert image.meta["filename_or_obj"] == items[n]["image"]
            assert image.meta["spatial_shape"].tolist() == [30, 40 + n]
        assert read == []
    for item, kept in zip(items, first):
        assert (kept["image"] - plain(item)).abs().max() <= error


@pytest.mark.parametrize("kind", ["packed", "persistent"])
def test_nothing_old_is_read(cached, items, kind):
    for item in items:
        cached(kind)(item)
    assert torch.equal(cached(kind, "float32", side=8)(items[0])["image"], plain(items[0], 8))
    Image.fromarray(np.full((50, 50), 51, np.uint8)).save(items[0]["image"])
    image = cached(kind)(items[0])["image"]
    assert image.allclose(torch.tensor(0.2), atol=1e-3) and image.meta["spatial_shape"].tolist() == [50, 50]


@pytest.mark.parametrize(("kind", "again"), [("packed", 2), ("persistent", 0)])
def test_what_lists_share(cached, items, kind, again):
    first = cached(kind)
    for item in items:
        first(item)
    relabelled = cached(kind, given=[{**item, "label": [7], "boxes": []} for item in items])
    assert all(relabelled({**item, "label": [7]})["label"] == [7] for item in items) and read == []
    fewer = cached(kind, given=items[:2])
    for item in items[:2]:
        fewer(item)
    assert len(read) == again


@pytest.mark.parametrize("kind", ["packed", "persistent"])
def test_a_bad_image_is_reported_each_time(cached, items, kind):
    with open(items[3]["image"], "wb") as file:
        file.write(b"no picture")
    transform = cached(kind)
    for _ in range(2):
        with pytest.raises(Exception) as caught:
            transform(items[3])
        assert items[3]["image"] in str(find_input_error(caught.value))
    os.remove(items[4]["image"])
    with pytest.raises(Exception) as caught:
        cached(kind)(items[4])
    assert items[4]["image"] in str(find_input_error(caught.value))


def damage_pixels(folder):
    (file,) = folder.glob("*.bin")
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    file.write_bytes(content)


def cut_off(folder):
    for file in [*folder.glob("*.bin"), *folder.glob("*.pt")]:
        file.write_bytes(file.read_bytes()[:500])


def forget_pixels(folder):
    for file in folder.glob("*.bin"):
        file.unlink()


def forget_shape(folder):
    for file in folder.glob("*.json"):
        file.unlink()


@pytest.mark.parametrize(
    ("kind", "harm"),
    [*(("packed", harm) for harm in (damage_pixels, cut_off, forget_pixels, forget_shape)), ("persistent", cut_off)],
)
def test_what_is_damaged_is_read_again(cached, items, tmp_path, kind, harm):
    transform = cached(kind)
    first = [transform(item)["image"] for item in items]
    harm(tmp_path / "cache")
    again = cached(kind)
    assert all(torch.equal(again(item)["image"], image) for item, image in zip(items, first))


@pytest.mark.parametrize("kind", ["packed", "persistent"])
def test_processes_fill_it_together(cached, items, kind):
    loader = DataLoader(Dataset(items * 8, cached(kind)), batch_size=3, num_workers=2)
    images = torch.cat([batch["image"] for batch in loader])
    again = cached(kind)
    assert all(torch.equal(image, again(item)["image"]) for image, item in zip(images, items * 8))
    assert read == []


@pytest.mark.skipif(sys.platform == "win32", reason="starts a process by fork")
@pytest.mark.parametrize("kind", ["packed", "persistent"])
def test_a_process_that_is_killed_leaves_nothing_half(cached, items, tmp_path, kind):
    def fill():
        while True:
            for path in (tmp_path / "cache").glob("*"):
                path.unlink()
            transform = cached(kind)
            for item in items:
                transform(item)

    for _ in range(3):
        process = multiprocessing.get_context("fork").Process(target=fill)
        process.start()
        time.sleep(0.05)
        process.kill()
        process.join()
        transform = cached(kind)
        assert all((transform(item)["image"] - plain(item)).abs().max() <= 2**-12 for item in items)


def test_bad_input(items, tmp_path):
    def refused(transforms=None, kind="packed", dtype="float16", given=items):
        with pytest.raises(InputError) as caught:
            transform = CachedImaged(transforms or head(), given, tmp_path / "cache", kind, dtype)
            for item in given:
                transform(item)
        return str(caught.value)

    assert "RandFlipd is random" in refused([*head(), RandFlipd("image")])
    assert "use packed or persistent" in refused(kind="lmdb")
    assert "use uint8, float16, float32" in refused(dtype="int8")
    assert "resize all images to one size" in refused(head()[:1])
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        CachedImaged(head(), items, tmp_path / "file")(items[0])
