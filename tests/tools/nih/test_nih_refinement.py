from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from cxr_common.data import write_datalist
from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from cxr_common.refinement.refined_masks import Masks
from tests.golden import REPOSITORY, SHARED
from tools.nih.nih_refinement import NihRefinement, boxed_test, make_positives
from tools.results.figures import check_claims
from tools.results.plan import plan_runs
from tools.results.record import read_result
from tools.results.refinement import plan_localizers, refined_test
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "nih" / "nih_refinement.yaml"
MASS = LABELS.index("Mass")
GATED = ("heatmap_gated", "irn_tuned_gated_before", "irn_tuned_gated_after")
WALKED = tuple(f"{kind}_{walk}" for walk in ("wsmis", "chexseg", "tuned") for kind in ("smooth", "irn"))
WAYS = ("heatmap", "crf", *WALKED, *GATED)
MACROS = ("methods", "classes", "drawn", "steps", "claims", "training", "card", "card_steps", "trained")


def masks(overlap, n=6):
    """Masks of 100 pixels beside boxes of 200, of which ``overlap`` are shared."""
    tables = []
    for value in (overlap, 100, 200):
        table = np.full((n, len(LABELS)), np.nan)
        table[:, MASS] = value
        tables.append(table)
    return Masks(MaskCounts(*tables), np.full((n, len(LABELS)), 0.5), LABELS)


def record_of(tests, localizers=("pylon", "lite")):
    settings = load_settings(EXPERIMENT, shares=NihRefinement.shares)
    claims = [claim.model_dump(by_alias=True) for claim in check_claims(settings["claims"], tests)]
    return {
        "recipe": settings,
        "tests": {test.name: test.record().model_dump() for test in tests},
        "claims": claims,
        "notes": {
            "steps": {name: {"irn_tuned": {"Mass": 2}} for name in localizers},
            "thresholds": {name: {"irn_tuned": {"Mass": 0.5}} for name in localizers},
            "gates": {"boxes": 0.914},
        },
        "missing": [name for name in settings["localizers"] if name not in localizers],
        "trained_on": {"training": "a" * 64},
        "weights_sha256": {f"nih_irn_{name}-seed0": "b" * 64 for name in localizers},
        "training_minutes": {f"nih_irn_{name}-seed0": 12.3 for name in localizers},
        "date": "today",
        "device": "CPU",
        "versions": {"torch": "2"},
    }


def test_tables_say_what_is_measured_and_what_is_not():
    good = ("irn_tuned", "irn_tuned_gated_before", "irn_tuned_gated_after")
    ways = {way: {0: masks(90 if way in good else 40)} for way in WAYS}
    patients = list("abcdef")
    tests = [boxed_test(f"{of}, {name}", ways, patients) for of in ("pylon", "lite") for name in ("boxes", "chest")]
    pair = {"pylon": ways["heatmap"], "lite": ways["irn_tuned"]}
    tests.append(boxed_test("networks, boxes", pair, patients, "pylon"))
    record = record_of([*tests, *(refined_test(f"{of}, ieee8023", ways, patients) for of in ("pylon", "lite"))])
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert verdicts["own numbers of steps make better masks"] == "holds"
    assert verdicts["masks stay inside the boxes as well"] == "holds"
    assert verdicts["a lung gate keeps masks inside the boxes"] == "undecided"  # as many pixels as without it
    assert verdicts["256 steps make better masks"] == "undecided"
    assert verdicts["of CAM too"] == "not measured"
    assert verdicts["a third of the size makes no worse masks"] == "holds"
    text = {macro: render_macro("nih_refinement", macro, record) for macro in MACROS}
    assert ".90 [.90, .90]" in text["methods"] and "+.500 [+.500, +.500]" in text["methods"]
    assert "| PYLON | thresholded heatmap, lung gate |" in text["methods"] and "in 91% of the images" in text["methods"]
    assert "| CAM | *not trained yet* |" in text["methods"]
    assert "Mass (6)" in text["classes"] and "| PYLON | learned boundaries | 2, .5 |" in text["steps"]
    assert "6 real radiographs" in text["drawn"]
    assert "official boxes (6 images) | inside | .40 [.40, .40] | .90 [.90, .90] | +.500" in text["card"]
    assert "| drawn opacities, ieee8023 (6 images) | IoU of images |" in text["card"]
    assert "| threshold | .5 |" in text["card_steps"].replace("0.5", ".5") and "12 minutes" in text["trained"]
    assert "| PYLON, EfficientNet-Lite0 minus PYLON | +1.000 [+1.000, +1.000] | holds |" in text["claims"]
    assert "Planned and not trained yet: CAM, multiscale" in text["training"]
    for lines in (table.splitlines() for table in text.values()):
        assert len({line.count("|") for line in lines if line.startswith("|")}) <= 1, lines


