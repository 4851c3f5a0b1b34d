"""The whole experiment, tiny: data, two trainings, scoring, plots, pages, and again from cache."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.golden import REPOSITORY
from tools.results.localization import Localization
from tools.results.render import parts, render_page
from tools.results.settings import Options

pytestmark = pytest.mark.slow  # minutes of two cores
TINY = {"max_epochs": 2, "spatial_size": [64, 64], "batch_size": 8}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    settings = yaml.safe_load((REPOSITORY / "tools" / "results" / "localization.yaml").read_text())
    settings["phantoms"] |= {"size": 64, "training": 16, "validation": 8, "testing": 24, "test": None}
    settings["phantoms"]["clear"] = {"seed": 2027, "training": 8, "config": {"contrast": 2.0}}
    settings["start"] = {"bundle": "cxr_gradcam_classification", "overrides": {"network_def#dropblock_prob": 0.0}}
    settings["methods"] = {name: settings["methods"][name] for name in ("pylon", "cam", "multiscale", "gradcam")}
    settings["quick"] = {"phantoms": {}, "seeds": [0], "cycles": [TINY]}
    path = folder / "localization.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    options = {"experiment": path, "work": folder / "work", "shared": folder / "absent", "output": folder / "out"}
    Localization(Options(**options, quick=True)).run()
    return options


def record(options):
    return json.loads((options["output"] / "localization.json").read_text())


def test_every_method_is_scored_and_marked_as_quick(finished):
    found = record(finished)
    assert found["quick"]
    assert list(found["tests"]["phantoms"]["figures"]["auroc"]["macro"]["methods"]) == [
        "pylon",
        "cam",
        "multiscale",
        "gradcam",
    ]
    assert found.get("missing", []) == []
    assert set(found["weights_sha256"]) == {"pylon-seed0", "cam-seed0", "multiscale-seed0"}
    assert list(found["tests"]) == ["phantoms"]
    overlay = yaml.safe_load((finished["work"] / "runs" / "pylon-seed0-cycle1" / "overrides.yaml").read_text())
    assert overlay["backbone_weights"] == str(finished["work"] / "runs" / "start" / "model.pt")
    claims = {claim["verdict"] for claim in found["claims"]}
    assert "not measured" in claims
    assert len(claims) > 1
    for name in ("bars", "gallery", "relevance"):
        assert (finished["output"] / f"localization-{name}.png").stat().st_size > 5000


def test_a_second_run_trains_and_scores_nothing(finished):
    before = {p: p.stat().st_mtime_ns for p in finished["output"].parent.rglob("*") if p.is_file()}
    Localization(Options(**finished, quick=True)).run()
    after = {p: p.stat().st_mtime_ns for p in finished["output"].parent.rglob("*") if p.is_file()}
    changed = {p.name for p in after if after[p] != before.get(p)}
    assert changed <= {"training.json"}


def test_every_part_of_the_pages_renders(finished):
    for part in [part for part, (file, *_) in parts().items() if file == "localization.json"]:
        text = render_page(f"<!-- results:{part} -->\n<!-- /results -->\n", finished["output"])
        assert len(text.splitlines()) > 2, part
        assert "Not measured yet" not in text


def test_without_weights_what_is_known_of_them_is_scored_again(finished):
    """As on a clean clone: nothing is trained, and the figures are the same."""
    before = record(finished)
    (finished["work"] / "runs").rename(finished["work"] / "gone")
    (finished["output"] / "localization.json").unlink()
    Localization(Options(**finished, quick=True)).run()
    assert not (finished["work"] / "runs").exists()
    assert {**record(finished), "date": None} == {**before, "date": None}
