from __future__ import annotations

import json

import pytest

from cxr_common.data import load_datalist
from cxr_common.data.masks import read_mask
from cxr_common.labels import LABELS
from tests.bundles.conftest import phantoms  # noqa: F401
from tests.golden import REPOSITORY
from tools.nih.nih_refinement import NihRefinement
from tools.results.plan import shipped
from tools.results.refinement import Refinement
from tools.results.segmentation_masks import cut_heatmaps, refiner
from tools.results.settings import Options, load_settings

EXPERIMENT = REPOSITORY / "tools" / "results" / "segmentation.yaml"


def test_heatmaps_are_cut_for_the_findings_an_image_has(phantoms, tmp_path):  # noqa: F811
    options = Options(EXPERIMENT, tmp_path, tmp_path / "absent", tmp_path, quick=True)
    settings = load_settings(EXPERIMENT, quick=True)
    items = load_datalist(phantoms / "datalist.json", "training")[:8]
    known = [{key: item[key] for key in ("image", "patient", "label")} for item in items]
    cut_heatmaps(refiner(options, settings), known, dict.fromkeys(LABELS, 0.5), tmp_path / "cut")
    made = load_datalist(tmp_path / "cut" / "datalist.json", "training")
    for before, item in zip(known, made, strict=True):
        assert item["mask_origin"] == "pseudo"
        for name, value in zip(LABELS, before["label"], strict=True):
            mask = item["mask"][name]
            assert (mask is not None) == (value == 1)
            assert mask is None or 0 < read_mask(mask).mean() < 0.9
    assert any(1 in item["label"] for item in known)


@pytest.mark.parametrize(
    ("experiment", "part"), [("results/segmentation", Refinement), ("nih/nih_segmentation", NihRefinement)]
)
def test_the_shipped_relation_network_fits_the_recipe_that_is_named_for_it(experiment, part, tmp_path):
    file = REPOSITORY / "tools" / f"{experiment}.yaml"
    settings = load_settings(file, shares=())
    [held] = shipped(refiner(Options(file, tmp_path, tmp_path / "absent", tmp_path), settings, part))
    grey = json.loads((held.folder / "thresholds.json").read_text(encoding="utf-8"))["tuned_on"]["intensity"]
    assert held.network()
    assert grey == {name: held.config()[f"intensity_{name}"] for name in ("mean", "std")}
