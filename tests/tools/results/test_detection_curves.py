from __future__ import annotations

import pytest

from tests.tools.results.test_detection import EXPERIMENT, predictions
from tools.results.detection_curves import curve_points, curves_figure, points_of, report
from tools.results.detection_tables import curves
from tools.results.settings import load_experiment


@pytest.fixture(scope="module")
def record():
    settings = load_experiment(EXPERIMENT)
    given = {"oxnet": 8, "oxnet_label_0": 4, "oxnet_boxes_390": 8}
    found = report("oxnet", {name: [predictions(n)] for name, n in given.items()})
    missing = sorted(points_of(settings) - set(given))
    return {"recipe": settings, "quick": False, "missing": missing, **found}


def test_points_lie_in_rising_order_and_meet_in_the_method(record):
    images = record["recipe"]["images"]
    assert curve_points(record)["label"] == [(0, "oxnet_label_0"), (images["label"], "oxnet")]
    assert curve_points(record)["boxes"] == [(images["boxes"], "oxnet"), (390, "oxnet_boxes_390")]
    assert curve_points(record)["unlabelled"] == [(images["unlabelled"], "oxnet")]
    assert len(points_of(record["recipe"])) == 6


def test_points_are_compared_with_where_curves_meet(record):
    assert record["values"]["oxnet"]["value"] == pytest.approx(1)
    assert record["difference"]["oxnet_label_0"]["value"] < -0.3
    assert record["difference"]["oxnet_boxes_390"]["value"] == 0
    assert "oxnet" not in record["difference"]


def test_the_table_says_what_is_missing(record):
    text = curves(record)
    assert "| 0 images with a label only |" in text
    assert "40 with boxes" in text.split("Planned and not trained yet:")[1]


def test_the_figure_has_a_panel_a_kind(record):
    figure = curves_figure(record)
    assert len(figure.axes) == 3
    heights = [line.get_ydata() for line in figure.axes[1].lines[:1]]
    assert list(heights[0]) == [record["values"][name]["value"] for name in ("oxnet_label_0", "oxnet")]
