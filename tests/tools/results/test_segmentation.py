from __future__ import annotations

import numpy as np
import pytest

from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from tests.golden import REPOSITORY
from tools.results.figures import check_claims
from tools.results.plan import plan_runs
from tools.results.segmentation import Segmentation, mask_test
from tools.results.segmentation_masks import KINDS
from tools.results.settings import load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "results" / "segmentation.yaml"


def counts(overlap, n=5):
    tables = []
    for value in (overlap, 100, 100):
        table = np.full((n, len(LABELS)), np.nan)
        table[:, 0] = value
        tables.append(table)
    return MaskCounts(*tables)


def made(settings, given, **record):
    """The set of figures, its claims, and a record of them."""
    test = mask_test({name: {0: one} for name, one in given.items()}, list("abcde"), settings["baseline"])
    claims = list(check_claims(settings["claims"], [test]))
    images = {"training": 9, "experts": 4, "validation": 2}
    plain = {"tests": {"phantoms": test.record().model_dump()}, "claims": [c.model_dump(by_alias=True) for c in claims]}
    return test.record(), claims, {"recipe": settings, "missing": [], "images": images, **plain, **record}


def test_figures_differences_and_claims():
    settings = load_settings(EXPERIMENT)
    given = {"irn": counts(20), "expert": counts(30), "chexseg": counts(60)}
    found, claims, record = made(settings, given, missing=["full", "full_smooth", "heatmap"])
    assert found.counts == {LABELS[0]: 5}
    figures = found.figures
    assert figures["iou of the data set"]["macro"].methods["chexseg"]["value"] == pytest.approx(60 / 140)
    assert figures["iou of the data set"][LABELS[0]].methods["chexseg"]["value"] == pytest.approx(60 / 140)
    assert figures["dice where present"]["macro"].methods["irn"]["value"] == pytest.approx(0.2)
    assert figures["iou of images"]["macro"].difference["chexseg"]["value"] == pytest.approx(60 / 140 - 30 / 170)
    verdicts = {claim.claim: claim.verdict for claim in claims}
    assert list(verdicts.values()) == ["holds", "holds", *["not measured"] * 4]

    def text(macro):
        return render_macro("segmentation", macro, record)

    assert "experts and IRN (CheXseg)" in text("methods")
    assert "Planned and not trained yet: all masks" in text("methods")
    assert f"{LABELS[0]} (5)" in text("classes")
    assert "not measured" in text("claims")


def test_every_method_is_the_bundle_with_its_own_supervision(tmp_path):
    settings = load_settings(EXPERIMENT)
    planned = plan_runs(settings, tmp_path, prefix=Segmentation.prefix)
    runs = {run.method.removeprefix("segment_"): [run] for run in planned}
    assert set(runs) == set(settings["methods"])
    assert {method["masks"] for method in settings["methods"].values()} == set(KINDS)
    assert runs["expert"][0].overrides["expert_probability"] == 1.0
    assert len({seeds[0].folder for seeds in runs.values()}) == len(runs)


def test_steps_that_are_told_what_is_there_show_figures_of_present_findings_only():
    settings = load_settings(EXPERIMENT)
    given = {"irn": counts(50), "irn_masks": counts(40), "heatmap_masks": counts(30)}
    _, claims, record = made(settings, given)
    verdicts = {claim.first + " " + claim.second: claim.verdict for claim in claims}
    assert verdicts["irn_masks heatmap_masks"] == verdicts["irn irn_masks"] == "holds"
    text = render_macro("segmentation", "methods", record)
    [row] = [line for line in text.splitlines() if "step b" in line]
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    assert cells == ["–", "–", ".25 [.25, .25]", ".40 [.40, .40]", "–"]
