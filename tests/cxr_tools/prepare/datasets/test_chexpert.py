"""CheXpert, small and full layout, with masks of CheXlocalize; and the genuine files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pycocotools import mask as coco

from cxr_common.data.masks import read_mask
from cxr_tools.prepare.datasets.stanford import FINDINGS
from tests.golden import SHARED, needs_radiographs

COLUMNS = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", *FINDINGS]


def csv(rows, folder="CheXpert-v1.0-small"):
    """A table; a row is (path, AP/PA, finding -> cell)."""
    lines = [",".join(COLUMNS)]
    for path, view, findings in rows:
        side = "Lateral" if "lateral" in path else "Frontal"
        cells = [f"{folder}/{path}", "Male", "60", side, view, "", *(findings.get(name, "") for name in FINDINGS)]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


TRAIN = [
    ("train/patient00001/study1/view1_frontal.jpg", "AP", {"Edema": "-1.0", "Fracture": "1.0", "Pneumonia": "0.0"}),
    ("train/patient00001/study2/view2_lateral.jpg", "", {"Edema": "1.0"}),
    ("train/patient00002/study1/view1_frontal.jpg", "LL", {}),
]
VALID = [("valid/patient64541/study1/view1_frontal.jpg", "PA", dict.fromkeys(FINDINGS, "0.0"))]
KEY = "patient64541_study1_view1_frontal"


def runs(mask):
    """A mask (x, y) as CheXlocalize has it."""
    encoded = coco.encode(np.asfortranarray(mask.T.astype(np.uint8)))
    return {"size": encoded["size"], "counts": encoded["counts"].decode()}


@pytest.fixture
def mask():
    mask = np.zeros((8, 6), dtype=bool)
    mask[5:7, 1:3] = True
    return mask


@pytest.fixture
def root(table, picture):
    table("CheXpert-v1.0-small/train.csv", csv(TRAIN))
    table("CheXpert-v1.0-small/valid.csv", csv(VALID))
    for path, *_ in (*TRAIN, *VALID):
        picture(f"CheXpert-v1.0-small/{path}")


@pytest.mark.usefixtures("root")
def test_labels_views_patients_and_sections(prepare):
    data, printed, _ = prepare("chexpert", "--fractions", "0,0")
    first, second = data["training"]
    said = dict(zip(data["labels"], first["label"]))
    assert (said["Edema"], said["Fracture"], said["Pneumonia"], said["Atelectasis"]) == (-1, 1, 0, None)
    assert (first["view"], second["view"]) == ("AP", "frontal") and first["patient"] == "patient00001"
    assert [item["image"] for item in data["validation"]] == [f"CheXpert-v1.0-small/{VALID[0][0]}"]
    assert "left out: 1 rows of view LATERAL (--views)" in printed and "no test.csv" in printed
    assert len(prepare("chexpert", "--views", "all", "--fractions", "0,0")[0]["training"]) == 3


@pytest.mark.usefixtures("root")
def test_a_blank_cell_can_mean_absent_and_valid_can_be_tested_on(prepare):
    data, _, _ = prepare("chexpert", "--blank", "absent", "--split", "valid=testing", "--fractions", "0,0")
    assert data["training"][1]["label"] == [0] * len(FINDINGS) and len(data["testing"]) == 1


def test_the_root_may_be_the_inner_folder_and_the_table_name_another_release(prepare, table, picture):
    table("train.csv", csv(TRAIN, "CheXpert-v1.0"))
    for path, *_ in TRAIN:
        picture(path)
    data, _, _ = prepare("chexpert", "--fractions", "0,0")
    assert data["training"][0]["image"] == TRAIN[0][0]


def test_a_part_of_valid_can_be_learnt_from(prepare, table, picture):
    valid = [(f"valid/patient{n:05d}/study1/view1_frontal.jpg", "PA", {}) for n in range(10)]
    table("valid.csv", csv(valid))
    for path, *_ in valid:
        picture(path)
    data, _, _ = prepare("chexpert", "--learn-valid", "0.79", "--fractions", "0,0")
    assert (len(data["training"]), len(data["validation"])) == (8, 2)
    assert "--learn-valid: is 1.0; give" in prepare("chexpert", "--learn-valid", "1")[2]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("kind", ["runs", "polygons"])
def test_masks_of_chexlocalize(prepare, table, tmp_path, mask, kind):
    empty = runs(np.zeros_like(mask))
    if kind == "runs":
        found = {"Airspace Opacity": runs(mask), "Edema": empty}
        table("CheXlocalize/gt_segmentations_val.json", json.dumps({KEY: found, "patient9_study1_view1_frontal": {}}))
    else:
        found = {"img_size": [6, 8], "Airspace Opacity": [[[5, 1], [6, 1], [6, 2], [5, 2]]]}
        table("CheXlocalize/gt_annotations_val.json", json.dumps({KEY: found}))
    data, printed, _ = prepare("chexpert")
    [item] = data["validation"]
    assert item["mask"]["Edema"] is None and "Fracture" not in item["mask"] and item["mask_origin"] == "expert"
    path = tmp_path / "root" / item["mask"]["Lung Opacity"]
    assert np.array_equal(read_mask(path), mask) and "masks: 1 files" in printed
    assert ("masks of 1 images are not used" in printed) == (kind == "runs")


@pytest.mark.usefixtures("root")
def test_masks_are_resized_to_small_images(prepare, table, tmp_path, mask):
    table("gt_segmentations_val.json", json.dumps({KEY: {"Edema": runs(np.kron(mask, np.ones((3, 3), bool)))}}))
    data, printed, _ = prepare("chexpert")
    assert np.array_equal(read_mask(tmp_path / "root" / data["validation"][0]["mask"]["Edema"]), mask)
    assert "1 of them resized" in printed


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("findings", "error"),
    [
        ({"Swelling": {}}, f"{KEY} 'Swelling': 'Swelling' is an unknown label; classes are"),
        ({"Edema": {"size": [6, 8], "counts": "0"}}, f"{KEY} 'Edema': is not a mask in COCO's run lengths"),
        ({"Edema": 3}, f"{KEY} 'Edema': is not a mask in COCO's run lengths"),
    ],
)
def test_bad_masks_leave_nothing_behind(prepare, table, tmp_path, findings, error):
    table("gt_segmentations_val.json", json.dumps({KEY: findings}))
    _, _, line = prepare("chexpert")
    assert error in line and not list((tmp_path / "out").glob("*"))


@pytest.mark.usefixtures("root")
def test_bad_cells(prepare, table):
    table("CheXpert-v1.0-small/train.csv", csv([(*TRAIN[0][:2], {"Edema": "yes"})]))
    assert "train.csv line 2 column 'Edema': 'yes' is not a label value" in prepare("chexpert")[2]
    table("CheXpert-v1.0-small/train.csv", csv([("train/p1.jpg", "AP", {})]))
    assert "line 2 column 'Path': 'CheXpert-v1.0-small/train/p1.jpg' names no patient" in prepare("chexpert")[2]
    table("CheXpert-v1.0-small/train.csv", csv([(VALID[0][0].replace("study1", "study2"), "AP", {})]))
    assert "patient64541' is in validation split here and in training in" in prepare("chexpert", "--missing", "keep")[2]


@needs_radiographs
def test_the_genuine_files(prepare, tmp_path):
    genuine = SHARED / "cxr" / "annotations"
    options = ("--no-check-files", "--fractions", "0,0")
    data, _, _ = prepare("chexpert", "--train-table", "train_head500.csv", *options, root=genuine / "chexpert")
    assert len(data["training"]) == 401  # 500 rows, 99 of them lateral
    data, printed, _ = prepare("chexpert", *options, root=genuine / "chexlocalize")
    first, second = data["validation"]
    assert sorted(n for n, path in first["mask"].items() if path) == [
        "Cardiomegaly",
        "Enlarged Cardiomediastinum",
        "Lung Opacity",
    ]
    assert [n for n, path in second["mask"].items() if path] == ["Support Devices"] and "masks: 4 files" in printed
    truth = json.loads((genuine / "chexlocalize" / "gt_segmentations_val.json").read_text(encoding="utf-8"))
    for name, path in first["mask"].items():
        if path:
            theirs = truth[KEY]["Airspace Opacity" if name == "Lung Opacity" else name]
            expected = coco.decode({**theirs, "counts": theirs["counts"].encode()}).T.astype(bool)
            assert np.array_equal(read_mask(tmp_path / "out" / "datalist_masks" / path.rpartition("/")[2]), expected)
