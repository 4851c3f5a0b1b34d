"""The tables of false findings are about the weights and thresholds that ship."""

from __future__ import annotations

import json

import pytest

from cxr_common.files import file_sha256
from tests.golden import REPOSITORY, SHARED
from tools.decisions.__main__ import main
from tools.decisions.tables import TITLES, bundles, classes, sentence

RECORD = json.loads((REPOSITORY / "docs" / "results" / "decisions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("bundle", TITLES)
def test_the_figures_are_of_what_ships(bundle):
    models = REPOSITORY / "bundles" / bundle / "models"
    for name, key in (("model.pt", "weights_sha256"), ("thresholds.json", "thresholds_sha256")):
        assert RECORD["bundles"][bundle][key] == file_sha256(models / name), "run python -m tools.decisions"


def test_every_bundle_that_decides_has_a_row():
    held = {path.parent.name for path in (REPOSITORY / "bundles").glob("*/models")}
    assert held == {*TITLES, "cxr_irn_refinement"}
    assert all(f"| {title} |" in bundles(RECORD) and f"| {title} |" in classes(RECORD) for title in TITLES.values())


def test_a_card_says_how_many_normal_images_show_nothing():
    none = RECORD["bundles"]["cxr_pylon_localization"]["figures"]["none shown"]["value"]
    text = sentence(RECORD, "cxr_pylon_localization")
    assert f"Of {RECORD['n_normal']} NIH test images" in text and f"{none:.2f}".lstrip("0") in text


def test_without_the_images_one_error_says_so(tmp_path, capsys):
    assert main(["--shared", str(tmp_path / "none"), "--output", str(tmp_path)]) == 1
    assert "the real radiographs are not there" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images (../shared/nih) are not here")
def test_the_figures_come_out_again(tmp_path):
    assert main(["--work", str(tmp_path / "work"), "--output", str(tmp_path)]) == 0
    again = json.loads((tmp_path / "decisions.json").read_text(encoding="utf-8"))
    for bundle in TITLES:
        for figure in ("auroc", "sensitivity", "specificity"):
            value = RECORD["bundles"][bundle]["figures"][figure]["macro"]["value"]
            assert again["bundles"][bundle]["figures"][figure]["macro"]["value"] == pytest.approx(value, abs=0.005)
