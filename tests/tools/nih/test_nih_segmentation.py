from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from cxr_common.refinement.refined_masks import Masks
from tests.golden import REPOSITORY, SHARED
from tools.nih.kept_masks import pack_masks, unpack_masks
from tools.nih.nih_refinement import boxed_test
from tools.nih.nih_segmentation import (
    DRAWN_FIGURES,
    OPACITY,
    DrawnMasks,
    NihSegmentation,
    absent_images,
    each_fold,
    fold_of,
    folds_of,
    split_folds,
)
from tools.results.figures import Figure, ScoredSet, check_claims
from tools.results.plan import plan_runs
from tools.results.record import read_result
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "nih" / "nih_segmentation.yaml"
MACROS = ("drawn", "boxes", "classes", "claims", "training", "card", "trained")


def settings_of():
    return load_settings(EXPERIMENT, shares=NihSegmentation.shares)


def table(value, n, column, rows=slice(None)):
    out = np.full((n, len(LABELS)), np.nan)
    out[rows, column] = value
    return out


def drawn(overlap, hit=1.0, n=6, rows=slice(None)):
    """Masks of 100 pixels beside drawn ones of 100."""
    counts = MaskCounts(*(table(value, n, OPACITY, rows) for value in (overlap, 100, 100)))
    return DrawnMasks(counts, table(hit, n, OPACITY, rows))


def boxed(overlap, n=6):
    mass = LABELS.index("Mass")
    counts = MaskCounts(*(table(value, n, mass) for value in (overlap, 100, 200)))
    return Masks(counts, np.full((n, len(LABELS)), np.nan), LABELS)


def test_each_image_is_scored_by_a_network_that_saw_nothing_of_its_group():
    items = [{"image": f"{i}.png", "group": f"g{i // 2}", "patient": str(i)} for i in range(31)]
    folds = folds_of(items, 5)
    assert set(folds) == set(range(5)) and np.bincount(folds).min() >= 4
    assert (folds == folds_of(items[::-1], 5)[::-1]).all()
    for fold in range(5):
        learned, chosen = split_folds(items, folds, fold)
        scored = [item for item, own in zip(items, folds == fold, strict=True) if own]
        groups = [{item["group"] for item in part} for part in (learned, chosen, scored)]
        assert all(groups) and sum(map(len, groups)) == len(set.union(*groups)) == 16
        assert all(item["mask_origin"] == "expert" for item in learned)
    assert split_folds(items, folds, None) == ([], [])


def test_a_training_for_each_fold_and_the_same_number_of_steps(tmp_path):
    settings = settings_of()
    names = [name for name, _, _ in each_fold(settings)]
    assert names[:2] == ["heatmap", "irn"] and len(names) == 2 + 2 * settings["folds"]
    assert fold_of(settings, "irn") is None and fold_of(settings, "both_3") == 3
    methods = {name: method for name, method, _ in each_fold(settings)}
    runs = plan_runs(settings, tmp_path, methods, NihSegmentation.prefix)
    assert {run.method.removeprefix(NihSegmentation.prefix) for run in runs} == set(names)
    assert {run.overrides["max_epochs"] for run in runs} == {settings["overrides"]["max_epochs"]}
    assert {run.overrides["supervision"] for run in runs} == {"pseudo", "sample"}


def test_images_without_any_finding_are_drawn_the_same_each_time():
    zero = [0] * len(LABELS)
    items = [{"image": f"{i}", "label": zero if i % 2 else [None, *zero[1:]]} for i in range(20)]
    found = absent_images(items, {"absent": 4})
    assert len(found) == 4 and all(item["label"] == zero for item in found)
    assert found == absent_images(items, {"absent": 4})


def test_folds_join_to_all_images_and_come_back_from_what_is_kept():
    joined = DrawnMasks.joined([drawn(50, 1.0, rows=slice(0, 3)), drawn(100, 0.0, rows=slice(3, 6))])
    again = DrawnMasks.unpack(joined.pack())
    weights = np.ones((1, 6))
    values = {name: float(again.statistic(name)(weights)[0]) for name in DRAWN_FIGURES}
    assert values["iou of images"] == pytest.approx((50 / 150 + 1) / 2)
    assert values["iou of the data set"] == pytest.approx(450 / 750)
    assert values["dice"] == pytest.approx(0.75) and values["hit rate"] == pytest.approx(0.5)
    masks = boxed(70)
    assert np.array_equal(pack_masks(unpack_masks(pack_masks(masks))), pack_masks(masks), equal_nan=True)


