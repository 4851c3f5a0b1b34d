"""NIH ChestX-ray14 in its own layout, small; and its genuine tables, with numbers known from the data set's papers."""

from __future__ import annotations

import pytest

from cxr_common.data import read_datalist
from cxr_tools.prepare.datasets import nih
from tests.golden import SHARED, needs_radiographs

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"
)
ROWS = (
    ("1_000", "Cardiomegaly|Emphysema", 1),
    ("1_001", "No Finding", 1),
    ("2_000", "Infiltration", 2),
    ("3_000", "", 3),
)
TABLE = HEADER + "".join(f"{n}.png,{f},0,{p},58,M,PA,2682,2749,0.143,0.143\n" for n, f, p in ROWS)
BOXES = "2_000.png,Infiltrate,1.5,2,3.25,4\n"


@pytest.fixture
def root(table, picture):
    table("Data_Entry_2017_v2020.csv", TABLE)
    table("BBox_List_2017.csv", "Image Index,Finding Label,Bbox [x,y,w,h],,,\n" + BOXES.strip() + ",,,\n")
    table("train_val_list.txt", "1_000.png\n1_001.png\n3_000.png\n")
    table("test_list.txt", "2_000.png\n")
    for folder, name in (
        ("images_001/images", "1_000"),
        ("images_001/images", "1_001"),
        ("images", "2_000"),
        ("", "3_000"),
    ):
        picture(f"{folder}/{name}.png" if folder else f"{name}.png")


@pytest.mark.usefixtures("root")
def test_labels_boxes_sections_and_images_in_any_folder(prepare):
    data, printed, _ = prepare("nih", "--fractions", "0,0")
    assert data["labels"] == list(nih.FINDINGS) and data["validation"] == []
    first, second, unknown = data["training"]
    assert first["image"] == "images_001/images/1_000.png" and first["patient"] == second["patient"] == "nih:1"
    assert {n for n, v in zip(data["labels"], first["label"]) if v} == {"Cardiomegaly", "Emphysema"}
    assert set(second["label"]) == {0} and set(unknown["label"]) == {None} and "boxes" not in first
    [boxed] = data["testing"]
    assert boxed["boxes"] == [[1.5, 2, 4.75, 6]] and boxed["box_labels"] == [nih.FINDINGS.index("Infiltration")]
    assert "read: 4 rows of Data_Entry_2017_v2020.csv, 1 boxes" in printed and "missing files: 0" in printed


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("name", ["nih_chestxray14", "nih-chestxray14"])
def test_other_names_of_the_data_set(prepare, name):
    assert len(prepare(name)[0]["testing"]) == 1


@pytest.mark.usefixtures("root")
def test_boxes_without_a_header_line(prepare, table):
    table("BBox_List_2017.csv", BOXES)
    assert prepare("nih")[0]["testing"][0]["boxes"] == [[1.5, 2, 4.75, 6]]


@pytest.mark.usefixtures("root")
def test_the_labels_that_shipped_weights_share(prepare):
    data, _, _ = prepare("nih", "--labels", "shared", "--fractions", "0,0")
    opacity = data["labels"].index("Opacity")
    assert [item["label"][opacity] for item in data["training"]] == [None, 0, None]
    [boxed] = data["testing"]
    assert (
        boxed["box_labels"] == [opacity] and boxed["box_findings"] == ["Infiltration"] and boxed["label"][opacity] == 1
    )


@pytest.mark.usefixtures("root")
def test_other_encodings_of_the_same_table_give_the_same_bytes(prepare, table, tmp_path):
    output = tmp_path / "out" / "datalist.json"
    prepare("nih")
    plain = output.read_bytes()
    windows = "".join("images\\" + line for line in TABLE.splitlines(keepends=True)[1:])
    lines = (HEADER + windows).replace(",", " ;").replace("\n", "\r\n").splitlines(keepends=True)
    table("Data_Entry_2017_v2020.csv", "".join([*lines, lines[1]]), "utf-8-sig")
    _, printed, _ = prepare("nih")
    assert output.read_bytes() == plain and "left out: 1 rows that repeat another" in printed


