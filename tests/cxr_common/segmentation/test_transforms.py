from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.errors import InputError
from cxr_common.findings import Thresholds
from cxr_common.segmentation import SegmentFindingsd
from cxr_common.transforms import LoadRadiographd

LABELS = ("Mass", "Nodule", "Effusion")


def load(tmp_path, size=(64, 32)):
    """A file of 64 columns and 32 rows as the network's input of 32 x 32."""
    picture = np.tile(np.linspace(60, 120, size[0]), (size[1], 1)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    steps = [LoadRadiographd("image"), Resized("image", (32, 32), mode="area")]
    return Compose(steps)({"image": str(tmp_path / "a.png")})


def logits(*probabilities):
    """A map (3, 32, 32) of constant planes, logit of the probabilities."""
    return torch.logit(torch.tensor(probabilities))[:, None, None].expand(3, 32, 32).clone()


def segment(item, mask=(0.5, 0.5, 0.5), **options):
    thresholds = dict(zip(LABELS, mask, strict=True))
    return SegmentFindingsd(thresholds=Thresholds(LABELS, thresholds, thresholds, "absolute"), **options)(item)


def test_pixels_above_each_classes_threshold_in_original_geometry(tmp_path):
    item = {**load(tmp_path), "pred": logits(0.2, 0.2, 0.01)}
    item["pred"][0, 24:, :8] = 3.0  # top right
    out = segment(item, (0.5, 0.1, 0.5))
    assert list(out["masks"]) == ["Mass", "Nodule"]
    mask = out["masks"]["Mass"]
    assert mask.shape == (64, 32)
    assert mask[60, 2]
    # Columns 48 to 63, rows 0 to 7; the edges are interpolated.
    columns, rows = np.nonzero(mask)
    assert (columns.min(), columns.max(), rows.min()) == (pytest.approx(48, abs=1), 63, 0)
    assert rows.max() == pytest.approx(7, abs=1)
    assert out["masks"]["Nodule"].all()
    mass, nodule, effusion = out["findings"]["findings"]
    assert [f["decision"] for f in (mass, nodule, effusion)] == [True, True, False]
    assert mass["probability"] == pytest.approx(torch.sigmoid(torch.tensor(3.0)).item(), abs=1e-6)
    assert mass["boxes"][0]["box"] == [columns.min(), 0, 64, rows.max() + 1]
    assert mass["area_px"] == int(mask.sum())
    assert (nodule["area_px"], effusion["area_px"]) == (64 * 32, 0)
    assert int(out["pred"][60, 2]) == 1  # the label mask of MONAI Label


def test_area_in_mm2_where_the_spacing_is_known(tmp_path):
    item = {**load(tmp_path), "pred": logits(0.9, 0.01, 0.01)}
    assert segment(item)["findings"]["findings"][0]["area_mm2"] is None
    item["image"].meta["spacing"] = (0.5, 0.25)
    mass, nodule, _ = segment(item)["findings"]["findings"]
    assert mass["area_mm2"] == pytest.approx(64 * 32 * 0.125)
    assert nodule["area_mm2"] == 0


def heart_and_lungs(tmp_path, heart=True):
    """Findings of an image of 64 x 32, its lungs from column 8 to 56, its heart from 24 to 40."""
    labels = ("Lungs", "Heart")
    half = dict.fromkeys(labels, 0.5)
    pred = torch.full((2, 32, 32), -9.0)
    pred[0, 4:10, 4:28] = pred[0, 22:28, 4:28] = 9.0
    pred[1, 12:20, 16:26] = 9.0 if heart else -9.0
    item = {**load(tmp_path), "pred": pred}
    return SegmentFindingsd(thresholds=Thresholds(labels, half, half, "absolute"))(item)["findings"]


def test_a_model_of_lungs_and_heart_gives_the_cardiothoracic_ratio(tmp_path):
    assert heart_and_lungs(tmp_path)["cardiothoracic_ratio"] == pytest.approx(8 / 24, abs=0.03)


def test_without_a_heart_there_is_no_ratio(tmp_path):
    assert heart_and_lungs(tmp_path, heart=False)["cardiothoracic_ratio"] is None


def test_other_models_say_nothing_of_it(tmp_path):
    assert "cardiothoracic_ratio" not in segment({**load(tmp_path), "pred": logits(0.9, 0.9, 0.9)})["findings"]


def test_a_faint_region_and_a_single_pixel_stay(tmp_path):
    # A localiser drops regions below a quarter of the peak, and those it cannot resolve.
    item = {**load(tmp_path, (32, 32)), "pred": logits(0.01, 0.01, 0.01)}
    item["pred"][0, 2, 2] = 9.0
    item["pred"][0, 20:24, 20:24] = torch.logit(torch.tensor(0.15))
    out = segment(item, (0.1, 0.5, 0.5))
    assert np.argwhere(out["masks"]["Mass"]).tolist() == [[2, 2], *(np.argwhere(np.ones((4, 4))) + 20).tolist()]
    assert [r["box"] for r in out["findings"]["findings"][0]["boxes"]] == [[2, 2, 3, 3], [20, 20, 24, 24]]


def test_mask_is_the_probability_above_the_threshold_exactly(tmp_path):
    item = {**load(tmp_path, (32, 32)), "pred": torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))}
    out = segment(item, (0.35, 0.5, 0.8))
    probability = torch.sigmoid(item["pred"])
    for c, (label, threshold) in enumerate(zip(LABELS, (0.35, 0.5, 0.8), strict=True)):
        np.testing.assert_array_equal(out["masks"][label], probability[c].numpy() > np.float32(threshold))


def test_defaults_are_one_half_and_thresholds_of_heatmaps_are_refused(tmp_path):
    item = {**load(tmp_path), "pred": logits(0.51, 0.49, 0.2)}
    assert list(SegmentFindingsd(labels=LABELS)(item)["masks"]) == ["Mass"]
    with pytest.raises(InputError, match="mask_mode"):
        SegmentFindingsd(thresholds=Thresholds.default(LABELS))
    out = SegmentFindingsd(labels=LABELS, on_error="record")({**item, "pred": torch.zeros(2, 4, 4)})
    assert "for 3 classes" in out["findings"]["failure"]["reason"]