@pytest.fixture
def quick(tmp_path):
    settings = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    settings["localizers"] = {"pylon": settings["localizers"]["pylon"]}
    settings["claims"] = [claim for claim in settings["claims"] if claim["test"] == "pylon, boxes"]
    settings["data"] = str(EXPERIMENT.with_name("nih.yaml"))
    path = tmp_path / "nih_refinement.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return Options(path, tmp_path / "work", SHARED / "nih", tmp_path / "out", quick=True)


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images with boxes (../shared/nih) are not here")
def test_a_quick_run_from_images_to_record(quick, tmp_path):
    part = NihRefinement(quick)
    part.run()
    found = read_result(tmp_path / "out" / "nih_refinement.json")
    assert found["quick"] and found["tests"]["pylon, boxes"]["n_images"] == 12
    assert set(found["tests"]["pylon, boxes"]["figures"]["inside"]["all"]["methods"]) == set(WAYS)
    assert {claim["verdict"] for claim in found["claims"]} <= {"holds", "fails", "undecided"}
    for file in (tmp_path / "work" / "nih_refinement" / "runs" / "nih_irn_pylon-seed0").glob("*.pt"):
        file.unlink()
    again = NihRefinement(quick)  # from outcomes alone
    assert all(again.is_known(run) for run in again.runs)
    for macro in MACROS:
        assert render_macro("nih_refinement", macro, found)


def test_the_gate_is_scored_and_keys_no_training():
    """What a relation network is trained with is the same with and without the gate."""
    settings = load_settings(EXPERIMENT, shares=NihRefinement.shares)
    assert settings["gated"] in settings["walks"]
    recipes = []
    for change in ({}, {"gated": None, "claims": [], "walks": {}}):
        given = {**settings, **change}
        runs = plan_runs(given, Path("work"), plan_localizers(given), NihRefinement.prefix)
        recipes.append([run.recipe("data") for run in runs])
    assert recipes[0] == recipes[1]


def test_it_learns_from_images_with_a_finding_and_sees_no_box(tmp_path):
    def items(source, n=10):
        return [
            {
                "image": f"{source}{i}.png",
                "patient": f"{source}{i}",
                "label": [int(c == MASS and i % 2) for c in range(len(LABELS))],
                "boxes": [[0, 0, 1, 1]] if i % 2 else [],
                "box_labels": [MASS] if i % 2 else [],
            }
            for i in range(n)
        ]

    (tmp_path / "nih_simulated").mkdir()
    for name in [
        *(f"{s}{i}" for s in "ab" for i in range(10)),
        *(f"nih_simulated/{s}{i}" for s in "st" for i in range(10)),
    ]:
        Image.new("L", (8, 8)).save(tmp_path / f"{name}.png")
    write_datalist(
        {"labels": list(LABELS), "training": items("s"), "validation": items("t")},
        tmp_path / "nih_simulated" / "datalist.json",
    )
    write_datalist({"labels": list(LABELS), "training": items("a"), "validation": items("b")}, tmp_path / "nih14.json")
    settings = {"training": 3, "validation": 99, "simulated": {}}
    made = json.loads(make_positives(settings, tmp_path / "nih14.json", tmp_path, tmp_path).read_text())
    assert len(made["training"]) == 3 and all(item["image"].startswith("a") for item in made["training"])
    assert {item["image"] for item in made["validation"]} == {f"nih_simulated/t{i}.png" for i in range(1, 10, 2)}
    assert all(
        item["label"][MASS] == 1 and "boxes" not in item for part in ("training", "validation") for item in made[part]
    )
