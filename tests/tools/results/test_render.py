from __future__ import annotations

import json
import shutil

import pytest

from cxr_common.networks import weights_sha256
from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY
from tools.release.facts import read_hub
from tools.results.render import PAGES, render_page, render_quick


@pytest.mark.parametrize("page", PAGES)
def test_pages_show_what_the_result_files_say(page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert "<!-- results:" in text
    assert render_page(text, REPOSITORY / "docs" / "results") == text, "run `make tables`"


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/explanation/opacity.md"])
def test_the_auroc_that_the_probe_explains_away_stands_on_no_other_page(page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    assert "results:localization-opacity" not in text
    assert "AUROC of Opacity" not in text and "AUROC Opacity" not in text


def test_a_changed_figure_is_noticed(tmp_path):
    source = REPOSITORY / "docs" / "results" / "localization.json"
    record = json.loads(source.read_text())
    record["tests"]["phantoms"]["figures"]["point"]["micro"]["methods"]["pylon"]["value"] /= 2
    (tmp_path / "localization.json").write_text(json.dumps(record))
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert render_page(text, tmp_path) != text


def test_a_missing_result_says_so(tmp_path):
    text = "a\n<!-- results:localization-summary -->\n.99\n<!-- /results -->\nb\n"
    expected = "a\n<!-- results:localization-summary -->\nNot measured yet.\n<!-- /results -->\nb\n"
    assert render_page(text, tmp_path) == expected


def test_an_unknown_part_is_an_error(tmp_path):
    with pytest.raises(KeyError):
        render_page("<!-- results:nonsense -->\n<!-- /results -->", tmp_path)


@pytest.mark.parametrize("bundle", BUNDLES)
def test_shipped_weights_are_those_that_were_scored(bundle):
    folder = REPOSITORY / "bundles" / bundle
    measured = read_hub(folder).measured
    record = json.loads((REPOSITORY / "docs" / "results" / f"{measured.file}.json").read_text())
    assert weights_sha256(folder / "models" / "model.pt") == record["weights_sha256"][measured.weights]


def test_the_classifier_that_others_start_from_is_the_phantom_experiments():
    record = json.loads((REPOSITORY / "docs" / "results" / "localization.json").read_text())
    weights = REPOSITORY / "bundles" / "cxr_gradcam_classification" / "models" / "phantoms" / "model.pt"
    assert weights_sha256(weights) == record["weights_sha256"]["cam-seed0"]


def test_a_quick_page_is_marked_and_stays_in_its_folder(tmp_path):
    shutil.copy(REPOSITORY / "docs" / "results" / "localization.json", tmp_path / "localization.json")
    (page,) = [page for page in render_quick(tmp_path) if page.name == "localization.md"]
    assert page.parent == tmp_path
    assert page.read_text(encoding="utf-8").startswith("> **Quick run**")
