from __future__ import annotations

import pytest

from tests.tools.results.test_detection import EXPERIMENT, predictions
from tools.results.detection import detection_test, with_curves
from tools.results.plots import curves
from tools.results.settings import load_settings
from tools.results.tables import curve_points, render_macro


@pytest.fixture(scope="module")
def record():
    settings = load_settings(EXPERIMENT)
    given = {"oxnet": 8, "oxnet_label_0": 4, "oxnet_boxes_390": 8}
    test = detection_test({name: {0: predictions(n)} for name, n in given.items()}, "oxnet")
    missing = sorted(set(with_curves(settings)) - set(settings["methods"]) - set(given))
    tests = {"phantoms": test.record().model_dump()}
    return {"recipe": settings, "quick": False, "missing": missing, "tests": tests, "claims": []}


def ap(record):
    return record["tests"]["phantoms"]["figures"]["AP40"]["macro"]


def test_points_lie_in_rising_order_and_meet_in_the_method(record):
    images = record["recipe"]["images"]
    points = curve_points(record["recipe"])
    assert points["label"] == [(0, "oxnet_label_0"), (390, "oxnet_label_390"), (images["label"], "oxnet")]
    assert points["boxes"] == [(40, "oxnet_boxes_40"), (images["boxes"], "oxnet"), (390, "oxnet_boxes_390")]
    names = {name for kind in points.values() for _, name in kind}
    assert names == set(with_curves(record["recipe"])) - set(record["recipe"]["methods"]) | {"oxnet"}


def test_points_are_compared_with_where_curves_meet(record):
    assert ap(record)["methods"]["oxnet"]["value"] == pytest.approx(1)
    assert ap(record)["difference"]["oxnet_label_0"]["value"] < -0.3
    assert ap(record)["difference"]["oxnet_boxes_390"]["value"] == 0
    assert "oxnet" not in ap(record)["difference"]


def test_the_table_says_what_is_missing(record):
    text = render_macro("detection", "curves", record)
    assert "| 0 images with a label only |" in text
    assert "40 with boxes" in text.split("Planned and not trained yet:")[1]


def test_the_figure_has_a_panel_a_kind(record):
    figure = curves(record)
    assert len(figure.axes) == 3
    heights = [line.get_ydata() for line in figure.axes[1].lines[:1]]
    assert list(heights[0]) == [ap(record)["methods"][name]["value"] for name in ("oxnet_label_0", "oxnet")]
