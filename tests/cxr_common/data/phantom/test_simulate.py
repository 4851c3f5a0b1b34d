"""Findings put into a given picture: where they are, what they change, and what is refused."""

import numpy as np
import pytest
from scipy import ndimage

from cxr_common.data.phantom import PhantomConfig, make_phantom, simulate
from cxr_common.data.phantom.given_chest import split_lungs
from cxr_common.data.phantom.simulate import SIMULATED, simulate_findings
from cxr_common.errors import InputError

BRIGHTER = tuple(name for name in SIMULATED if name != "Pneumothorax")


def largest_part(mask):
    """A mask's largest connected part."""
    numbered, _ = ndimage.label(mask)
    return numbered == 1 + np.bincount(numbered.ravel())[1:].argmax()


@pytest.fixture(scope="module")
def chest():
    """A phantom without findings stands in for a radiograph: image, both lungs, left, right; 150 x 128."""
    phantom = make_phantom(5, 0, PhantomConfig(size=128), findings=())
    image = np.pad(phantom.image, ((10, 12), (0, 0)), mode="edge")
    left, right = (largest_part(phantom.anatomy[f"{side} lung"]) for side in ("left", "right"))
    left, right = (np.pad(mask, ((10, 12), (0, 0))) for mask in (left, right))
    return image, left | right, left, right


@pytest.mark.parametrize("finding", SIMULATED)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_change_is_where_the_mask_is(chest, finding, seed):
    image, lungs, *_ = chest
    result = simulate_findings(image, lungs, [finding], seed=seed)
    mask = result.masks[finding]
    change = result.image - image
    assert result.image.shape == mask.shape == image.shape
    assert result.image.dtype == np.float32 and mask.dtype == bool
    assert result.image.min() >= 0 and result.image.max() <= 1
    assert mask.any() and not (mask & ~lungs).any()
    assert not change[~ndimage.binary_dilation(lungs, iterations=4)].any()
    near = ndimage.binary_dilation(mask, iterations=4)
    if finding == "Pneumothorax":  # the lung is displaced: darker beyond the line, a little denser within
        assert change[mask].mean() < -0.005
    else:
        assert change[mask].mean() > 0.02
        assert np.abs(change[near]).sum() > 0.8 * np.abs(change).sum()


@pytest.mark.parametrize("finding", SIMULATED)
def test_boxes_are_those_of_the_mask(chest, finding):
    image, lungs, *_ = chest
    result = simulate_findings(image, lungs, [finding], seed=3)
    union = np.zeros_like(lungs)
    for name, x0, y0, x1, y1 in result.boxes:
        if name == finding:
            part = result.masks[finding][y0:y1, x0:x1]
            assert part[0].any() and part[-1].any() and part[:, 0].any() and part[:, -1].any()
            union[y0:y1, x0:x1] = True
    assert not (result.masks[finding] & ~union).any()
    assert {box[0] for box in result.boxes} == set(result.masks)
    assert set(result.masks) == ({finding, "Opacity"} if finding == "Consolidation" else {finding})


def test_same_seed_same_result_and_findings_do_not_move_each_other(chest):
    image, lungs, *_ = chest
    first = simulate_findings(image, lungs, ["Nodule"], seed=4)
    again = simulate_findings(image, lungs, ["Nodule"], seed=4)
    both = simulate_findings(image, lungs, ["Effusion", "Nodule"], seed=4)
    other = simulate_findings(image, lungs, ["Nodule"], seed=5)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.masks["Nodule"], both.masks["Nodule"])
    assert not np.array_equal(first.masks["Nodule"], other.masks["Nodule"])
    assert set(both.masks) == {"Effusion", "Nodule"}


@pytest.mark.parametrize("finding", BRIGHTER)
def test_contrast_raises_the_change(chest, finding):
    image, lungs, *_ = chest
    changes = []
    for contrast in (0.25, 0.5, 1.0):
        result = simulate_findings(image, lungs, [finding], seed=2, contrast=contrast)
        changes.append(float((result.image - image)[result.masks[finding]].mean()))
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("finding", ["Nodule", "Mass", "Consolidation"])
def test_scale_raises_the_area(chest, finding):
    image, lungs, *_ = chest
    areas = [
        np.mean([simulate_findings(image, lungs, [finding], seed=s, scale=k).masks[finding].sum() for s in range(4)])
        for k in (0.7, 1.0, 1.4)
    ]
    assert areas[0] < areas[1] < areas[2]


