from __future__ import annotations

from cxr_common.data import load_datalist
from cxr_common.data.masks import read_mask
from cxr_common.labels import LABELS
from tests.bundles.conftest import phantoms  # noqa: F401
from tests.golden import REPOSITORY
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
