from __future__ import annotations

import json

import pytest

from tests.golden import REPOSITORY
from tools.results import card_tables
from tools.results.markdown import NOT_MEASURED


def record(name):
    return json.loads((REPOSITORY / "docs" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def rows(text):
    return {line.split("|")[1].strip(): line.split("|")[2:-1] for line in text.splitlines() if line.startswith("| ")}


def test_a_localisers_figures_stand_by_finding():
    found, boxes = record("nih"), None
    boxes = found["boxes"]["methods"]["pylon"]
    table = rows(card_tables.nih(found, "pylon"))
    mass = next(cells for name, cells in table.items() if name.startswith("Mass"))
    value = boxes["point"]["Mass"]["value"]
    assert mass[0].split()[0] == f"{value:.2f}".replace("0.", ".", 1)
    assert table["**all boxes together**"][-1].strip() == "–", "no AUROC of boxes"


def test_the_heatmaps_that_a_bundle_gives_stand_alone():
    head = card_tables.nih(record("nih"), "cam", heatmaps="cam_scaled").splitlines()[0]
    assert "CAM, scaled" in head
    assert head.count("points") == 1


def test_only_its_own_weights_stand_in_a_card():
    text = card_tables.nih_training(record("nih"), "multiscale")
    assert record("nih")["weights_sha256"]["multiscale-seed0"][:16] in text
    assert record("nih")["weights_sha256"]["pylon-seed0"][:16] not in text


@pytest.mark.parametrize("function", [card_tables.nih, card_tables.nih_training])
def test_what_is_not_trained_is_not_measured(function):
    assert function(record("nih"), "unknown") == NOT_MEASURED


def test_the_walk_of_the_shipped_localiser():
    found = record("refinement")
    table = rows(card_tables.steps(found))
    assert [int(cell) for cell in table["steps"]] == list(
        found["localizers"]["pylon"]["steps"]["irn_tuned"][0].values()
    )
    assert card_tables.refinement(found).count("+") >= 6, "gains on phantoms and real radiographs"


@pytest.mark.parametrize(
    ("name", "function"), [("segmentation", card_tables.segmentation), ("detection", card_tables.detection)]
)
def test_figures_on_phantoms_say_so(name, function):
    text = function(record(name))
    assert len(rows(text)) == len(record(name)["per_class"]) + 2
    assert "Synthetic phantoms" in text


@pytest.mark.parametrize(
    "card", sorted((REPOSITORY / "bundles").glob("*/docs/README.md")), ids=lambda path: path.parts[-3]
)
def test_a_card_is_a_page(card):
    assert card.stat().st_size < 8192
