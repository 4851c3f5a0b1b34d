"""Phantoms as a set: determinism, labels, how often a finding occurs, and speed."""

import time
from collections import Counter

import numpy as np
import pytest

from cxr_common.data.phantom import FINDINGS, PhantomConfig, make_phantom
from cxr_common.data.phantom.generate import draw_findings
from cxr_common.data.phantom.outline import outline
from cxr_common.errors import InputError
from cxr_common.labels import LABELS

TINY = PhantomConfig(size=64)


@pytest.fixture(scope="module")
def phantoms():
    return [make_phantom(9, index, TINY) for index in range(200)]


def test_seed_and_index_give_the_picture_in_any_order(phantoms):
    for index in (31, 4):
        again = make_phantom(9, index, TINY)
        np.testing.assert_array_equal(again.image, phantoms[index].image)
        assert again.boxes == phantoms[index].boxes
    assert len({p.image.tobytes() for p in phantoms}) == len(phantoms)
    assert not np.array_equal(make_phantom(10, 4, TINY).image, phantoms[4].image)


def test_pictures_are_float32_in_0_to_1(phantoms):
    for phantom in phantoms:
        assert phantom.image.shape == (64, 64) and phantom.image.dtype == np.float32
        assert phantom.image.min() >= 0 and phantom.image.max() <= 1
        assert phantom.image.std() > 0.1
        assert phantom.spacing == (6.25, 6.25)
        assert phantom.view in ("PA", "AP") and phantom.sex in ("F", "M") and 18 <= phantom.age <= 95


def test_label_is_in_the_shared_order_and_of_what_is_drawn(phantoms):
    for phantom in phantoms:
        assert phantom.label == [int(name in phantom.masks) for name in LABELS]
        assert set(phantom.masks) - {"Opacity"} <= set(phantom.findings)
        assert ("Opacity" in phantom.masks) == ("Consolidation" in phantom.masks)
        assert all(type(name) is str for name in phantom.findings)
    for finding in FINDINGS:
        label = make_phantom(0, 5, PhantomConfig(size=128), (finding,)).label
        present = {LABELS[i] for i, value in enumerate(label) if value}
        assert present == ({finding, "Opacity"} if finding == "Consolidation" else {finding})


def test_boxes_enclose_the_masks_exactly(phantoms):
    for phantom in phantoms:
        assert {box[0] for box in phantom.boxes} == set(phantom.masks)
        for name, mask in phantom.masks.items():
            assert mask.dtype == bool and mask.any()
            union = np.zeros_like(mask)
            for _, x0, y0, x1, y1 in (box for box in phantom.boxes if box[0] == name):
                part = mask[y0:y1, x0:x1]
                assert part.shape == (y1 - y0, x1 - x0)
                assert part[0].any() and part[-1].any() and part[:, 0].any() and part[:, -1].any()
                union[y0:y1, x0:x1] = True
            assert not (mask & ~union).any()


def test_outline_gives_a_box_a_lesion_and_one_where_lesions_touch():
    masks = [np.zeros((10, 20), bool) for _ in range(3)]
    masks[0][1:3, 2:6] = True
    masks[1][3:5, 6:9] = True  # touches the first at a corner
    masks[2][7:9, 15:16] = True
    outlined, boxes = outline({"Nodule": masks, "Mass": [np.zeros((10, 20), bool)]})
    assert set(outlined) == {"Nodule"} and outlined["Nodule"].sum() == 8 + 6 + 2
    assert sorted(boxes) == [("Nodule", 2, 1, 9, 5), ("Nodule", 15, 7, 16, 9)]
    assert outline({"Consolidation": masks[2:]})[1] == [
        ("Consolidation", 15, 7, 16, 9),
        ("Opacity", 15, 7, 16, 9),
    ]


def test_findings_are_drawn_as_often_as_asked():
    rng = np.random.default_rng(0)
    prevalence = {"Mass": 3.0, "Nodule": 1.0, "Effusion": 0.0}
    config = PhantomConfig(no_finding=0.4, prevalence=prevalence, max_findings=1)
    drawn = Counter(draw_findings(config, rng) for _ in range(3000))
    assert set(drawn) == {(), ("Mass",), ("Nodule",)}
    assert drawn[()] / 3000 == pytest.approx(0.4, abs=0.03)
    assert drawn[("Mass",)] / drawn[("Nodule",)] == pytest.approx(3, rel=0.2)
    several = [draw_findings(PhantomConfig(no_finding=0.0), rng) for _ in range(1000)]
    assert {len(names) for names in several} == {1, 2, 3}
    assert all(len(set(names)) == len(names) for names in several)
    assert {len(draw_findings(PhantomConfig(no_finding=0.0, max_findings=2), rng)) for _ in range(300)} == {1, 2}


def test_a_set_has_the_asked_part_without_findings(phantoms):
    assert sum(not p.findings for p in phantoms) / len(phantoms) == pytest.approx(TINY.no_finding, abs=0.08)
    counts = Counter(name for p in phantoms for name in p.findings)
    assert min(counts[name] for name in FINDINGS) > 0.5 * max(counts.values())
    assert not any(make_phantom(9, i, PhantomConfig(size=64, no_finding=1.0)).findings for i in range(20))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, 0, TINY, ("Fracture",)), "unknown Fracture"), ((0, -1, TINY), "index -1"), ((-1, 0, TINY), "seed -1")],
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        make_phantom(*arguments)


@pytest.mark.slow
def test_makes_ten_pictures_a_second():
    make_phantom(0, 0)
    start = time.perf_counter()
    for index in range(40):
        make_phantom(0, index)
    assert 40 / (time.perf_counter() - start) > 10
