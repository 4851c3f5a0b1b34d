from __future__ import annotations

import numpy as np
import pytest

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.metrics import cardiothoracic_ratio


def chest():
    """A chest of 100 columns with a heart of 45, axes x then y."""
    heart, lungs = np.zeros((200, 100), bool), np.zeros((200, 100), bool)
    lungs[50:95, 20:60] = lungs[110:150, 20:60] = True
    lungs[60:95, 10:20] = lungs[110:140, 10:20] = True
    heart[85:130, 40:70] = True
    return heart, lungs


def test_width_of_the_heart_over_the_widest_row_of_the_lungs():
    heart, lungs = chest()
    assert cardiothoracic_ratio(heart, lungs) == pytest.approx(0.45)
    stretched = np.repeat(heart, 3, axis=0), np.repeat(lungs, 3, axis=0)
    assert cardiothoracic_ratio(*stretched) == pytest.approx(0.45)
    assert cardiothoracic_ratio(heart[::-1], lungs[::-1]) == pytest.approx(0.45)


def test_crumbs_count_in_neither_mask():
    heart, lungs = chest()
    heart[3:5, 3:5] = lungs[190:194, 30:34] = True
    assert cardiothoracic_ratio(heart, lungs) == pytest.approx(0.45)


@pytest.mark.parametrize("empty", [0, 1])
def test_an_empty_mask_has_no_ratio(empty):
    masks = list(chest())
    masks[empty] = np.zeros_like(masks[empty])
    assert np.isnan(cardiothoracic_ratio(*masks))


def test_phantoms_with_cardiomegaly_have_a_ratio_above_a_half():
    def ratio(index, findings):
        anatomy = make_phantom(5, index, PhantomConfig(size=128), findings).anatomy
        return cardiothoracic_ratio(anatomy["heart"].T, (anatomy["left lung"] | anatomy["right lung"]).T)

    assert max(ratio(i, ()) for i in range(8)) < 0.52 < min(ratio(i, ("Cardiomegaly",)) for i in range(8))
