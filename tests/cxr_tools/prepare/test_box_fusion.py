import pytest

from cxr_tools.prepare.box_fusion import fuse_boxes


def test_overlapping_boxes_of_a_class_become_their_mean():
    one, two = [0.0, 0.0, 100.0, 100.0], [10.0, 0.0, 110.0, 100.0]
    assert fuse_boxes([[(one, 3)], [(two, 3)], []], 0.5) == [([5.0, 0.0, 105.0, 100.0], 3)]


@pytest.mark.parametrize("classes", [(3, 3), (3, 4)])
def test_others_stay(classes):
    far = [0.0, 0.0, 10.0, 10.0], [50.0, 50.0, 900.0, 900.0]
    overlap = far if classes == (3, 3) else (far[1], far[1])
    found = fuse_boxes([[(overlap[0], classes[0])], [(overlap[1], classes[1])]], 0.5)
    assert [(pytest.approx(box), index) for box, index in found] == [*zip(overlap, classes)]


def test_one_box_needs_no_fusion():
    assert fuse_boxes([[([1.0, 2.0, 3.0, 4.0], 0)], []], 0.5) == [([1.0, 2.0, 3.0, 4.0], 0)]