def test_lungs_may_come_apart_or_alone(chest):
    image, lungs, left, right = chest
    joined = simulate_findings(image, lungs, ["Mass"], seed=1)
    apart = simulate_findings(image, {"left": left, "right": right}, ["Mass"], seed=1)
    np.testing.assert_array_equal(joined.masks["Mass"], apart.masks["Mass"])
    nothing = np.zeros_like(left)
    for finding in SIMULATED:
        for given in ({"left": left, "right": nothing}, left):
            alone = simulate_findings(image, given, [finding], seed=1)
            assert not (alone.masks[finding] & ~left).any()


def test_outline_of_lungs_that_touch_is_cut_between_them(chest):
    _, lungs, left, right = chest
    joined = lungs.copy()
    row = int(np.nonzero(lungs)[0].mean())
    columns = np.flatnonzero(lungs[row])
    joined[row : row + 3, columns[0] : columns[-1]] = True
    numbered = ndimage.label(joined)[0]
    assert numbered[row, columns[0]] == numbered[row, columns[-1]] != 0
    parts = split_lungs(joined)
    assert (parts[-1] & right).sum() > 0.97 * right.sum() and (parts[1] & left).sum() > 0.97 * left.sum()


@pytest.mark.parametrize("shape", [(64, 64), (90, 300), (300, 170)])
def test_any_size_and_aspect(shape):
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    lungs = (np.abs(np.abs(x - 0.5) - 0.2) < 0.13) & (np.abs(y - 0.5) < 0.35)
    image = np.where(lungs, 0.3, 0.75)
    for finding in SIMULATED:
        result = simulate_findings(image, lungs, finding, seed=1)
        assert result.image.shape == shape
        assert np.abs(result.image - image)[result.masks[finding]].max() > 0.01


def test_no_findings_change_nothing(chest):
    image, lungs, *_ = chest
    result = simulate_findings(image, lungs, [])
    np.testing.assert_array_equal(result.image, image)
    assert result.masks == {} and result.boxes == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"findings": ["Cardiomegaly"]}, "Cardiomegaly cannot be put"),
        ({"findings": ["Nodule", "Fracture"]}, "unknown Fracture"),
        ({"image": np.zeros((128, 128, 3))}, "at least 64 x 64"),
        ({"image": np.zeros((40, 200))}, "at least 64 x 64"),
        ({"image": np.zeros((150, 128), int)}, "type is int"),
        ({"image": np.full((150, 128), 1.01)}, "scale them"),
        ({"image": np.full((150, 128), -0.1)}, "scale them"),
        ({"image": np.full((150, 128), np.nan)}, "not finite"),
        ({"lung_mask": np.ones((128, 150), bool)}, "shape is"),
        ({"lung_mask": np.zeros((150, 128), bool)}, "is empty"),
        ({"lung_mask": np.ones((150, 128))}, "type is float64"),
        ({"lung_mask": {"left": np.ones((150, 128), bool)}}, "give left and right"),
        ({"contrast": 0.0}, "contrast"),
        ({"scale": 9.0}, "scale"),
        ({"seed": -1}, "seed"),
    ],
)
def test_refuses_bad_arguments(chest, change, message):
    arguments = {"image": chest[0], "lung_mask": chest[1], "findings": ["Nodule"]} | change
    with pytest.raises(InputError, match=message):
        simulate_findings(**arguments)


def test_refuses_lungs_without_room(chest, monkeypatch):
    image, lungs, *_ = chest
    speck = np.zeros(image.shape, bool)
    speck[60, 40] = True
    with pytest.raises(InputError, match="only 1 pixels"):
        simulate_findings(image, speck, ["Mass"])
    monkeypatch.setitem(simulate._SMALLEST, "Nodule", 0.9)
    with pytest.raises(InputError, match="no room for Nodule"):
        simulate_findings(image, lungs, ["Nodule"])
