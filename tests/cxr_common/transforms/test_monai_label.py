from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from cxr_common.errors import InputError
from cxr_common.transforms import MonaiLabelResultd

FINDINGS = [{"label": "a", "probability": 0.25}, {"label": "b", "probability": 0.75}]
AFFINE = np.diag([-0.5, -0.25, 1.0])


def item(**more):
    meta = {"spatial_shape": [6, 4], "original_affine": AFFINE}
    mask = torch.zeros(6, 4, dtype=torch.uint8)
    mask[1, 2] = 2
    return {
        "image": MetaTensor(torch.zeros(1, 3, 2), meta=meta),
        "pred": MetaTensor(mask, affine=torch.from_numpy(AFFINE)),
        "findings": {"path": "/secret/x.png", "size": [6, 4], "findings": FINDINGS},
        **more,
    }


def asked(**more):
    """An item as MONAI Label has it."""
    return item(image_meta_dict={"spatial_shape": [6, 4]}, **more)


def test_outside_of_monai_label_nothing_changes():
    given = item()
    out = MonaiLabelResultd(bundle_root="x/cxr_a_localization")(given)
    assert out.keys() == given.keys()
    assert out["pred"] is given["pred"]
    assert out["image"] is given["image"]


@pytest.mark.parametrize("name", ["cxr_a_localization", "cxr_a_segmentation"])
def test_a_mask_becomes_a_volume_of_one_slice_in_its_place(name):
    out = MonaiLabelResultd(bundle_root=f"x/{name}")(asked())
    assert out["pred"].shape == (6, 4, 1)
    assert out["pred"].dtype == torch.uint8
    assert out["pred"][1, 2, 0] == 2
    np.testing.assert_allclose(out["pred"].affine, np.diag([-0.5, -0.25, 1, 1]))
    # What MONAI Label restores the size and takes the affine from.
    assert out["image"].meta["spatial_shape"] == [6, 4, 1]
    np.testing.assert_allclose(out["image"].meta["original_affine"], np.diag([-0.5, -0.25, 1, 1]))


def test_a_classifier_gives_scores_and_no_picture_to_bring_them_to():
    out = MonaiLabelResultd(bundle_root="x/cxr_a_classification")(asked())
    assert isinstance(out["pred"], MetaTensor)
    assert out["pred"].tolist() == [0, 0.25, 0.75]
    assert "image" not in out
    assert "image_meta_dict" not in out
    assert "image" in MonaiLabelResultd(bundle_root="x/cxr_a_classification")(item())


def test_a_task_that_is_given_wins_over_the_name():
    out = MonaiLabelResultd(bundle_root="x/cxr_a_classification", task="segmentation")(asked())
    assert out["pred"].shape == (6, 4, 1)


def test_a_detector_s_boxes_are_left_alone():
    given = asked(pred={"detections": 1})
    assert MonaiLabelResultd(bundle_root="x/cxr_a_detection")(given)["pred"] == {"detections": 1}


def test_all_findings_reach_the_client_but_no_path():
    out = MonaiLabelResultd(bundle_root="x/cxr_a_detection")(asked())
    assert out["result"] == {"size": [6, 4], "findings": FINDINGS}


def test_a_failure_is_raised_for_the_server_and_recorded_for_a_batch():
    failed = {"failure": {"path": "x.png", "reason": "is empty", "action": "give another"}}
    transform = MonaiLabelResultd(bundle_root="x/cxr_a_localization")
    with pytest.raises(InputError, match="x.png: is empty; give another"):
        transform({**asked(), "findings": failed})
    assert transform({"findings": failed}) == {"findings": failed}
