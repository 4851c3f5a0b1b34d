from __future__ import annotations

import json

import pytest
import yaml

from tests.golden import REPOSITORY
from tools.claims import GROUNDS, claims_table, read_claims

RESULTS = REPOSITORY / "docs" / "results"
#: Experiment -> its file; the ground says which a claim belongs to.
EXPERIMENTS = {
    "phantoms": {
        name: f"tools/results/{name}.yaml" for name in ("localization", "refinement", "segmentation", "detection")
    },
    "patients": {
        name: f"tools/nih/{name}.yaml" for name in ("nih", "nih_refinement", "nih_segmentation", "nih_detection")
    },
}


def claims_of(file):
    return yaml.safe_load((REPOSITORY / file).read_text(encoding="utf-8"))["claims"]


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_claim_of_a_paper_stands_in_the_table_once(ground):
    shown = [next(iter(one[ground].items())) for paper in read_claims() for one in paper["claims"] if ground in one]
    asked = {
        (name, claim["claim"]): claim["paper"]
        for name, file in EXPERIMENTS[ground].items()
        for claim in claims_of(file)
    }
    papers = sorted(key for key, paper in asked.items() if paper != "ours")
    assert sorted(key for key in shown if asked[key] != "ours") == papers


def test_a_row_says_what_the_result_files_say():
    record = json.loads((RESULTS / "localization.json").read_text(encoding="utf-8"))
    line = next(one for one in claims_table(RESULTS).splitlines() if "| PYLON | points better than CAM |" in one)
    found = next(one for one in record["claims"] if one["claim"] == "points better than CAM")
    assert f"{found['difference']['value']:+.3f}".replace("0.", ".", 1) in line.split("|")[3]
    assert found["verdict"] in line.split("|")[3]


def test_what_is_not_measured_says_so_and_what_is_not_asked_is_a_dash(tmp_path):
    lines = claims_table(tmp_path).splitlines()
    assert any(line.endswith("| not measured | not measured |") for line in lines)
    assert any(line.endswith("| – | not measured |") for line in lines)
    assert not any("holds" in line for line in lines)


def test_a_claim_that_was_added_after_the_scores_is_marked_where_it_was():
    line = next(
        one for one in claims_table(RESULTS).splitlines() if "points better than CAM with scaled weights" in one
    )
    assert "†" in line.split("|")[3] and "†" not in line.split("|")[4]
    later = [one for paper in read_claims() for one in paper["claims"] if "later" in one]
    assert later and all(one["later"] in GROUNDS and one["later"] in one for one in later)
