from __future__ import annotations

import pytest

from tests.cxr_common.refinement.test_refined_masks import masks
from tests.golden import REPOSITORY
from tools.results.plan import plan_runs
from tools.results.refinement import Refinement, plan_localizers, refined_test
from tools.results.settings import load_settings
from tools.results.tables import load_template, render_macro

EXPERIMENT = REPOSITORY / "tools" / "results" / "refinement.yaml"


def test_gains_are_paired_and_tables_show_them():
    ways = (
        "heatmap",
        "crf",
        *(f"{kind}_{walk}" for walk in ("wsmis", "chexseg", "tuned") for kind in ("smooth", "irn")),
    )
    overlaps = dict(zip(ways, (20, 30, 25, 60, 22, 26, 21, 24), strict=True))
    found = refined_test("pylon, phantoms", {w: {0: masks(n)} for w, n in overlaps.items()}, list("abcdef")).record()
    assert found.counts == {"Mass": 6}
    gain = found.figures["image iou"]["all"].difference["irn_wsmis"]
    assert gain["value"] == pytest.approx(60 / 140 - 20 / 180)
    assert gain["low"] == pytest.approx(gain["high"])  # all images are alike
    settings = load_settings(EXPERIMENT, shares=Refinement.shares)
    record = {
        "recipe": settings,
        "tests": {"pylon, phantoms": found.model_dump()},
        "claims": [],
        "notes": {
            "steps": {"pylon": {"irn_tuned": [{"Mass": 2, "Nodule": 64}]}},
            "thresholds": {"pylon": {"irn_tuned": [{"Mass": 0.5, "Nodule": 0.005}]}},
        },
        "missing": ["multiscale"],
        "trained_on": {"training": "a" * 64},
        "weights_sha256": {"irn_pylon-seed0": "b" * 64},
        "training_minutes": {"irn_pylon-seed0": 12.3},
        "date": "2026-01-01",
        "device": "CPU",
        "versions": {"torch": "2"},
    }

    def rendered(macro):
        return render_macro("refinement", macro, record)

    assert list(load_template("refinement", record).ways) == list(ways)
    assert "| PYLON | learned boundaries | 2, .5 | 64, .005 |" in rendered("steps")
    text = rendered("methods")
    assert "| PYLON | WSMIS' walk, learned boundaries | .43 [.43, .43] |" in text
    assert "Planned and not trained yet: multiscale" in text
    assert "Mass (6)" in rendered("classes")
    assert "12 minutes" in rendered("training")


def test_every_localiser_with_weights_gets_a_network(tmp_path):
    settings = load_settings(EXPERIMENT, quick=True, shares=Refinement.shares)
    planned = plan_runs(settings, tmp_path, plan_localizers(settings), Refinement.prefix)
    runs = {run.method.removeprefix("irn_"): [run] for run in planned}
    assert set(runs) <= set(settings["localizers"])
    for name, seeds in runs.items():
        assert settings["localizers"][name]["bundle"] in seeds[0].overrides["localizer"]
        assert seeds[0].overrides["max_epochs"] == 1
