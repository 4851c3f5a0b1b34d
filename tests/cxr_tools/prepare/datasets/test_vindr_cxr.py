"""VinDr-CXR of PhysioNet and VinBigData's table, small; and the genuine VinBigData table."""

from __future__ import annotations

import pytest

from cxr_tools.prepare.datasets import vindr_cxr
from tests.golden import SHARED, needs_radiographs

HEADER = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
ROWS = (
    "a,Cardiomegaly,3,R8,0,0,4,4\na,Cardiomegaly,3,R9,0,0,4,5\na,No finding,14,R10,,,,\n"
    "b,No finding,14,R8,,,,\nb,No finding,14,R9,,,,\nb,ILD,5,R10,1,1,3,3\n"
)
HEART = vindr_cxr.FINDINGS.index("Cardiomegaly")


@pytest.fixture
def kaggle(table, picture):
    table("train.csv", HEADER + ROWS)
    for name in "ab":
        picture(f"train/{name}.png")


@pytest.mark.usefixtures("kaggle")
def test_boxes_of_readers_are_fused(prepare):
    data, printed, _ = prepare("vindr", "--fractions", "0,0")
    a, b = data["training"]
    assert a["boxes"] == [[0, 0, 4, 4.5]] and a["box_labels"] == [HEART] and sum(a["label"]) == 1
    assert b["boxes"] == [[1, 1, 3, 3]] and "read: 6 rows" in printed and "name no patients" in printed


@pytest.mark.usefixtures("kaggle")
def test_all_readers_one_reader_and_how_many_agree(prepare):
    both = prepare("vindr", "--readers", "all", "--agree", "2", "--fractions", "0,0")[0]["training"]
    assert both[0]["boxes"] == [[0, 0, 4, 4], [0, 0, 4, 5]] and both[0]["label"][HEART] == 1
    assert both[1]["boxes"] == [] and both[1]["label"][vindr_cxr.FINDINGS.index("ILD")] == -1
    one, none = prepare("vindr", "--readers", "R8", "--fractions", "0,0")[0]["training"]
    assert one["boxes"] == [[0, 0, 4, 4]] and none["boxes"] == [] and set(none["label"]) == {0}
    assert "'R7' read no image; fused, all, or R10, R8, R9" in prepare("vindr", "--readers", "R7")[2]


def test_physionet(prepare, table, picture):
    columns = "Cardiomegaly,Clavicle fracture,COPD,No finding"
    table(
        "annotations/image_labels_train.csv", f"image_id,rad_id,{columns}\na,R1,1,0,1,0\na,R2,0,0,0,1\nb,R1,0,0,0,1\n"
    )
    boxes = "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\na,R1,Cardiomegaly,1,1,3,3\na,R2,No finding,,,,\n"
    table("annotations/annotations_train.csv", boxes + "b,R1,No finding,,,,\n")
    table("annotations/image_labels_test.csv", f"image_id,{columns}\nt,0,1,0,0\n")
    table(
        "annotations/annotations_test.csv", "image_id,class_name,x_min,y_min,x_max,y_max\nt,Clavicle fracture,1,1,2,3\n"
    )
    for name in ("train/a", "train/b", "test/t"):
        picture(f"{name}.png")
    data, _, _ = prepare("vindr", "--fractions", "0,0")
    assert data["labels"] == ["Cardiomegaly", "Clavicle fracture", "COPD"]
    a, b = data["training"]
    assert a["label"] == [1, 0, 1] and a["boxes"] == [[1, 1, 3, 3]] and b["label"] == [0, 0, 0] and b["boxes"] == []
    [tested] = data["testing"]
    assert tested["label"] == [0, 1, 0] and tested["boxes"] == [[1, 1, 2, 3]] and tested["box_labels"] == [1]


@pytest.mark.usefixtures("kaggle")
def test_bad_rows(prepare, table):
    table("train.csv", HEADER + ROWS + "a,Heart,3,R8,0,0,4,4\n")
    assert "train.csv line 8 column 'class_name': 'Heart' is an unknown label; classes are" in prepare("vindr")[2]
    table("train.csv", (HEADER + ROWS).replace("rad_id", "reader"))
    assert "train.csv line 1: no column 'rad_id'; columns are" in prepare("vindr")[2]
    table("train.csv", HEADER + ROWS + "a,ILD,5,R8,4,0,1,4\n")
    assert "train.csv line 8 column 'x_max': makes an empty box" in prepare("vindr")[2]


@needs_radiographs
def test_the_genuine_table(prepare):
    root = SHARED / "cxr" / "annotations" / "vindr"
    data, printed, _ = prepare("vindr", "--no-check-files", "--readers", "all", "--fractions", "0,0", root=root)
    assert "read: 67914 rows" in printed and len(data["training"]) == 15000
    assert sum(len(item["boxes"]) for item in data["training"]) == 67914 - 31818
    assert sum(not any(item["label"]) for item in data["training"]) == 10606
