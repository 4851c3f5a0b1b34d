"""RSNA Pneumonia Detection Challenge in its own layout, small; and the genuine table."""

from __future__ import annotations

import pytest

from tests.golden import SHARED, needs_radiographs

ROWS = ["p1,,,,,0", "p2,1.0,2.0,3.0,2.0,1", "p2,4.0,0.0,2.0,2.0,1", "p3,0,0,1,1,1"]


@pytest.fixture
def write(table, picture):
    for name in ("p1", "p2", "p3"):
        picture(f"stage_2_train_images/{name}.png")
    return lambda rows: table(
        "stage_2_train_labels.csv", "\n".join(["patientId,x,y,width,height,Target", *rows]) + "\n"
    )


def test_boxes_empty_and_several(prepare, write, table):
    write([*ROWS, ROWS[1]])  # a row twice is one box
    table("stage_2_detailed_class_info.csv", "patientId,class\np1,Normal\np2,Lung Opacity\np2,Lung Opacity\n")
    data, printed, _ = prepare("rsna", "--fractions", "0,0")
    none, two, _ = data["training"]
    assert none["boxes"] == [] and none["label"] == [0] and none["class"] == "Normal"
    assert two["boxes"] == [[1, 2, 4, 4], [4, 0, 6, 2]] and two["label"] == [1] and two["patient"] == "p2"
    assert "read: 5 rows of stage_2_train_labels.csv" in printed


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("p2,,,,,0", "line 6 column 'Target': is '0', in line 3 '1'; 0 or 1, the same in all rows of an image"),
        ("p3,1,1,0,2,1", "line 6 column 'width': makes an empty box"),
        ("p3,1,1,nan,2,1", "line 6 column 'width': makes an empty box"),
        ("p3,-5,1,2,2,1", "line 6 column 'width': makes a box that begins outside the image"),
        ("p3,,1,2,2,1", "line 6 column 'x': '' is not a number"),
        ("p3,1,1,2,2,1,9", "line 6: 7 cells for 6 columns"),
    ],
)
def test_bad_rows(prepare, write, row, error):
    write([*ROWS, row])
    assert error in prepare("rsna")[2]


@needs_radiographs
def test_the_genuine_table(prepare):
    data, printed, _ = prepare("rsna", "--no-check-files", "--fractions", "0,0", root=SHARED / "cxr/annotations/rsna")
    items = data["training"]
    assert "read: 30227 rows" in printed and len(items) == 26684
    assert sum(len(item["boxes"]) for item in items) == 9555 and sum(item["label"][0] for item in items) == 6012
