import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.data.box_utils import box_iou

from cxr_common.boxes import (
    as_boxes,
    box_area,
    pairwise_intersection,
    pairwise_iobb,
    pairwise_iou,
    scale_boxes,
    xywh_to_xyxy,
    xyxy_to_xywh,
)

corner, extent = st.integers(0, 12), st.integers(1, 9)
box = st.tuples(corner, corner, extent, extent).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
some_boxes = st.lists(box, min_size=1, max_size=4).map(np.array)


def pixels(b):
    return {(x, y) for x in range(b[0], b[2]) for y in range(b[1], b[3])}


@given(a=some_boxes, b=some_boxes)
def test_overlaps_against_pixels_and_monai(a, b):
    iou, iobb = pairwise_iou(a, b), pairwise_iobb(a, b)
    for i, j in np.ndindex(len(a), len(b)):
        p, q = pixels(a[i]), pixels(b[j])
        assert pairwise_intersection(a, b)[i, j] == len(p & q)
        assert iou[i, j] == pytest.approx(len(p & q) / len(p | q), abs=1e-15)
        assert iobb[i, j] == pytest.approx(len(p & q) / len(p), abs=1e-15)
    monai = box_iou(torch.tensor(a, dtype=torch.float32), torch.tensor(b, dtype=torch.float32))
    np.testing.assert_allclose(iou, monai.numpy(), atol=1e-6)


@given(a=some_boxes, b=some_boxes, shift=st.integers(-5, 5), scale=st.sampled_from([0.5, 2, 3]))
def test_overlap_invariants(a, b, shift, scale):
    iou, iobb = pairwise_iou(a, b), pairwise_iobb(a, b)
    np.testing.assert_array_equal(iou, pairwise_iou(b, a).T)
    assert (np.diag(pairwise_iou(a, a)) == 1).all() and (iou <= iobb + 1e-15).all() and (iobb <= 1).all()
    for move in (lambda x: x + shift, lambda x: x * scale, flip):
        np.testing.assert_allclose(pairwise_iou(move(a), move(b)), iou, atol=1e-12)
        np.testing.assert_allclose(pairwise_iobb(move(a), move(b)), iobb, atol=1e-12)


def flip(x):
    return np.stack((30 - x[:, 2], x[:, 1], 30 - x[:, 0], x[:, 3]), axis=1)


@given(arrays(float, (3, 4), elements=st.integers(-50, 50)))
def test_forms_and_sizes_round_trip(x):
    np.testing.assert_array_equal(xyxy_to_xywh(xywh_to_xyxy(x)), x)
    back = scale_boxes(scale_boxes(x, (10, 20), (512, 256)), (512, 256), (10, 20))
    np.testing.assert_allclose(back, x, atol=1e-9)


def test_scale_has_one_factor_an_axis():
    assert scale_boxes([[1, 2, 3, 4]], (10, 20), (100, 40)).tolist() == [[10, 4, 30, 8]]


def test_empty_inverted_and_misshapen():
    assert as_boxes([]).shape == (0, 4) and pairwise_iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert box_area([[2, 2, 1, 5], [0, 0, 2, 3]]).tolist() == [0, 6]
    assert pairwise_iobb([[1, 1, 1, 1]], [[0, 0, 2, 2]]).item() == 0
    assert pairwise_iou([[1, 1, 1, 1]], [[1, 1, 1, 1]]).item() == 0
    with pytest.raises(ValueError, match=r"boxes must be \(n, 4\), got \(4,\)"):
        as_boxes([0, 0, 1, 1])
