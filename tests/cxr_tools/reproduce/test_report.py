"""Figures beside those of the paper, and the recipes' own files."""

from __future__ import annotations

import json

import pytest

from cxr_common.data import write_datalist
from cxr_common.start.overrides import check_overrides
from cxr_tools.reproduce.recipe import Recipe, read_recipe, recipe_names
from cxr_tools.reproduce.report import figure_rows, write_report
from tools.repository import BUNDLES

SPAN = {"value": 0.5, "low": 0.4, "high": 0.6}
FIGURE = {
    "name": "points",
    "of": "evaluate",
    "at": ["localization", "point"],
    "published": [
        {"by": "A", "source": "x", "micro": 0.616, "per_class": {"Mass": 0.7, "Hernia": 0.0}},
        {"by": "B", "source": "y", "micro": 1.0},
    ],
}
METRICS = {"localization": {"point": {"micro": SPAN, "macro": SPAN, "per_class": {"Mass": SPAN, "Edema": SPAN}}}}


def test_rows_of_what_is_measured_or_published():
    rows = {row["figure"]: row for row in figure_rows(FIGURE, {"evaluate": METRICS})}
    assert list(rows) == ["points, micro", "points, macro", "points, Mass", "points, Edema", "points, Hernia"]
    assert rows["points, micro"]["published"] == [".616", "1"] and rows["points, macro"]["published"] == []
    assert rows["points, Hernia"]["measured"] is None and rows["points, Hernia"]["published"] == ["0"]
    assert [row["measured"] for row in figure_rows(FIGURE, {})] == [None] * 3


def test_a_figure_that_is_one_interval():
    [row] = figure_rows({"name": "AP40", "of": "e", "at": ["all", "AP40"]}, {"e": {"all": {"AP40": SPAN}}})
    assert row["figure"] == "AP40" and row["measured"] == SPAN


@pytest.mark.parametrize(("count", "whole"), [(100, True), (96, True), (60, False)])
def test_the_page_says_whether_it_is_the_papers_data(tmp_path, count, whole):
    items = [{"image": f"{n}.png"} for n in range(count)]
    write_datalist({"labels": ["Mass"], "testing": items}, tmp_path / "d.json")
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS), encoding="utf-8")
    recipe = Recipe("r", "Title", "paper", (), "", {"testing": 100}, (FIGURE,))
    page = write_report(recipe, tmp_path / "d.json", {"evaluate": tmp_path / "metrics.json"}, tmp_path)
    assert ("cannot be compared" in page) != whole and "| points, micro | .50 [.40, .60] | .616; 1 | [1], [2] |" in page
    assert "[1] A: x" in page and json.loads((tmp_path / "reproduce.json").read_text("utf-8"))["whole"] is whole


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_name_what_there_is(name):
    recipe = read_recipe(name)
    names = {step.name for step in recipe.steps} | ({"segmenter"} if recipe.pipeline else set())
    assert {figure["of"] for figure in recipe.figures} <= names and recipe.prepare and recipe.hardware
    for step in recipe.steps:
        configs = [BUNDLES / step.bundle / "configs" / config for config in step.configs]
        assert all(config.is_file() for config in configs)
        check_overrides(configs, step.overrides, step.name)
