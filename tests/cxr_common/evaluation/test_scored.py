from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cxr_common.evaluation.scored import Scored
from cxr_common.labels import LABELS
from tests.tools.results.test_localizers import make

NODULE = LABELS.index("Nodule")


@pytest.fixture(scope="module")
def one():
    return Scored.of(make(0.7, 1.0, 5))


def test_hits_of_a_subset_are_those_of_its_images():
    one = Scored.of(make(0.5, 1.0, 5))
    keep = np.arange(60) % 3 == 0
    part = one.subset(keep)
    again = Scored.of(one.predictions.subset(keep))
    np.testing.assert_array_equal(part.points, again.points)
    for name, table in again.overlaps.items():
        np.testing.assert_array_equal(part.overlaps[name], table)


def test_scoring_on_some_classes_keeps_their_columns(one):
    part = one.of_labels(["Nodule", "Mass"])
    np.testing.assert_array_equal(part.predictions.logits[:, 0], one.predictions.logits[:, NODULE])
    np.testing.assert_array_equal(part.points[:, 0], one.points[:, NODULE])
    assert part.predictions.labels == ["Nodule", "Mass"]


def test_a_class_that_is_left_out_has_no_hits(one):
    left = one.without("Opacity")
    assert np.isnan(left.points[:, LABELS.index("Opacity")]).all()
    np.testing.assert_array_equal(left.points[:, NODULE], one.points[:, NODULE])


def test_figures_are_functions_of_image_weights(one):
    ones = np.ones((1, 60))
    assert one.statistic("point", "Nodule")(ones) == pytest.approx([np.nanmean(one.points[:, NODULE])])
    name = "mask T(IoU) > 0.1"
    assert one.statistic(name, "micro")(ones) == pytest.approx([np.nanmean(one.overlaps[name])])
    told = one.statistic("auroc", "Nodule")(ones), one.statistic("ap", "Nodule")(ones)
    assert 0.5 < told[0][0] < 1 and told[0] != pytest.approx(told[1])


def test_arrays_give_it_back_and_hold_hits_only(one):
    back = Scored.from_arrays(one.arrays(), one.predictions.items, list(LABELS))
    np.testing.assert_array_equal(back.points, one.points)
    np.testing.assert_array_equal(back.predictions.logits, one.predictions.logits)
    assert list(back.overlaps) == list(one.overlaps)
    with pytest.raises(ValueError, match="0, 1 and NaN"):
        dataclasses.replace(one, points=one.points / 2).arrays()
