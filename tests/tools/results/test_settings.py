from __future__ import annotations

import pytest
import yaml

from tests.golden import REPOSITORY
from tools.results.plan import plan_runs
from tools.results.settings import load_settings

FOLDER = REPOSITORY / "tools" / "results"


@pytest.mark.parametrize("name", ["detection", "segmentation", "refinement"])
def test_an_experiment_shares_the_phantoms_of_another(name):
    settings = load_settings(FOLDER / f"{name}.yaml")
    other = yaml.safe_load((FOLDER / "localization.yaml").read_text())
    assert settings["phantoms"] == other["phantoms"]
    assert "nih" not in settings
    assert load_settings(FOLDER / f"{name}.yaml", shares=("phantoms", "nih"))["nih"] == other["nih"]


@pytest.mark.parametrize("name", ["detection", "segmentation", "refinement"])
def test_quick_is_less_of_everything_and_marked(name):
    whole, quick = (load_settings(FOLDER / f"{name}.yaml", quick=q) for q in (False, True))
    assert (whole["quick"], quick["quick"]) == (False, True)
    assert quick["phantoms"]["training"] < whole["phantoms"]["training"]
    assert quick["overrides"]["max_epochs"] < whole["overrides"].get(
        "max_epochs", 5
    )  # where not named, the bundle's own
    assert quick["overrides"].keys() >= whole["overrides"].keys()


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("name", ["results/localization", "nih/nih"])
def test_no_two_planned_trainings_are_the_same(name, quick, tmp_path):
    """An override that something else overrides makes a comparison of a method with itself."""
    runs = plan_runs(load_settings(FOLDER.parent / f"{name}.yaml", quick), tmp_path)
    recipes = {run.name: run.recipe("data") for run in runs}
    assert len(set(recipes.values())) == len(recipes), recipes
