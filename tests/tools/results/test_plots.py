from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.labels import LABELS
from cxr_common.localization.gallery import gallery_figure
from tests.golden import REPOSITORY
from tools.results.plots import bars, draw_once
from tools.results.record import read_result
from tools.results.tables import mean_relevance, scored_methods


@pytest.fixture(scope="module")
def record():
    return read_result(REPOSITORY / "docs" / "results" / "localization.json")


def test_bars_show_every_scored_method(record):
    figure = bars(record)
    ticks = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert len(ticks) == len(scored_methods(record))
    assert all(tick.startswith(title) for tick, title in zip(ticks, scored_methods(record).values()))
    point = record["tests"]["phantoms"]["figures"]["point"]["micro"]
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([point["methods"][m]["value"] for m in scored_methods(record)])


def test_the_gallery_has_a_row_a_boxed_class_and_a_column_a_method(record, tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "x.png")
    nodule = LABELS.index("Nodule")
    maps = np.full((1, 8, 8, 8), -4, np.float16)
    maps[0, nodule, 6, 1] = 4
    items = [{"image": str(tmp_path / "x.png"), "boxes": [[48, 8, 56, 16]], "box_labels": [nodule]}]
    names = scored_methods(record)
    figure = gallery_figure(items, dict.fromkeys(names.values(), maps[:, nodule]))
    assert len(figure.axes) == 1 + len(names)
    x, y = (float(line[0]) for line in figure.axes[1].lines[0].get_data())
    assert 48 < x < 56
    assert 8 < y < 16  # the cross lies in the box: x to the right, y down


def test_plots_of_another_record_are_not_taken_for_those_of_this_one(record, tmp_path):
    path, drawn = tmp_path / "bars.png", []

    def draw():
        drawn.append(1)
        return bars(record)

    for one in (record, record, {**record, "inputs_sha256": "another"}):
        draw_once(path, one, draw)
        with Image.open(path) as picture:
            assert picture.info["Source"] == one["inputs_sha256"]
    assert len(drawn) == 2


def test_relevance_is_averaged_over_seeds():
    runs = {
        "multiscale-seed0": {"A": {"stride 16": 0.8, "stride 4": 0.2}},
        "multiscale-seed1": {"A": {"stride 16": 0.6, "stride 4": 0.4}},
        "single-seed0": {},
    }
    assert mean_relevance(runs)["A"] == pytest.approx({"stride 4": 0.3, "stride 16": 0.7})
    assert list(mean_relevance(runs)["A"]) == ["stride 4", "stride 16"]
