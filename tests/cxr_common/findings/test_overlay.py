import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxr_common.findings import render_overlay
from cxr_common.findings.annotate import _resized, annotate
from cxr_common.findings.palette import PALETTE, class_colour, text_colour
from cxr_common.findings.tags import overlap, place_tags


def finding(label, boxes=(), probability=0.9):
    boxes = [{"box": list(box), "score": probability} for box in boxes]
    return {"label": label, "probability": probability, "threshold": 0.5, "decision": bool(boxes), "boxes": boxes}


def changed(picture, grey):
    """Bounding box (x0, y0, x1, y1) of what differs from the radiograph."""
    rows, columns = np.nonzero(np.abs(np.asarray(picture, int) - np.asarray(grey, int)[..., None]).max(-1) > 4)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_only_the_surroundings_of_a_finding_change():
    # A box at the top right of a picture twice as large as the original.
    grey = Image.new("L", (400, 200), 80)
    mask = np.zeros((200, 100), bool)
    mask[160:190, 30:50] = True
    picture = annotate(grey, [finding("A", [(160, 30, 190, 50)])], mask[None].astype(float), {"A": mask}, (200, 100))
    x0, y0, x1, y1 = changed(picture, grey)
    assert x0 >= 300  # the tag is wider than the box
    assert 20 <= y0 < 60
    assert 378 <= x1 <= 400
    assert 98 <= y1 <= 106
    inside = np.asarray(picture)[80, 350]
    assert inside[0] > inside[2]  # tinted orange


def test_a_finding_with_an_area_is_a_contour_without_rectangle_and_heat():
    grey = Image.new("L", (300, 300), 80)
    mask = np.zeros((300, 300), bool)
    mask[100:200, 100:110] = mask[100:120, 100:200] = True  # a corner, whose box is mostly empty
    item = finding("A", [(100, 100, 200, 200)])
    drawn = [
        np.asarray(annotate(grey, [item | more], np.ones((1, 8, 8)), {"A": mask}, (300, 300)))
        for more in ({}, {"area_px": int(mask.sum()), "area_mm2": None})
    ]
    for picture, localized in zip(drawn, (True, False), strict=True):
        rows = picture[130:180]
        assert (rows[:, 197:204] != 80).any() == localized  # the right edge of the box
        assert (rows[:, 106:114] != 80).any() == localized  # heat inside the mask
        assert (rows[:, 117:121] != 80).any()  # the contour


@given(st.integers(0, 10**6), st.integers(20, 900), st.integers(20, 900), st.floats(0.2, 3))
@settings(max_examples=40, deadline=None)
def test_a_part_is_what_the_whole_picture_has_there(seed, width, height, scale):
    rng, size = np.random.default_rng(seed), (round(width * scale), round(height * scale))
    x0, x1 = sorted(rng.integers(0, size[0] + 1, 2))
    y0, y1 = sorted(rng.integers(0, size[1] + 1, 2))
    place = (int(x0), int(y0), int(x1) + 1, int(y1) + 1) if x1 < size[0] and y1 < size[1] else (0, 0, *size)
    for values in (rng.random((width, height)) < 0.5, rng.random((width, height)).astype(np.float32)):
        whole = np.asarray(_resized(values, size, (0, 0, *size)), int)
        part = np.asarray(_resized(values, size, place), int)
        assert np.abs(part - whole[place[1] : place[3], place[0] : place[2]]).max() <= 2


def test_an_empty_mask_draws_nothing_and_one_at_the_edge_is_drawn_to_the_edge():
    grey, mask = Image.new("L", (200, 100), 80), np.zeros((100, 50), bool)
    shown = finding("A", [(0, 0, 9, 9)]) | {"boxes": []}
    empty = annotate(grey, [shown], np.ones((1, 8, 8)), {"A": mask}, (100, 50))
    assert (np.asarray(empty) == 80).all()
    mask[90:, 40:] = True
    picture = np.asarray(annotate(grey, [shown], np.ones((1, 8, 8)), {"A": mask}, (100, 50)))
    assert (picture[-1, -1] != 80).any() and (picture[:70, :170] == 80).all()


def test_truth_has_no_heat_and_no_score():
    grey = Image.new("L", (300, 300), 80)
    mask = np.zeros((300, 300), bool)
    mask[100:200, 100:200] = True
    item = finding("A", [(100, 100, 200, 200)])
    item["boxes"][0]["score"] = None
    picture = np.asarray(annotate(grey, [item], None, {"A": mask}, (300, 300)))
    assert (picture[120:180, 120:180] == 80).all()
    assert changed(picture, grey)[:2] != (0, 0)


def test_heat_of_all_classes_leaves_the_radiograph_visible():
    stripes = np.tile(np.array([40, 200], np.uint8), (100, 50))
    grey = Image.fromarray(stripes)
    names = [f"c{i}" for i in range(8)]
    full = np.ones((100, 100), bool)
    findings = [finding(name, [(0, 0, 100, 100)]) for name in names]
    picture = annotate(grey, findings, np.ones((8, 100, 100)), dict.fromkeys(names, full), (100, 100))
    row = np.asarray(picture, float)[95, 20:80].mean(-1)
    assert row.max() - row.min() > 0.5 * (200 - 40)


@pytest.mark.parametrize("size", [(1, 1), (3000, 40), (40, 3000)])
def test_sheet_of_odd_sizes(size):
    record = {"case": "ä" * 300, "size": list(size), "findings": [finding("A", [(0, 0, *size)])]}
    sheet = render_overlay(
        np.zeros(size), record, np.ones((1, 4, 4)), {"A": np.ones(size, bool)}, {"name": "m", "version": "1"}
    )
    assert sheet.width == 1120
    assert sheet.height < 1300


coordinate = st.integers(0, 380)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=8))
def test_tags_stay_inside_and_apart(corners):
    boxes = [(x, y, x + 20, y + 20) for x, y in corners]
    tags = place_tags(boxes, [(60, 20)] * len(boxes), (0, 0, 400, 400))
    for index, tag in enumerate(tags):
        assert tag[0] >= 0
        assert tag[1] >= 0
        assert tag[2] <= 400
        assert tag[3] <= 400
        assert all(overlap(tag, other) == 0 for other in tags[:index])


def test_colours_differ_and_their_text_reads():
    assert len(set(PALETTE)) == 8
    assert class_colour(8) == class_colour(0)
    assert text_colour((255, 255, 255)) == (0, 0, 0)
    assert text_colour((0, 0, 80)) == (255, 255, 255)


def test_heat_has_the_colour_of_its_class_and_mixes_where_classes_overlap():
    grey = Image.new("L", (200, 200), 0)
    masks = {"A": np.zeros((200, 200), bool), "B": np.zeros((200, 200), bool)}
    masks["A"][20:140, 20:180], masks["B"][60:180, 20:180] = True, True
    findings = [finding("A", [(20, 20, 140, 180)]), finding("B", [(60, 20, 180, 180)])]
    picture = np.asarray(annotate(grey, findings, np.ones((2, 8, 8)), masks, (200, 200)), float)[100]
    a, b = (0.38 * np.array(class_colour(index)) for index in (0, 1))
    np.testing.assert_allclose(picture[40], a, atol=2)
    np.testing.assert_allclose(picture[160], b, atol=2)
    np.testing.assert_allclose(picture[100], (a + b) / 2, atol=2)
