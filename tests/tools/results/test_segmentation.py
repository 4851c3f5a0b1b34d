from __future__ import annotations

import numpy as np
import pytest

from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from tests.golden import REPOSITORY
from tools.results.segmentation import _report, plan
from tools.results.segmentation_masks import KINDS
from tools.results.segmentation_tables import claims, classes, methods
from tools.results.settings import load_experiment

EXPERIMENT = REPOSITORY / "tools" / "results" / "segmentation.yaml"


def counts(overlap, n=5):
    tables = []
    for value in (overlap, 100, 100):
        table = np.full((n, len(LABELS)), np.nan)
        table[:, 0] = value
        tables.append(table)
    return MaskCounts(*tables)


def test_figures_differences_and_claims():
    settings = load_experiment(EXPERIMENT)
    given = {"irn": [counts(20)], "expert": [counts(30)], "chexseg": [counts(60)]}
    found = _report(settings, given, list("abcde"))
    assert found["present"] == {LABELS[0]: 5}
    assert found["figures"]["iou of the data set"]["values"]["chexseg"]["value"] == pytest.approx(60 / 140)
    assert found["figures"]["dice where present"]["values"]["irn"]["value"] == pytest.approx(0.2)
    assert found["figures"]["iou of images"]["difference"]["chexseg"]["value"] == pytest.approx(60 / 140 - 30 / 170)
    verdicts = {claim["claim"]: claim["verdict"] for claim in found["claims"]}
    assert list(verdicts.values()) == ["holds", "holds", "not measured", "not measured", "not measured"]
    images = {"training": 9, "experts": 4, "validation": 2}
    record = {"recipe": settings, "missing": ["full", "heatmap"], "images": images, **found}
    assert "experts and IRN (CheXseg)" in methods(record)
    assert "Planned and not trained yet: all masks" in methods(record)
    assert f"{LABELS[0]} (5)" in classes(record)
    assert "not measured" in claims(record)


def test_every_method_is_the_bundle_with_its_own_supervision(tmp_path):
    settings = load_experiment(EXPERIMENT)
    runs = plan(settings, tmp_path)
    assert set(runs) == set(settings["methods"])
    assert {method["masks"] for method in settings["methods"].values()} == set(KINDS)
    assert runs["expert"][0].overrides["expert_probability"] == 1.0
    assert len({seeds[0].folder for seeds in runs.values()}) == len(runs)


def test_steps_that_are_told_what_is_there_show_figures_of_present_findings_only():
    settings = load_experiment(EXPERIMENT)
    given = {"irn": [counts(50)], "irn_masks": [counts(40)], "heatmap_masks": [counts(30)]}
    found = _report(settings, given, list("abcde"))
    verdicts = {claim["first"] + " " + claim["second"]: claim["verdict"] for claim in found["claims"]}
    assert verdicts["irn_masks heatmap_masks"] == verdicts["irn irn_masks"] == "holds"
    images = {"training": 9, "experts": 4, "validation": 2}
    text = methods({"recipe": settings, "missing": [], "images": images, **found})
    [row] = [line for line in text.splitlines() if "step b" in line]
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    assert cells == ["–", "–", ".25 [.25, .25]", ".40 [.40, .40]", "–"]
