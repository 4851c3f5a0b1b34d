from __future__ import annotations

import json

import pytest

from cxr_common.findings.thresholds import DEFAULT_DECISION
from cxr_tools.markdown import NOT_MEASURED
from tests.golden import REPOSITORY
from tools.results.record import read_result
from tools.results.tables import render_macro


def record(name):
    return read_result(REPOSITORY / "docs" / "results" / f"{name}.json")


def rows(text):
    return {line.split("|")[1].strip(): line.split("|")[2:-1] for line in text.splitlines() if line.startswith("| ")}


def test_a_localisers_figures_stand_by_finding():
    found = record("nih")
    table = rows(render_macro("nih", "card", found, "pylon"))
    mass = next(cells for name, cells in table.items() if name.startswith("Mass"))
    value = found["tests"]["boxes"]["figures"]["point"]["Mass"]["methods"]["pylon"]["value"]
    assert mass[0].split()[0] == f"{value:.2f}".replace("0.", ".", 1)
    assert table["**all boxes together**"][-1].strip() == "–", "no AUROC of boxes"


def test_the_heatmaps_that_a_bundle_gives_stand_alone():
    head = render_macro("nih", "card", record("nih"), "cam").splitlines()[0]
    assert "CAM, scaled" in head
    assert head.count("points") == 1


def test_only_its_own_weights_stand_in_a_card():
    text = render_macro("nih", "trained", record("nih"), "multiscale")
    assert record("nih")["weights_sha256"]["multiscale-seed0"][:16] in text
    assert record("nih")["weights_sha256"]["pylon-seed0"][:16] not in text


@pytest.mark.parametrize("macro", ["card", "trained"])
def test_what_is_not_trained_is_not_measured(macro):
    assert render_macro("nih", macro, record("nih"), "unknown").strip() == NOT_MEASURED.strip()


def test_the_walk_that_was_scored_is_the_one_that_ships():
    table = rows(render_macro("nih_refinement", "card_steps", record("nih_refinement")))
    path = REPOSITORY / "bundles" / "cxr_irn_refinement" / "models" / "thresholds.json"
    ships = json.loads(path.read_text(encoding="utf-8"))
    assert [int(cell) for cell in table["steps"]] == list(ships["walk"]["steps"].values())
    assert [float(cell) for cell in table["threshold"]] == list(ships["mask"].values())


@pytest.mark.parametrize(("name", "others"), [("nih_detection", 1), ("nih_segmentation", 2)])
def test_figures_on_patients_say_so(name, others):
    text = render_macro(name, "card", record(name))
    head, *lines = rows(text)
    assert len(lines) == len(record(name)["tests"]["boxes"]["counts"]) + others
    assert "Real radiographs" in text


@pytest.mark.parametrize(
    "card", sorted((REPOSITORY / "bundles").glob("*/docs/README.md")), ids=lambda path: path.parts[-3]
)
def test_a_card_is_a_page(card):
    assert card.stat().st_size < 8192


def test_a_card_has_the_machine_of_its_own_training():
    """Others of the experiment may have been trained on another one."""
    found = {**record("nih"), "training_machine": "one; two", "training_machines": {"pylon-seed0": "one"}}
    assert "minutes on one\n" in render_macro("nih", "trained", found, "pylon")
    assert "minutes on one; two\n" in render_macro("nih", "trained", found, "cam"), "records that were made before"


LOCALIZERS = ("pylon_localization", "multiscale_localization", "gradcam_classification", "pcam_localization")


@pytest.mark.parametrize("name", LOCALIZERS)
def test_a_card_names_the_classes_that_keep_the_default_decision(name):
    root = REPOSITORY / "bundles" / f"cxr_{name}"
    decision = json.loads((root / "models" / "thresholds.json").read_text(encoding="utf-8"))["decision"]
    default = [label for label, value in decision.items() if value == DEFAULT_DECISION]
    text = " ".join((root / "docs" / "README.md").read_text(encoding="utf-8").split())
    said = text.partition("(largest Youden index). ")[2].partition(" did not clearly beat chance there")[0]
    assert [label for label in decision if label in said] == default
