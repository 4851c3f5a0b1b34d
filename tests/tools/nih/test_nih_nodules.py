from __future__ import annotations

import pytest
import yaml

from cxr_common.data import load_datalist
from tests.golden import REPOSITORY, SHARED
from tests.tools.nih.test_nih_detection import boxed, detected, outcome, written
from tools.nih.detection_data import Pointer, point_table
from tools.nih.nih_detection import box_test, point_test
from tools.nih.nih_nodules import NihNodules
from tools.results.plan import plan_runs
from tools.results.record import read_result
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "nih" / "nih_nodules.yaml"
MACROS = ("methods", "goal", "claims", "training")
needs_images = pytest.mark.skipif(
    not (SHARED / "nih").is_dir() or not (SHARED / "cxr").is_dir(), reason="NIH's images (../shared) are not here"
)


def test_pages_show_what_was_measured(monkeypatch):
    settings = load_settings(EXPERIMENT, shares=("nih",))
    for claim in settings["claims"]:
        claim["class"] = "Mass"
    monkeypatch.setattr("tests.tools.nih.test_nih_detection.FINDINGS", ("Mass", "Nodule", "Pneumonia"))
    items = boxed()
    found = {name: {0: outcome(right, items, [])} for name, right in (("boxes", 3), ("simulated", 12))}
    beside = {"retinanet-seed0": {0: outcome(6, items, [])}}
    localizers = {"pylon": Pointer(point_table(detected(items, 0)), outcome(0, items, []).logits)}
    both = {**found, **beside}
    record = written(settings, [box_test(items, both, "boxes"), point_test(items, both, localizers, "pylon")])
    text = {macro: render_macro("nih_nodules", macro, record) for macro in MACROS}
    assert "| boxes, and simulated nodules and masses | 1.00 [1.00, 1.00] |" in text["methods"]
    assert "| boxes only at 128 pixels |" in text["methods"]
    assert "| PYLON at 128 pixels |  |  |  | .00 [" in text["methods"]
    assert "simulated nodules and masses | 1.00 [1.00, 1.00] | yes |" in text["goal"]
    assert "holds" in text["claims"]


def test_crops_are_learned_from_and_whole_images_looked_at(tmp_path):
    settings = load_settings(EXPERIMENT, shares=("nih",))
    for run in plan_runs(settings, tmp_path, settings["methods"]):
        config = run.config()
        assert config["spatial_size"] == [256, 256]
        [load] = [step["spatial_size"] for step in config["load"] if step["_target_"] == "Resized"]
        assert config.get_parsed_content("image_size") == [512, 512] and load == "@image_size"


@needs_images
def test_nodules_are_put_into_images_of_other_patients(tmp_path):
    options = Options(EXPERIMENT, tmp_path / "work", SHARED / "nih", tmp_path / "out", quick=True)
    made = NihNodules(options)
    free = made.free_images()
    boxed_patients = {i["patient"] for i in load_datalist(made.nih.nih, "localisation", SHARED / "nih")}
    assert len(free) > 300 and not boxed_patients & {item["patient"] for item in free}


@pytest.mark.slow
@needs_images
def test_a_quick_run_from_images_to_record(tmp_path):
    settings = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    settings["methods"] = {"boxes": settings["methods"]["boxes"]}
    settings["claims"] = []
    settings["data"] = str(EXPERIMENT.with_name("nih.yaml"))
    path = tmp_path / "nih_nodules.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    options = Options(path, tmp_path / "work", SHARED / "nih", tmp_path / "out", quick=True)
    NihNodules(options).run()
    found = read_result(tmp_path / "out" / "nih_nodules.json")
    assert found["quick"] and found["tests"]["boxes"]["n_images"] == 24 and "nih" not in found["tests"]
    assert set(found["weights_sha256"]) == {"boxes-seed0"}
