from __future__ import annotations

import json
from pathlib import Path

import pytest

from cxr_common.errors import InputError
from tools.results.plan import chosen, ship, shipped
from tools.trainings import Run


def trained(folder: Path, method: str, data: str) -> Run:
    """A run that says it was trained on `data`, in a bundle of its own."""
    run = Run(method, 0, folder / f"bundle_{method}", (), {}, folder / method)
    run.folder.mkdir()
    (run.folder / "run.json").write_text(json.dumps({"recipe": run.recipe(data)}))
    (run.folder / "model.pt").write_text(method)
    (run.folder / "thresholds.json").write_text("{}")
    return run


def test_only_names_methods_and_runs_in_their_own_order(tmp_path):
    runs = [trained(tmp_path, f"x_{name}", "data") for name in "abc"]
    assert chosen(runs, "x_", None, Path("x.yaml")) == runs
    assert chosen(runs, "x_", ["c", "a"], Path("x.yaml")) == [runs[0], runs[2]]
    assert chosen(runs, "x_", ["x_b-seed0"], Path("x.yaml")) == [runs[1]]
    assert chosen(runs, "x_", ["b-seed0"], Path("x.yaml")) == [runs[1]]
    with pytest.raises(InputError, match="d"):
        chosen(runs, "x_", ["d"], Path("x.yaml"))


def test_weights_go_where_a_method_says(tmp_path):
    runs = {name: {0: trained(tmp_path, name, "data")} for name in "abc"}
    ship(runs, {"a": {"ships": True}, "b": {"ships": "models/lungs"}, "c": {}, "d": {"ships": True}})
    assert (tmp_path / "bundle_a" / "models" / "model.pt").read_text() == "a"
    assert (tmp_path / "bundle_b" / "models" / "lungs" / "thresholds.json").exists()
    assert not (tmp_path / "bundle_c").exists()


def test_what_a_bundle_holds_is_a_run_without_a_log(tmp_path):
    run = trained(tmp_path, "a", "data")
    assert shipped(run) == []
    ship({"a": {0: run}}, {"a": {"ships": True}})
    [held] = shipped(run)
    assert (held.name, held.weights) == (run.name, tmp_path / "bundle_a" / "models" / "model.pt")
    epochs = [f"Trainer - INFO - Epoch[{n}] Complete. Time taken: 00:0{n}:30.0\n" for n in (1, 2)]
    (run.folder / "log.txt").write_text("".join(epochs))
    assert run.minutes() == 4
    assert not (held.folder / "run.json").exists()


def test_other_weights_to_start_from_are_another_recipe(tmp_path):
    config, weights = tmp_path / "train.yaml", tmp_path / "bundle" / "start.pt"
    config.write_text("backbone_weights: $@bundle_root + '/start.pt'\n")
    weights.parent.mkdir()
    run = Run("a", 0, weights.parent, (config,), {}, tmp_path / "a")
    weights.write_text("one")
    one = run.recipe("data")
    weights.write_text("two")
    assert run.recipe("data") != one
    assert run.backbone_weights() == weights
    without = Run("a", 0, weights.parent, (config,), {"backbone_weights": None}, tmp_path / "a")
    assert without.backbone_weights() is None
