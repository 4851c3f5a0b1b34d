from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.data import load_datalist, write_datalist
from cxr_common.metrics import MaskCounts
from tests.golden import REPOSITORY, SHARED, needs_radiographs
from tools.lung_model.anatomy import (
    CLASSES,
    HEART,
    LUNGS,
    Anatomy,
    both_classes,
    join_sources,
    lung_figures,
    lungs_only,
    outlined_hearts,
    ratio_test,
)
from tools.results.figures import ScoredSet, check_claims
from tools.results.record import read_result
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "lung_model" / "anatomy.yaml"
MACROS = ("lungs", "hearts", "goal", "claims", "training")


def settings_of(quick=False):
    return load_settings(EXPERIMENT, quick, shares=Anatomy.shares)


def counts(overlap, n=5):
    """Masks of 100 pixels beside true ones of 100, of one class."""
    return MaskCounts(*(np.full((n, 1), float(value)) for value in (overlap, 100, 100)))


def test_real_images_count_as_experts_and_phantoms_as_pseudo_masks(tmp_path):
    for name in ("a", "b", "c", "mask"):
        Image.new("L", (8, 8)).save(tmp_path / f"{name}.png")
    real = {"image": "a.png", "patient": "a", "label": [1], "mask": {LUNGS: "mask.png"}, "mask_origin": "expert"}
    made = {"image": "b.png", "patient": "b", "label": [1, 1], "mask": dict.fromkeys(CLASSES, "mask.png")}
    write_datalist(
        {"labels": [LUNGS], "training": [real], "validation": [{**real, "image": "c.png", "patient": "c"}]},
        tmp_path / "real.json",
    )
    more = {"image": "mask.png", "patient": "d"}
    phantoms = {"training": [{**made, "mask_origin": "expert"}], "validation": [{**made, **more}]}
    write_datalist({"labels": list(CLASSES), **phantoms}, tmp_path / "phantoms.json")
    path = join_sources(tmp_path / "real.json", tmp_path / "phantoms.json", tmp_path / "both.json")
    items = load_datalist(path, "training")
    assert [item["mask_origin"] for item in items] == ["expert", "pseudo"]
    assert [item["label"] for item in items] == [[1, None], [1, 1]]
    assert HEART not in items[0]["mask"] and set(items[1]["mask"]) == set(CLASSES)
    assert set(lungs_only(items)[1]["mask"]) == {LUNGS} and both_classes(items[1])["label"] == [1, None]


def test_tables_and_claims_say_what_is_measured():
    patients, settings = list("abcde"), settings_of()
    lungs = {"anatomy": {0: counts(96)}, "lungs": {0: counts(90)}}
    ratios = {"anatomy": {0: np.array([[0.5, 0.48], [0.6, 0.5], [np.nan, 0.4], [0.4, 0.44], [0.5, 0.5]])}}
    items = [{"image": f"{name}.png", "patient": name} for name in patients]
    tests = [ScoredSet(name, patients, lung_figures(lungs, "lungs"), "lungs") for name in ("open", "nc")]
    measured = ratio_test("hearts", ratios, items)
    hearts = lung_figures({"anatomy": {0: counts(80)}}, "heart")
    figures = [*lung_figures(lungs, "lungs"), *hearts, *measured.figures]
    tests += [ScoredSet("phantoms", patients, figures, "lungs"), measured]
    claims = list(check_claims(settings["claims"], tests))
    assert [claim.verdict for claim in claims] == ["holds", "holds", "not measured", "holds"]
    sources = {f"{section}_{source}": 3 for section in ("training", "validation") for source in ("real", "phantom")}
    record = {
        "recipe": settings,
        "tests": {test.name: test.record().model_dump() for test in tests},
        "claims": [claim.model_dump(by_alias=True) for claim in claims],
        "images": sources,
        "missing": [],
        "weights_sha256": {"anatomy-seed0": "a" * 64},
        "training_minutes": {},
        "date": "today",
        "device": "CPU",
        "versions": {"torch": "2"},
    }
    text = {macro: render_macro("anatomy", macro, record) for macro in MACROS}
    assert ".96 [.96, .96]" in text["lungs"] and "+.060 [+.060, +.060]" in text["lungs"]
    # .02, .10, .04 and 0; one of five has no ratio
    assert "| .04 [" in text["hearts"] and "| .80 [" in text["hearts"]
    assert text["goal"].count("| yes |") == 2
    for lines in (found.splitlines() for found in text.values()):
        assert len({line.count("|") for line in lines if line.startswith("|")}) <= 1, lines


@needs_radiographs
def test_hearts_are_outlined_on_images_with_both_lungs(tmp_path):
    items = outlined_hearts(settings_of(), SHARED / "cxr", tmp_path)
    assert len(items) >= 25 and all(set(item["mask"]) == set(CLASSES) for item in items)


@pytest.mark.slow
@needs_radiographs
def test_a_quick_run_from_images_to_record_and_picture(tmp_path):
    part = Anatomy(Options(EXPERIMENT, tmp_path / "work", SHARED / "cxr", tmp_path / "out", quick=True))
    part.run()
    found = read_result(tmp_path / "out" / "anatomy.json")
    assert found["quick"] and found["tests"]["phantoms"]["n_images"] == 6
    assert set(found["tests"]["open"]["figures"]["dice"]["lungs"]["methods"]) == {"anatomy", "lungs"}
    with Image.open(tmp_path / "work" / "anatomy-gallery.png") as picture:
        assert picture.width > 1000
    for macro in MACROS:
        assert render_macro("anatomy", macro, found)
