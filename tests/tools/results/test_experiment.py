from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cxr_common.errors import InputError
from tests.golden import REPOSITORY
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet, mapped
from tools.results.plan import plan_runs
from tools.results.record import read_result
from tools.results.settings import Options, load_settings

EXPERIMENTS = {path.stem: path for path in (REPOSITORY / "tools").glob("*/*.yaml")}
OUTCOMES = REPOSITORY / "docs" / "results" / "outcomes"
KEPT = [(name, path.stem) for name in ("localization", "nih") for path in sorted((OUTCOMES / name).glob("*.npz"))]


class Toy(Experiment):
    """Two methods of a bundle whose runs are files; a method is as good as the number in its weights."""

    prefix = "toy_"

    def make_data(self):
        items = [{"image": f"{n}.png", "patient": str(n)} for n in range(10)]
        return Data({"training": self.work / "datalist.json"}, {"all": items}, hashes={"training": "data"})

    def score(self, file, done):
        def statistic(run):
            return lambda w: w @ np.full(10, float(run.weights.read_text())) / w.sum(-1)

        figure = Figure("skill", "all", mapped(done, statistic))
        return [ScoredSet("all", [*map(str, range(10))], [figure], self.settings["baseline"])], {}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.results.experiment.data_sha256", lambda items, masks: str(len(items)))
    monkeypatch.setattr("tools.results.experiment.weights_sha256", lambda path: path.read_text())
    settings = {
        "bundle": "cxr_pylon_localization",
        "configs": [],
        "methods": {"good": {"seeds": [0, 1], "ships": True}, "plain": {"seeds": [0]}, "never": {"seeds": [0]}},
        "baseline": "plain",
        "claims": [{"first": "good", "second": "plain"}],
    }
    path = tmp_path / "toy.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")

    def make(**options):
        return Toy(Options(path, tmp_path / "work", tmp_path / "none", tmp_path / "out", **options))

    return make


def finish(run, skill):
    run.folder.mkdir(parents=True)
    (run.folder / "model.pt").write_text(str(skill))
    (run.folder / "log.txt").write_text("Trainer - INFO - Epoch[1] Complete. Time taken: 00:02:00.0\n")
    record = {"recipe": run.recipe("data"), "threads": 1}
    (run.folder / "run.json").write_text(json.dumps(record), encoding="utf-8")


def test_what_is_trained_is_scored_and_what_is_not_is_named(toy, tmp_path):
    experiment = toy(train=False)
    with pytest.raises(InputError, match="nothing is trained yet"):
        experiment.run()
    for run in experiment.runs:
        if run.method != "toy_never":
            finish(run, {"toy_good": 0.9, "toy_plain": 0.4}[run.method])
    experiment.run()
    record = read_result(tmp_path / "out" / "toy.json")
    assert record["missing"] == ["never"]
    assert record["weights_sha256"] == {"toy_good-seed0": "0.9", "toy_good-seed1": "0.9", "toy_plain-seed0": "0.4"}
    assert record["training_minutes"]["toy_good-seed1"] == 2
    [figure] = record["tests"]["all"]["figures"]["skill"].values()
    assert figure["difference"]["good"]["value"] == pytest.approx(0.5)
    assert [claim["verdict"] for claim in record["claims"]] == ["holds"]


def test_only_what_is_named_and_not_done_is_trained(toy, monkeypatch):
    asked = []
    monkeypatch.setattr("tools.results.experiment.train_all", lambda jobs, parallel: asked.extend(jobs))
    toy(only=["good"], score=False).run()
    assert [run.name for run, *_ in asked] == ["toy_good-seed0", "toy_good-seed1"]
    assert {data_hash for *_, data_hash in asked} == {"data"}
    with pytest.raises(InputError, match="no such method: bad"):
        toy(only=["bad"], score=False).run()


@pytest.mark.parametrize(("name", "outcome"), KEPT)
def test_kept_outcomes_are_those_of_the_trainings_that_are_planned(name, outcome):
    """So that neither they nor weights trained before are made again: a training is known by its recipe."""
    settings = load_settings(EXPERIMENTS[name])
    data_hash = read_result(REPOSITORY / "docs" / "results" / f"{name}.json")["trained_on"]["training"]
    method, seed = outcome.rsplit("-seed", 1)
    shown = settings["methods"][method].get("weights_of", method)
    [run] = [run for run in plan_runs(settings, Path("work")) if run.name == f"{shown}-seed{seed}"]
    with np.load(OUTCOMES / name / f"{outcome}.npz") as file:
        assert json.loads(str(file["about"]))["made_with"]["recipe"] == run.recipe(data_hash)