def test_without_the_lists_patients_with_boxes_are_never_trained_on(prepare, root, tmp_path):
    for name in ("train_val_list.txt", "test_list.txt"):
        (tmp_path / "root" / name).unlink()
    data, printed, _ = prepare("nih")
    assert [item["patient"] for item in data["testing"]] == ["nih:2"] and "no official lists" in printed


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("Data_Entry_2017_v2020.csv", TABLE.replace(",", "|"), "line 1: is one column, 'Image Index|"),
        ("Data_Entry_2017_v2020.csv", TABLE.replace("Patient ID", "Person"), "line 1: no column 'Patient ID'; col"),
        (
            "Data_Entry_2017_v2020.csv",
            TABLE.replace("No Finding", "Oedema"),
            "line 3 column 'Finding Labels': 'Oedema'",
        ),
        (
            "Data_Entry_2017_v2020.csv",
            TABLE + ROWS[0][0] + ".png,Mass,0,1,58,M,PA,1,1,1,1\n",
            "line 6 column 'Image Index': 'images_001/images/1_000.png' is already",
        ),
        (
            "Data_Entry_2017_v2020.csv",
            TABLE.replace("2_000.png", "9_000.png"),
            "line 4 column 'Image Index': 9_000.png is",
        ),
        ("BBox_List_2017.csv", "2_000.png;Mass;1,5;2;3;4\n", "line 1 column 'x': '1,5' is not a number; write numbers"),
        ("BBox_List_2017.csv", "2_000.png,Mass,1,2,300,4\n", "leaves the image of 8 x 6 pixels"),
        ("BBox_List_2017.csv", "2_000.png,Tumour,1,2,3,4\n", "line 1 column 'Finding Label': 'Tumour' is an unknown"),
        ("BBox_List_2017.csv", "1_000.png,Mass,1,2,3,4\n", "line 1 column 'Image Index': 1_000.png has boxes"),
        ("BBox_List_2017.csv", "8_000.png,Mass,1,2,3,4\n", "line 1 column 'Image Index': 8_000.png is not an image"),
        ("test_list.txt", "2_000.png\n1_000.png\n", "line 2: 1_000.png is also in train_val_list.txt"),
    ],
)
def test_one_line_with_file_row_and_remedy(prepare, table, tmp_path, file, text, error):
    table(file, text)
    data, _, line = prepare("nih")
    assert data is None and error in line and ";" in line
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.usefixtures("root")
def test_a_patient_in_two_splits(prepare, table):
    table("train_val_list.txt", "1_000.png\n3_000.png\n")
    table("test_list.txt", "2_000.png\n1_001.png\n")
    _, _, line = prepare("nih")
    assert (
        "Data_Entry_2017_v2020.csv line 3" in line
        and "patient 'nih:1' is in testing split here" in line
        and "line 2;" in line
    )


def test_missing_images_are_an_error_or_listed(prepare, root, tmp_path):
    (tmp_path / "root" / "3_000.png").unlink()
    _, _, line = prepare("nih")
    assert "Data_Entry_2017_v2020.csv line 5: no such image file:" in line and "--missing leave-out" in line
    assert not (tmp_path / "out" / "datalist.json").exists()
    for choice, count in (("keep", 3), ("leave-out", 2)):
        data, printed, _ = prepare("nih", "--missing", choice, "--fractions", "0,0")
        assert len(data["training"]) == count and "missing files: 1" in printed
        listed = (tmp_path / "out" / "datalist.missing.txt").read_text(encoding="utf-8").splitlines()
        assert len(listed) == 2 and listed[1].startswith("images/3_000.png\t") and listed[1].endswith("line 5")
    (tmp_path / "root" / "images" / "3_000.png").touch()
    prepare("nih")
    assert not (tmp_path / "out" / "datalist.missing.txt").exists()


@pytest.mark.usefixtures("root")
def test_a_limit_and_one_view(prepare, table):
    assert sum(len(prepare("nih", "--limit", "2")[0][s]) for s in ("training", "validation", "testing")) == 2
    table("Data_Entry_2017_v2020.csv", TABLE.replace("M,PA", "M,AP", 1))
    data, printed, _ = prepare("nih", "--views", "PA", "--fractions", "0,0")
    assert len(data["training"]) == 2 and "left out: 1 rows of view AP (--views)" in printed


def test_rows_that_repeat_or_are_not_there(prepare, root, table):
    table("BBox_List_2017.csv", BOXES + BOXES)
    table("test_list.txt", "2_000.png\n9_000.png\n")
    data, printed, _ = prepare("nih")
    assert data["testing"][0]["boxes"] == [[1.5, 2, 4.75, 6]] and "left out: 1 boxes that repeat another" in printed
    assert "1 images of the official lists have no row in Data_Entry_2017_v2020.csv: is it cut off?" in printed


def test_a_patient_that_looks_like_a_number_and_is_none(prepare, root, table):
    table("Data_Entry_2017_v2020.csv", TABLE.replace(",0,3,", ",0,\u00b2,"))
    assert any(item["patient"] == "nih:\u00b2" for item in prepare("nih", "--fractions", "0,0")[0]["training"])


@needs_radiographs
def test_the_genuine_tables(prepare, tmp_path):
    root = SHARED / "cxr" / "annotations" / "nih"
    _, printed, _ = prepare("nih", "--no-check-files", root=root)
    data = read_datalist(tmp_path / "out" / "datalist.json")
    kept = [item for s in ("training", "validation") for item in data[s]]
    assert (len(kept), len(data["testing"])) == (86524, 25596)
    assert len({item["patient"] for item in [*kept, *data["testing"]]}) == 30805
    boxed = [item for item in data["testing"] if "boxes" in item]
    assert len(boxed) == 880 and sum(len(item["boxes"]) for item in boxed) == 984
    assert len({i for item in boxed for i in item["box_labels"]}) == 8 and not any("boxes" in item for item in kept)
    assert all(item["label"][i] == 1 for item in boxed for i in item["box_labels"])
    assert "read: 112120 rows" in printed and "in all: 112120 images, 30805 patients, 984 boxes" in printed