def test_tables_and_claims_say_what_is_measured_and_what_is_not():
    settings, patients = settings_of(), list("abcdef")
    beside = {"irn": {0: drawn(40)}, "expert": {0: drawn(50)}, "both": {0: drawn(80)}}
    figures = [Figure.measured(beside, name, "all") for name in DRAWN_FIGURES]
    tests = [ScoredSet("ieee8023", patients, figures, settings["baseline"]["ieee8023"], {"Opacity": 6})]
    steps = {"heatmap_step": {0: boxed(40)}, "irn_tuned_step": {0: boxed(60)}, "irn": {0: boxed(95)}}
    tests.append(boxed_test("boxes", steps, patients, settings["baseline"]["boxes"]))
    claims = list(check_claims(settings["claims"], tests))
    verdicts = [claim.verdict for claim in claims]
    assert verdicts == ["holds", "holds", "not measured", "not measured", "holds", "holds", "holds"]
    record = {
        "recipe": settings,
        "tests": {test.name: test.record().model_dump() for test in tests},
        "claims": [claim.model_dump(by_alias=True) for claim in claims],
        "images": {"training": 1200},
        "missing": ["heatmap-seed0"],
        "weights_sha256": {"nih_segment_irn-seed0": "a" * 64},
        "trained_on": {"irn": "b" * 64},
        "training_minutes": {},
        "date": "today",
        "device": "CPU",
        "versions": {"torch": "2"},
    }
    text = {macro: render_macro("nih_segmentation", macro, record) for macro in MACROS}
    assert "experts and IRN (CheXseg) | .67 [.67, .67]" in text["drawn"]
    assert "Planned and not trained yet: heatmap-seed0" in text["drawn"]
    assert "(step b) IRN's masks" in text["boxes"] and "Mass (6)" in text["classes"]
    assert text["claims"].count("**not measured**") == 2
    assert "| **all pairs** | 1.00 [1.00, 1.00] | .00 [.00, .00] |" in text["card"]
    assert "training data `bbbb" in text["trained"]
    for lines in (found.splitlines() for found in text.values()):
        assert len({line.count("|") for line in lines if line.startswith("|")}) <= 1, lines


@pytest.fixture
def quick(tmp_path):
    settings = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    settings["methods"] = {name: settings["methods"][name] for name in ("irn", "both")}
    settings["claims"] = settings["claims"][1:2]
    settings["baseline"]["ieee8023"] = "irn"
    for key in ("data", "refinement"):
        settings[key] = str(EXPERIMENT.with_name(settings[key]))
    path = tmp_path / "nih_segmentation.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return Options(path, tmp_path / "work", SHARED / "nih", tmp_path / "out", quick=True)


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images with boxes (../shared/nih) are not here")
def test_a_quick_run_from_images_to_record(quick, tmp_path):
    part = NihSegmentation(quick)
    part.run()
    found = read_result(tmp_path / "out" / "nih_segmentation.json")
    assert found["quick"] and set(found["tests"]) == {"ieee8023", "boxes"}
    test = found["tests"]["ieee8023"]
    assert test["n_images"] == 31 and set(test["figures"]["dice"]["all"]["methods"]) == {"irn", "both"}
    assert found["tests"]["boxes"]["n_images"] == 12
    for file in (tmp_path / "work" / "nih_segmentation" / "runs").glob("*/*.pt"):
        file.unlink()
    again = NihSegmentation(quick)  # from outcomes alone
    assert all(again.is_known(run) for run in again.runs)
    for macro in MACROS:
        assert render_macro("nih_segmentation", macro, found)
    listed = json.loads((tmp_path / "work" / "nih_segmentation" / "both_0.json").read_text(encoding="utf-8"))
    origins = {item["mask_origin"] for item in listed["training"]}
    assert origins == {"expert", "pseudo"} and not any("boxes" in item for item in listed["training"])
