"""Findings of phantoms: where they lie, what they change, and the knobs of difficulty."""

import numpy as np
import pytest
from scipy import ndimage

from cxr_common.data.phantom import PhantomConfig, make_phantom

SMALL = PhantomConfig(size=96)
IN_LUNGS = ("Atelectasis", "Consolidation", "Effusion", "Mass", "Nodule", "Pneumothorax")


def lungs_of(phantom):
    return phantom.anatomy["left lung"] | phantom.anatomy["right lung"]


def cardiothoracic_ratio(phantom):
    """Width of the heart over that of the lungs."""
    heart, lungs = (np.flatnonzero(mask.any(axis=0)) for mask in (phantom.anatomy["heart"], lungs_of(phantom)))
    return np.ptp(heart) / np.ptp(lungs)


@pytest.mark.parametrize("finding", IN_LUNGS)
def test_change_is_where_the_mask_is(finding):
    for index in range(5):
        phantom, without = make_phantom(2, index, SMALL, (finding,)), make_phantom(2, index, SMALL, ())
        change = phantom.image - without.image
        mask = phantom.masks[finding]
        if finding == "Pneumothorax":  # so dark that the display of the whole picture changes
            assert change[mask].mean() < min(0, change[lungs_of(phantom) & ~mask].mean() - 0.03)
            continue
        assert change[mask].mean() > 0.01
        if finding != "Atelectasis":  # it may raise a hemidiaphragm
            np.testing.assert_array_equal(lungs_of(phantom), lungs_of(without))
            far = ~ndimage.binary_dilation(mask, iterations=5)
            assert np.abs(change[mask]).mean() > 3 * np.abs(change[far]).mean()


@pytest.mark.parametrize("finding", IN_LUNGS)
def test_findings_lie_in_the_lungs(finding):
    outside, area = 0, 0
    for index in range(10):
        phantom = make_phantom(3, index, SMALL, (finding,))
        mask = phantom.masks[finding]
        # A mass may reach behind the heart; the lungs' outlines end there.
        chest = lungs_of(phantom) | phantom.anatomy["heart"] if finding == "Mass" else lungs_of(phantom)
        outside += int((mask & ~ndimage.binary_dilation(chest)).sum())
        area += int(mask.sum())
    assert outside <= 0.05 * area


def test_lungs_and_heart_are_where_a_chest_has_them():
    for index in range(10):
        phantom = make_phantom(4, index, SMALL, ())
        columns = {name: np.nonzero(mask)[1].mean() for name, mask in phantom.anatomy.items()}
        assert columns["right lung"] < 40 < 56 < columns["left lung"]
        assert columns["right lung"] < columns["heart"] < columns["left lung"]
        heart, lungs = phantom.image[phantom.anatomy["heart"]].mean(), phantom.image[lungs_of(phantom)].mean()
        assert heart > lungs + 0.15


def test_large_hearts_are_more_than_half_as_wide_as_the_lungs_and_others_less():
    for index in range(30):
        large, normal = make_phantom(1, index, SMALL, ("Cardiomegaly",)), make_phantom(1, index, SMALL, ())
        assert cardiothoracic_ratio(large) > 0.5 > cardiothoracic_ratio(normal)
        np.testing.assert_array_equal(large.masks["Cardiomegaly"], large.anatomy["heart"])


@pytest.mark.parametrize("finding", ["Atelectasis", "Consolidation", "Effusion", "Mass", "Nodule"])
def test_contrast_raises_the_change(finding):
    changes, faint = [], PhantomConfig(size=96, contrast=1e-6)
    for contrast in (0.25, 0.5, 1.0):
        config = PhantomConfig(size=96, contrast=contrast)
        change = 0.0
        for index in range(4):
            phantom = make_phantom(6, index, config, (finding,))
            without = make_phantom(6, index, faint, (finding,))  # the same patient
            change += float((phantom.image - without.image)[phantom.masks[finding]].mean())
        changes.append(change)
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("finding", ["Nodule", "Mass", "Consolidation", "Atelectasis"])
def test_scale_raises_the_area(finding):
    areas = []
    for scale in (0.7, 1.0, 1.4):
        config = PhantomConfig(size=128, scale=scale)
        masks = [make_phantom(7, index, config, (finding,)).masks for index in range(6)]
        areas.append(sum(int(mask[finding].sum()) for mask in masks if finding in mask))
    assert areas[0] < areas[1] < areas[2]


def test_masses_are_larger_than_nodules():
    config = PhantomConfig(size=128)
    widths = {"Mass": [], "Nodule": []}
    for finding, found in widths.items():
        for index in range(8):
            phantom = make_phantom(8, index, config, (finding,))
            found += [(x1 - x0) * phantom.spacing[0] for _, x0, _, x1, _ in phantom.boxes]
    assert max(widths["Nodule"]) < 30 < np.median(widths["Mass"])  # mm; two nodules that touch are rare


def test_two_findings_share_a_picture():
    phantom = make_phantom(0, 1, SMALL, ("Nodule", "Effusion"))
    assert set(phantom.masks) == {"Nodule", "Effusion"}
    assert {box[0] for box in phantom.boxes} == {"Nodule", "Effusion"}
