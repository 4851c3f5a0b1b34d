from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.data import Dataset
from PIL import Image

from cxr_common.data.masks import read_mask
from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from cxr_common.refinement.boundaries import RefinedMaps
from cxr_common.refinement.refined_masks import Images, Masks, tune, write_masks

MASS, NODULE, C = LABELS.index("Mass"), LABELS.index("Nodule"), len(LABELS)


def masks(overlap, n=6):
    """n images that all have Mass: a true mask of 100 pixels, a predicted one of 100, `overlap` of them shared."""
    blank = np.full((n, len(LABELS)), np.nan)
    tables = []
    for value in (overlap, 100, 100):
        table = blank.copy()
        table[:, LABELS.index("Mass")] = value
        tables.append(table)
    boundary = blank.copy()
    boundary[:, LABELS.index("Mass")] = overlap / 100
    return Masks(MaskCounts(*tables), boundary, LABELS)


def test_figures_are_those_of_the_counts():
    ones = np.ones((1, 6))
    m = masks(50)
    assert m.statistic("image iou")(ones) == pytest.approx(50 / 150)
    assert m.statistic("data set iou")(ones) == pytest.approx(50 / 150)
    assert m.statistic("boundary f")(ones) == pytest.approx(0.5)
    assert np.isnan(m.statistic("data set iou", "Nodule")(ones)).all()


@pytest.fixture
def refined(tmp_path):
    """Eight images of 32 x 32 whose Mass fills x 8 to 16, y 8 to 16; its map is .8 there, .3 around it, on stride 4."""
    inside = np.zeros((32, 32), np.uint8)
    inside[8:16, 8:16] = 255
    Image.fromarray(inside.T).save(tmp_path / "mass.png")
    label = np.zeros((8, C), np.float32)
    label[:, [MASS, NODULE]] = 1
    mask = {"Mass": str(tmp_path / "mass.png")}
    items = [{"image": f"{n}.png", "label": label[n].astype(int).tolist(), "mask": mask} for n in range(8)]
    maps = np.full((8, C, 8, 8), 1e-4)
    maps[:, MASS, 1:5, 1:5], maps[:, MASS, 2:4, 2:4] = 0.3, 0.8
    logits = np.log(maps / (1 - maps)).astype(np.float16)
    return RefinedMaps(
        labels=list(LABELS),
        items=items,
        sizes=np.tile([32, 32], (8, 1)),
        input_size=(32, 32),
        label=label,
        maps=logits,
    )


def test_the_threshold_is_that_of_the_best_masks(refined):
    chosen = tune(refined)["Mass"]
    assert 0.3 < chosen < 0.8
    images = Images(Dataset(refined.items), list(LABELS), (0.5, 0.2))
    found, loose = (images.score(refined, dict.fromkeys(LABELS, t)) for t in (chosen, 0.1))
    assert found.statistic("image iou", "Mass")(np.ones((1, 8))) > loose.statistic("image iou", "Mass")(np.ones((1, 8)))
    assert np.isnan(found.counts.true[:, NODULE]).all()  # said to be there, but without a mask
    assert np.isfinite(found.boundary).sum() == 8


def test_a_skipped_class_is_not_scored(refined):
    images = Images(Dataset(refined.items), list(LABELS), (0.5, 0.2), skip="Mass")
    assert np.isnan(images.score(refined, dict.fromkeys(LABELS, 0.5)).counts.true).all()


def test_the_crf_gives_maps_of_0_and_1(refined):
    image = torch.full((1, 32, 32), -2.5)  # black, and white where the map is .3 and more
    image[:, 4:20, 4:20] = 2.5
    images = Images([{"image": image} for _ in refined.items], list(LABELS), (0.5, 0.2))
    heat = next(images.crf(refined, dict.fromkeys(LABELS, 0.2)).each_heatmap())
    assert set(heat[MASS, 2::4, 2::4].round().unique().tolist()) == {0, 1}
    assert heat[MASS, 12, 12] == 1 and heat[NODULE].max() == 0


def test_masks_are_written_of_what_images_are_said_to_have(refined, tmp_path):
    one = replace(refined, items=refined.items[:1], maps=refined.maps[:1])
    written = write_masks(one, dict.fromkeys(LABELS, 0.5), tmp_path / "cut", {"0.png": (32, 64)})
    assert set(written["0.png"]) == {"Mass", "Nodule"}
    inside = read_mask(written["0.png"]["Mass"])
    assert inside.shape == (32, 64)  # the image's size, not the network's
    assert inside[11, 22] and not inside[20, 22] and not read_mask(written["0.png"]["Nodule"]).any()


def test_masks_beside_boxes(refined):
    """Boxes twice as wide as the mask: it lies inside and covers half of the box."""
    for item in refined.items:
        item |= {"boxes": [[8, 8, 24, 16]], "box_labels": [MASS], "chest": [8, 8, 12, 16]}
    images = Images(Dataset([]), list(LABELS), (0.0, 1.0), truth="boxes")
    found = images.score(refined, dict.fromkeys(LABELS, 0.5))
    one, weights = found.counts, np.ones((1, 8))
    assert np.isnan(one.true[:, NODULE]).all() and (one.true[:, MASS] == 128).all()
    assert np.isnan(found.boundary).all()
    inside = found.statistic("inside")(weights)
    np.testing.assert_allclose(inside, one.intersection[:, MASS].mean() / one.predicted[:, MASS].mean(), rtol=1e-6)
    np.testing.assert_allclose(found.statistic("area", "Mass")(weights), one.predicted[0, MASS] / 128)
    overlap = one.intersection[0, MASS] / one.union[0, MASS]
    assert found.statistic(f"T(IoU) > {overlap - 0.01}")(weights) == 1
    assert found.statistic(f"T(IoU) > {overlap + 0.01}")(weights) == 0
    chest = replace(images, truth="chest").score(refined, dict.fromkeys(LABELS, 0.5))
    assert (chest.counts.true[:, MASS] == 32).all() and np.isnan(chest.counts.true[:, NODULE]).all()
    assert chest.statistic("inside")(weights) < inside


def test_a_mask_that_is_empty_lies_in_no_box(refined):
    for item in refined.items:
        item |= {"boxes": [[8, 8, 24, 16]], "box_labels": [MASS]}
    found = Images(Dataset([]), list(LABELS), (0.0, 1.0), truth="boxes").score(refined, dict.fromkeys(LABELS, 0.99))
    weights = np.ones((1, 8))
    assert found.statistic("inside")(weights) == found.statistic("T(IoU) > 0.1")(weights) == 0
    assert found.statistic("area")(weights) == pytest.approx(1 / 128)
