from __future__ import annotations

import pytest
import yaml

from cxr_common.data import load_datalist
from tests.golden import REPOSITORY, SHARED, needs_radiographs
from tools.lung_model.lungs import make_lungs
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "lung_model" / "lungs.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    settings = yaml.safe_load(EXPERIMENT.read_text())
    return make_lungs(settings, SHARED / "cxr", tmp_path_factory.mktemp("work"))


@needs_radiographs
def test_only_open_rows_are_learnt_from_and_no_group_is_on_two_sides(made):
    datalist, tests = made
    learnt = load_datalist(datalist, "training") + load_datalist(datalist, "validation")
    assert {item["licence_class"] for item in learnt} == {"open"}
    groups = {item["group"] for item in learnt}
    for items in tests.values():
        assert items
        assert not groups & {item["group"] for item in items}
    assert {item["licence_class"] for item in tests["nc"]} == {"nc"}


@needs_radiographs
def test_both_lungs_of_a_radiologist_are_one_mask(made):
    from cxr_common.data.masks import read_mask

    item = made[1]["radiologists"][0]
    mask = read_mask(item["mask"]["Lungs"])
    assert 0.1 < mask.mean() < 0.7
    assert mask[: mask.shape[0] // 2].any()
    assert mask[mask.shape[0] // 2 :].any()


def test_the_table_says_what_was_trained_on():
    interval = {"value": 0.9, "low": 0.85, "high": 0.95}
    figures = {name: {"all": {"methods": {"lungs": interval}}} for name in ("dice", "iou")}
    record = {
        "recipe": {},
        "tests": {"open": {"n_images": 3, "n_patients": 2, "figures": figures}},
        "claims": [],
        "images": {"training": 5, "validation": 1},
        "training_minutes": {"lungs-seed0": 2.4},
        "weights_sha256": {"lungs-seed0": "a" * 64},
        "date": "2026-01-01",
    }
    text = render_macro("lungs", "lungs", record)
    assert "| 3 of 2 | .90 [.85, .95] |" in text
    assert "Trained on 5 open images" in text
