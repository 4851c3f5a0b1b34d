from __future__ import annotations

from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from tests.golden import REPOSITORY
from tools.results.plan import plan_runs
from tools.results.settings import load_settings

EXPERIMENT = REPOSITORY / "tools" / "results" / "localization.yaml"
PLANNED = plan_runs(load_settings(EXPERIMENT), Path("work"))


def parsed(run):
    parser = ConfigParser()
    parser.read_config(list(run.configs))
    for key, value in run.overrides.items():
        parser[key] = value
    parser["labels"] = ["a"] * 8
    return parser


@pytest.mark.parametrize("run", [r for r in PLANNED if r.seed == 0], ids=lambda r: r.name)
def test_every_method_trains_the_same_way(run):
    """Backbone, resolution, budget, schedule and loss are those of the first method; the network alone differs."""
    here, first = parsed(run), parsed(PLANNED[0])
    for key in ("backbone", "spatial_size", "max_epochs", "batch_size", "learning_rate", "lr_scheduler", "optimizer"):
        assert here.get(key) == first.get(key), key
    network = here.get_parsed_content("network_def")
    assert sum(p.numel() for p in network.backbone.parameters()) == 11_170_240  # ResNet-18, one channel
    if run.method == "cam_dropblock":
        assert network.backbone.regularize4.drop_prob == 0.2


def test_first_seeds_come_first():
    seeds = [run.seed for run in PLANNED]
    assert seeds == sorted(seeds)
    assert len({run.folder for run in PLANNED}) == len(PLANNED)


def test_quick_is_less_of_everything_and_marked():
    quick = load_settings(EXPERIMENT, quick=True)
    assert quick["quick"]
    assert quick["phantoms"]["training"] < 1000
    runs = plan_runs(quick, Path("work"))
    assert {run.seed for run in runs} == {0}
    assert all(run.overrides["max_epochs"] <= 3 and run.previous is None for run in runs)
    assert {run.method for run in runs} == {run.method for run in PLANNED}


def test_a_gpu_trains_three_seeds_of_every_method(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    runs = plan_runs(load_settings(EXPERIMENT), Path("work"))
    assert len(runs) == 3 * len({run.method for run in PLANNED})
    quick = plan_runs(load_settings(EXPERIMENT, quick=True), Path("work"))
    assert {run.seed for run in quick} == {0}


def test_claims_name_methods_of_the_experiment():
    settings = load_settings(EXPERIMENT)
    for claim in settings["claims"]:
        assert {claim["first"], claim["second"]} <= set(settings["methods"])


def test_a_recipe_changes_with_settings_and_data_and_not_with_comments(tmp_path):
    run = PLANNED[0]
    commented = tmp_path / "train.yaml"
    commented.write_text("# more\n" + run.configs[0].read_text())
    configs = (commented, *run.configs[1:])
    other = type(run)(run.method, run.seed, run.bundle, configs, run.overrides, run.folder, run.previous)
    assert other.recipe("a") == run.recipe("a")
    assert run.recipe("b") != run.recipe("a")
    changed = type(run)(run.method, run.seed, run.bundle, run.configs, {"max_epochs": 1}, run.folder, run.previous)
    assert changed.recipe("a") != run.recipe("a")


def test_a_cycle_starts_where_the_one_before_was_best():
    settings = load_settings(EXPERIMENT)
    settings["cycles"] = [{"max_epochs": 7}, {"max_epochs": 4}]
    run = plan_runs(settings, Path("work"))[0]
    assert run.folder.name.endswith("-cycle2")
    assert run.previous.folder.name.endswith("-cycle1")
    assert run.previous.previous is None
    assert (run.overrides["max_epochs"], run.previous.overrides["max_epochs"]) == (4, 7)


def test_all_networks_can_start_from_one_trained_backbone():
    settings = load_settings(EXPERIMENT)
    settings["start"] = {"bundle": "cxr_gradcam_classification", "overrides": {"max_epochs": 3}}
    settings["cycles"] = [{"max_epochs": 2}, {"max_epochs": 1}]
    runs = plan_runs(settings, Path("work"))
    firsts = [run.previous for run in runs]
    assert {first.start.name for first in firsts} == {"start-seed0"}
    assert all(run.start is None for run in runs)
    assert runs[0].recipe("a") != PLANNED[0].recipe("a")
