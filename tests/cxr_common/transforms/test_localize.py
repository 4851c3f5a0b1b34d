import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Flipd, Resized
from PIL import Image

from cxr_common.errors import InputError
from cxr_common.findings import Thresholds
from cxr_common.transforms import LoadRadiographd, LocalizeFindingsd

LABELS = ("Mass", "Nodule", "Effusion")


def load(tmp_path, *more, size=(60, 40)):
    """A file of 60 columns and 40 rows as the network's input of 32 x 32."""
    picture = np.tile(np.linspace(60, 120, size[0]), (size[1], 1)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    steps = [LoadRadiographd("image"), *more, Resized("image", (32, 32), mode="area")]
    return Compose(steps)({"image": str(tmp_path / "a.png")})


def hot_map(spots, cells=8):
    """Logits of -6 but for spots (class, x, y): logit."""
    logits = torch.full((len(LABELS), cells, cells), -6.0)
    for place, value in spots.items():
        logits[place] = value
    return logits


@pytest.fixture
def localize():
    return LocalizeFindingsd(thresholds=Thresholds.default(LABELS))


def test_top_right_stays_top_right(tmp_path, localize):
    item = load(tmp_path)
    item["pred"] = hot_map({(0, 7, 0): 4.0})
    out = localize(item)
    mass, nodule, _ = out["findings"]["findings"]
    assert (mass["decision"], nodule["decision"]) == (True, False)
    (region,) = mass["boxes"]
    x0, y0, x1, y1 = region["box"]
    assert x1 == 60
    assert x0 >= 45
    assert y0 == 0
    assert y1 <= 10
    assert x0 <= mass["point"][0] < x1
    assert y0 <= mass["point"][1] < y1
    assert out["masks"].keys() == {"Mass"}
    assert out["masks"]["Mass"].shape == (60, 40)
    assert out["masks"]["Mass"][58, 2]
    assert not out["masks"]["Mass"][2, 37]
    assert out["heatmap"].shape == (3, 32, 32)
    assert out["heatmap"].dtype == torch.float16
    assert out["findings"]["size"] == [60, 40]


def test_label_mask_is_what_monai_label_takes(tmp_path, localize):
    item = load(tmp_path)
    item["pred"] = hot_map({(0, 7, 0): 4.0, (2, 0, 7): 3.0})
    pred = localize(item)["pred"]
    assert pred.dtype == torch.uint8
    assert tuple(pred.shape) == (60, 40)
    assert (int(pred[58, 1]), int(pred[1, 38]), int(pred[30, 20])) == (1, 3, 0)
    np.testing.assert_array_equal(pred.affine, np.diag([-1.0, -1.0, 1.0, 1.0]))


def test_where_classes_overlap_the_more_probable_wins_but_masks_keep_both(tmp_path, localize):
    item = load(tmp_path)
    item["pred"] = hot_map({(0, 4, 4): 2.0, (1, 4, 4): 5.0, (2, 4, 4): 3.0})
    out = localize(item)
    x, y = (int(value) for value in out["findings"]["findings"][0]["point"])
    assert int(out["pred"][x, y]) == 2
    assert all(out["masks"][label][x, y] for label in LABELS)


def test_probability_is_that_of_the_pooled_logits(tmp_path):
    item = load(tmp_path)
    item["pred"] = torch.zeros(3, 8, 8)
    item["pred"][0, 0, 0] = 64.0
    values = {}
    for name, pool in {"max": "max", "mean": "mean", "callable": lambda maps: maps.amax((-2, -1)) * 0}.items():
        found = LocalizeFindingsd(thresholds=Thresholds.default(LABELS), pool=pool)(item)["findings"]["findings"]
        values[name] = found[0]["probability"]
    assert values == {
        "max": 1.0,
        "mean": pytest.approx(torch.sigmoid(torch.tensor(1.0)).item(), abs=1e-6),
        "callable": 0.5,
    }


def test_each_class_has_its_threshold_and_equality_counts(tmp_path):
    thresholds = Thresholds(LABELS, {"Mass": 0.5, "Nodule": 0.51, "Effusion": 0.4}, dict.fromkeys(LABELS, 0.5))
    item = load(tmp_path)
    item["pred"] = torch.zeros(3, 8, 8)
    found = LocalizeFindingsd(thresholds=thresholds)(item)["findings"]["findings"]
    assert [f["decision"] for f in found] == [True, False, True]
    assert [f["threshold"] for f in found] == [0.5, 0.51, 0.4]


def test_a_positive_class_always_has_a_box_even_in_a_tiny_image(tmp_path, localize):
    item = load(tmp_path, size=(3, 2))
    item["pred"] = hot_map({(1, 6, 1): 3.0})
    found = localize(item)["findings"]["findings"][1]
    assert found["boxes"][0]["box"][2] == 3
    assert found["boxes"][0]["box"][1] == 0


@pytest.mark.parametrize(
    ("pred", "text"),
    [
        (torch.zeros(2, 8, 8), "for 3 classes"),
        (torch.zeros(3, 8), "for 3 classes"),
        (torch.full((3, 8, 8), float("nan")), "not finite"),
    ],
)
def test_bad_maps_are_raised_or_recorded(tmp_path, pred, text):
    item = {**load(tmp_path), "pred": pred}
    with pytest.raises(InputError, match=text):
        LocalizeFindingsd(thresholds=Thresholds.default(LABELS))(item)
    out = LocalizeFindingsd(thresholds=Thresholds.default(LABELS), on_error="record")(item)
    failure = out["findings"]["failure"]
    assert text in failure["reason"]
    assert failure["action"]
    assert failure["path"].endswith("a.png")
    assert "pred" not in out


def test_a_flip_in_preprocessing_is_refused(tmp_path, localize):
    # It would put every coordinate on the wrong side.
    item = load(tmp_path, Flipd("image", 0))
    item["pred"] = hot_map({})
    with pytest.raises(InputError, match="Flip.*only Resized"):
        localize(item)


def test_unknown_spacing_and_warnings_are_plain_values(tmp_path, localize):
    item = load(tmp_path)
    item["image"].meta["warnings"] = "one\ntwo"
    item["pred"] = hot_map({})
    found = localize(item)["findings"]
    assert found["spacing_mm"] is None
    assert found["warnings"] == ["one", "two"]
    assert found["view"] is None


def test_a_plain_tensor_is_its_own_original(localize):
    out = localize({"image": torch.zeros(1, 16, 12), "pred": hot_map({(0, 7, 0): 3.0})})
    assert isinstance(out["pred"], MetaTensor)
    assert tuple(out["pred"].shape) == (16, 12)


@pytest.mark.parametrize("options", [{"on_error": "ignore"}, {"pool": "median"}, {"labels": ["Mass"]}])
def test_bad_settings_are_input_errors(options):
    with pytest.raises(InputError):
        LocalizeFindingsd(thresholds=Thresholds.default(LABELS), **options)


def test_a_gate_moves_points_boxes_and_masks_but_decides_nothing(tmp_path, localize):
    item = {**load(tmp_path), "pred": hot_map({(0, 7, 0): 4.0, (0, 1, 6): 3.0})}
    free = localize(item)
    gated = localize({**item, "gate": torch.tensor([0.0, 0.5, 0.5, 1.0, 0.0])})
    before, after = (out["findings"]["findings"][0] for out in (free, gated))
    assert after["probability"] == before["probability"] and after["decision"] == before["decision"]
    assert before["point"][0] > 30 and after["point"][0] < 30 and after["point"][1] > 20
    assert after["boxes"] and all(x1 <= 30 and y0 >= 20 for x0, y0, x1, y1 in (b["box"] for b in after["boxes"]))
    assert after["boxes"][0]["score"] < before["boxes"][0]["score"]
    assert not gated["masks"]["Mass"][31:].any() and gated["heatmap"][:, 16:].max() == 0
    opened = localize({**item, "gate": torch.full((5,), torch.nan)})
    assert opened["findings"] == free["findings"]
