"""What is wrong with a table ends in one line with file, row and remedy: the same faults for each of the data sets."""

from __future__ import annotations

import json

import pytest

from cxr_tools.prepare.datasets.stanford import FINDINGS

CHEXPERT = ",".join(["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", *FINDINGS]) + "\n"
CELLS = ",".join(["0.0"] * (len(FINDINGS) - 1)) + ",1.0\n"
PADCHEST = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
SQUARE = [[1, 1], [3, 1], [3, 3], [1, 3]]


def chestx_det(names):
    entry = {"syms": ["Mass"], "boxes": [[1, 1, 3, 3]], "polygons": [SQUARE]}
    return json.dumps([{"file_name": name, **entry} for name in names])


def coco(names):
    images = [{"id": n, "file_name": name, "patient": name[0]} for n, name in enumerate(names)]
    boxes = [{"image_id": n, "category_id": 1, "bbox": [1, 1, 2, 2]} for n in range(len(names))]
    return json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "Mass"}]})


#: Data set -> its files and pictures.
SETS = {
    "nih": (
        {
            "Data_Entry_2017.csv": "Image Index,Finding Labels,Patient ID,View Position\n"
            "1.png,Mass,1,PA\n2.png,No Finding,2,PA\n",
            "BBox_List_2017.csv": "2.png,Mass,1,1,2,2\n",
            "train_val_list.txt": "1.png\n",
            "test_list.txt": "2.png\n",
        },
        ("1", "2"),
    ),
    "chexpert": (
        {
            "train.csv": CHEXPERT + f"train/patient1/study1/view1_frontal.jpg,M,6,Frontal,AP,,{CELLS}",
            "valid.csv": CHEXPERT + f"valid/patient2/study1/view1_frontal.jpg,M,6,Frontal,AP,,{CELLS}",
        },
        ("train/patient1/study1/view1_frontal", "valid/patient2/study1/view1_frontal"),
    ),
    "mimic": (
        {
            "mimic-cxr-2.0.0-metadata.csv": "dicom_id,subject_id,study_id,ViewPosition\na,10,5,PA\nb,11,6,PA\n",
            "mimic-cxr-2.0.0-split.csv": "dicom_id,split\na,train\nb,test\n",
            "mimic-cxr-2.0.0-chexpert.csv": f"subject_id,study_id,{','.join(FINDINGS)}\n10,5,{CELLS}11,6,{CELLS}",
        },
        ("files/p10/p10/s5/a", "files/p11/p11/s6/b"),
    ),
    "siim": ({"train-rle.csv": "ImageId, EncodedPixels\na, 1 2 1 1\nb, -1\n"}, ("a", "b")),
    "rsna": (
        {"stage_2_train_labels.csv": "patientId,x,y,width,height,Target\na,1,1,2,2,1\nb,,,,,0\n"},
        ("stage_2_train_images/a", "stage_2_train_images/b"),
    ),
    "vindr": (
        {
            "annotations/annotations_train.csv": "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"
            "a,R1,Cardiomegaly,1,1,3,3\n",
            "annotations/image_labels_train.csv": "image_id,rad_id,Cardiomegaly,No finding\na,R1,1,0\n",
            "annotations/annotations_test.csv": "image_id,class_name,x_min,y_min,x_max,y_max\nt,No finding,,,,\n",
            "annotations/image_labels_test.csv": "image_id,Cardiomegaly,No finding\nt,0,1\n",
        },
        ("train/a", "test/t"),
    ),
    "chestx_det": (
        {"ChestX_Det_train.json": chestx_det(["1.png"]), "ChestX_Det_test.json": chestx_det(["2.png"])},
        ("train_data/1", "test_data/2"),
    ),
    "object_cxr": (
        {
            "train.csv": "image_path,annotation\ntrain/1.jpg,0 1 1 4 3\n",
            "dev.csv": "image_name,annotation\n2.jpg,\n",
        },
        ("train/1", "dev/2"),
    ),
    "padchest": (
        {
            PADCHEST: "ImageID,ImageDir,PatientID,Projection,Labels\n1.png,0,p1,PA,['nodule']\n"
            "2.png,0,p2,PA,['normal']\n"
        },
        ("0/1", "0/2"),
    ),
    "coco": ({"train.json": coco(["a.png"]), "val.json": coco(["b.png"])}, ("a", "b")),
}
OPTIONS = {"coco": ("--annotations", "training=train.json", "--annotations", "validation=val.json")}
BOXES, LABELS = "annotations/annotations_", "annotations/image_labels_"
MIMIC = "mimic-cxr-2.0.0-"

#: Data set, file, what is replaced there by what, and what is said of it.
FAULTS = [
    # delimiters
    ("nih", "Data_Entry_2017.csv", ",", "|", "csv line 1: is one column, 'Image Index|Finding Labels|Patient ID"),
    ("nih", "BBox_List_2017.csv", ",", "|", "csv line 1: 1 cells for 9 columns; separate columns by commas"),
    ("chexpert", "valid.csv", ",", "|", "valid.csv line 1: is one column"),
    *(("mimic", f"{MIMIC}{kind}.csv", ",", " ", "csv line 1: is one column") for kind in ("metadata", "split")),
    ("siim", "train-rle.csv", ",", ":", "csv line 1: is one column, 'ImageId: EncodedPixels', where ImageId, Enc"),
    ("rsna", "stage_2_train_labels.csv", ",", " ", "csv line 1: is one column"),
    ("vindr", f"{BOXES}train.csv", ",", "|", "csv line 1: is one column"),
    ("vindr", f"{LABELS}test.csv", ",", "|", "csv line 1: is one column"),
    ("chestx_det", "ChestX_Det_train.json", ", ", "; ", "ChestX_Det_train.json"),
    ("object_cxr", "dev.csv", ",", "|", "dev.csv line 1: no column 'annotation'; columns are image_name|annotation"),
    ("padchest", PADCHEST, ",", "|", "csv line 1: is one column"),
    ("coco", "val.json", ", ", "; ", "val.json"),
    # columns and keys
    ("nih", "Data_Entry_2017.csv", "Patient ID", "Person", "csv line 1: no column 'Patient ID'; columns are Image"),
    ("chexpert", "train.csv", "Edema", "Oedema", "train.csv line 1: no column 'Edema'; columns are Path"),
    ("mimic", f"{MIMIC}metadata.csv", "study_id", "study", "csv line 1: no column 'study_id'"),
    ("mimic", f"{MIMIC}chexpert.csv", "Edema", "Oedema", "csv line 1: no column 'Edema'"),
    ("siim", "train-rle.csv", "EncodedPixels", "Mask", "csv line 1: no column 'EncodedPixels'"),
    ("rsna", "stage_2_train_labels.csv", "width", "w", "csv line 1: no column 'width'"),
    ("vindr", f"{BOXES}test.csv", "x_max", "x1", "annotations_test.csv line 1: no column 'x_max'"),
    ("vindr", f"{LABELS}test.csv", "Cardiomegaly", "Heart", "labels_test.csv line 1: no column 'Cardiomegaly'"),
    ("chestx_det", "ChestX_Det_test.json", "syms", "names", "ChestX_Det_test.json [0]: has no 'syms'; use the file"),
    ("object_cxr", "train.csv", "image_path", "file", "train.csv line 1: no column 'image_path' or 'image_name'; us"),
    ("padchest", PADCHEST, "Projection", "View", "csv line 1: no column 'Projection'"),
    ("coco", "train.json", "file_name", "file", "train.json images[0]: has no 'file_name'; see"),
    # labels
    ("nih", "Data_Entry_2017.csv", "Mass", "Tumour", "line 2 column 'Finding Labels': 'Tumour' is an unknown label"),
    ("nih", "BBox_List_2017.csv", "Mass", "Tumour", "line 1 column 'Finding Label': 'Tumour' is an unknown label"),
    ("chexpert", "valid.csv", "1.0", "yes", "line 2 column 'Support Devices': 'yes' is not a label value; cells are 1"),
    ("mimic", f"{MIMIC}chexpert.csv", "1.0", "2.0", "line 2 column 'Support Devices': '2.0' is not a label value"),
    ("mimic", f"{MIMIC}split.csv", "train", "learn", "line 2 column 'split': 'learn' is not a split; splits are"),
    ("siim", "train-rle.csv", "1 2 1 1", "1 2 1", "line 2 column 'EncodedPixels': is not a mask"),
    ("siim", "train-rle.csv", "-1", "", "line 3 column 'EncodedPixels': is empty; fill it, with -1 where"),
    ("rsna", "stage_2_train_labels.csv", ",0\n", ",3\n", "line 3 column 'Target': is '3'; 0 or 1"),
    ("vindr", f"{BOXES}train.csv", "Cardiomegaly", "Heart", "line 2 column 'class_name': 'Heart' is an unknown label"),
    (
        "vindr",
        f"{LABELS}train.csv",
        "R1,1",
        "R1,yes",
        "line 2 column 'Cardiomegaly': 'yes' is not a label value; cells",
    ),
    ("chestx_det", "ChestX_Det_test.json", "Mass", "Tumour", "[0] 'syms': 'Tumour' is an unknown label; classes are"),
    ("object_cxr", "train.csv", "0 1", "7 1", "line 2 column 'annotation': '7 1 1 4 3' is not a rectangle (0)"),
    ("padchest", PADCHEST, "nodule", "nodul", "line 2 column 'Labels': 'nodul' is an unknown label; did you mean 'nod"),
    ("coco", "val.json", '"category_id": 1', '"category_id": 2', "annotations[0] 'category_id': 2 is an unknown label"),
    # entries of another kind
    ("chestx_det", "ChestX_Det_test.json", '["Mass"]', "null", "[0]: is not of a name and three lists; use the file"),
    ("coco", "val.json", '"image_id": 0', '"image_id": [0]', "val.json annotations[0]: 'image_id' is [0]; see"),
    ("coco", "val.json", '"patient"', '"label": [1, 0], "patient"', "images[0] 'label': is [1, 0], not one value for"),
    # text of another encoding, wherever it is read first
    *(
        (name, file, "\n", "\udcff\n", f"{file}: not UTF-8 text; save it as csv, UTF-8")
        for name, file in (
            ("nih", "Data_Entry_2017.csv"),
            ("nih", "BBox_List_2017.csv"),
            ("nih", "test_list.txt"),
            ("chexpert", "valid.csv"),
            ("mimic", f"{MIMIC}metadata.csv"),
            ("siim", "train-rle.csv"),
            ("rsna", "stage_2_train_labels.csv"),
            ("vindr", f"{LABELS}test.csv"),
            ("object_cxr", "dev.csv"),
            ("padchest", PADCHEST),
        )
    ),
    # names that no file can have
    *(
        (name, file, old, "a" * 300, "no such image file")
        for name, file, old in (
            ("padchest", PADCHEST, "1.png"),
            ("coco", "train.json", "a.png"),
            ("rsna", "stage_2_train_labels.csv", "b"),
        )
    ),
    # shapes that enclose nothing, or lie outside
    (
        "siim",
        "train-rle.csv",
        "1 2 1 1",
        "1 0",
        "line 2 column 'EncodedPixels': is not a mask: no pixel is inside, and",
    ),
    ("siim", "train-rle.csv", "1 2 1 1", "1 99", "line 2 column 'EncodedPixels': is not a mask: leaves the image of 8"),
    ("siim", "train-rle.csv", "1 2 1 1", f"1 {2**63 - 1} {2**63 - 1} 9", "is not a mask: leaves the image of 8 x 6"),
    ("siim", "train-rle.csv", "1 2 1 1", "1 -2", "is not a mask: is not a list of pairs of start and length; runs are"),
    ("chestx_det", "ChestX_Det_test.json", str(SQUARE), "[[1, 1], [3, 3]]", "a polygon of 2 points encloses nothing"),
    ("chestx_det", "ChestX_Det_test.json", str(SQUARE), "[]", "a polygon of 0 points encloses nothing"),
    (
        "chestx_det",
        "ChestX_Det_test.json",
        "[3, 1], [3, 3]",
        "[3, 1], [30, 3]",
        "the point (30.0, 3.0) lies outside the",
    ),
    ("object_cxr", "train.csv", "0 1 1 4 3", "2 1 1 4 3", "'2 1 1 4 3' is not a rectangle (0), ellipse (1) or polygon"),
    (
        "object_cxr",
        "train.csv",
        "0 1 1 4 3",
        "2 1 1 nan nan 4 3 2 2",
        "holds something that is not a number; write such",
    ),
    (
        "nih",
        "BBox_List_2017.csv",
        "1,1,2,2",
        "8,1,1,1",
        "box [8, 1, 9, 2] leaves the image of 8 x 6 pixels; boxes count",
    ),
    *(
        ("coco", "val.json", '"bbox"', f'"segmentation": {outline}, "bbox"', said)
        for outline, said in (
            (
                "[[1, 1, 3, 3]]",
                "annotations[0] 'segmentation': is neither polygons nor run lengths of this image (a polygon",
            ),
            ("[[1, 1, 30, 1, 30, 3]]", "the point (30.0, 1.0) lies outside the image of 8 x 6 pixels); see"),
            (
                '{"size": [1000000, 10000000], "counts": [10000000000000]}',
                "10000000 x 1000000 pixels is no size of an image",
            ),
            ('{"size": [6, 8], "counts": [60, -12]}', "has runs of 48 pixels for an image of 8 x 6"),
            ('{"size": [6, 8], "counts": [48]}', "no pixel is inside); see"),
        )
    ),
    # cells and keys that mean nothing
    (
        "nih",
        "Data_Entry_2017.csv",
        ",1,PA",
        ",,PA",
        "line 2 column 'Patient ID': is empty; fill it, or take the row out",
    ),
    (
        "vindr",
        f"{LABELS}train.csv",
        "R1,1",
        "R1,",
        "line 2 column 'Cardiomegaly': '' is not a label value; cells are 1",
    ),
    ("vindr", f"{LABELS}train.csv", "R1,1", "R1,-1", "line 2 column 'Cardiomegaly': '-1' is not a label value; cells"),
    ("vindr", f"{BOXES}train.csv", "a,R1", ",R1", "line 2 column 'image_id': is empty; fill it, or take the row out"),
    ("coco", "val.json", '"patient": "b"', '"patient": [7]', "images[0] 'patient': is [7], not text or an integer; co"),
    ("coco", "val.json", '"patient"', '"label": [7], "patient"', "images[0] 'label[0]': is 7, not 1, 0, -1 or null"),
    ("coco", "val.json", '"patient"', '"width": 80, "height": 60, "patient"', "the file has 8 x 6 pixels, not 80 x 60"),
    ("coco", "val.json", '"b.png"', '["b.png"]', "val.json images[0]: 'file_name' is ['b.png']; see"),
    ("coco", "val.json", '"Mass"', f'"{"x" * 101}"', "val.json categories[0]: 'xxxxxxx"),
    # images, whose rows stand in these lines
    ("nih", "Data_Entry_2017.csv", "", "", "Data_Entry_2017.csv line 2: no such image file"),
    ("chexpert", "train.csv", "", "", "train.csv line 2: no such image file"),
    ("mimic", f"{MIMIC}metadata.csv", "", "", "metadata.csv line 2: no such image file"),
    ("siim", "train-rle.csv", "", "", "train-rle.csv line 2: no such image file"),
    ("rsna", "stage_2_train_labels.csv", "", "", "labels.csv line 2: no such image file"),
    ("vindr", f"{BOXES}train.csv", "", "", "annotations_train.csv line 2: no such image file"),
    ("chestx_det", "ChestX_Det_train.json", "", "", "ChestX_Det_train.json [0]: no such image file"),
    ("object_cxr", "train.csv", "", "", "train.csv line 2: no such image file"),
    ("padchest", PADCHEST, "", "", "02.19.csv line 2: no such image file"),
    ("coco", "train.json", "", "", "train.json images[0]: no such image file"),
    # patients and images in two splits, where the data set has splits and names them
    ("nih", "Data_Entry_2017.csv", "Finding,2", "Finding,1", "line 3 column 'Image Index': patient 'nih:1' is in test"),
    ("nih", "train_val_list.txt", "1.png", "1.png\n2.png", "test_list.txt line 1: 2.png is also in train_val_list.txt"),
    ("chexpert", "valid.csv", "patient2", "patient1", "valid.csv line 2 column 'Path': patient 'patient1' is in valid"),
    ("mimic", f"{MIMIC}metadata.csv", "b,11", "b,10", "line 3 column 'dicom_id': patient '10' is in testing split"),
    ("mimic", f"{MIMIC}split.csv", "b,test", "b,test\nb,train", "line 4 column 'split': 'b' is in test in an earlier"),
    ("coco", "val.json", '"patient": "b"', '"patient": "a"', "images[0] 'file_name': patient 'a' is in validation"),
    # rows that disagree
    ("mimic", f"{MIMIC}chexpert.csv", "11,6,0.0", "10,5,-1.0", "column 'study_id': study '5' has other labels in an"),
    ("rsna", "stage_2_train_labels.csv", "b,,,,,0", "a,,,,,0", "line 3 column 'Target': is '0', in line 2 '1'; 0 or 1"),
    ("siim", "train-rle.csv", "b, -1", "a, -1", "line 3 column 'EncodedPixels': the image has both -1"),
    ("object_cxr", "train.csv", "4 3\n", "4 3\ntrain/1.jpg,\n", "line 3 column 'image_path': 'train/1.jpg' is alread"),
]


def write(root, name, picture):
    files, pictures = SETS[name]
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")
    for path in pictures:
        picture(f"{path}.{'jpg' if name in ('chexpert', 'mimic', 'object_cxr') else 'png'}")


@pytest.mark.parametrize("name", SETS)
def test_the_tables_are_right_before_they_are_made_wrong(prepare, picture, tmp_path, name):
    write(tmp_path / "root", name, picture)
    data, _, line = prepare(name, "--fractions", "0,0", *OPTIONS.get(name, ()))
    assert line == "" and sum(len(data[section]) for section in ("training", "validation", "testing")) == 2


@pytest.mark.parametrize(("name", "file", "old", "new", "said"), FAULTS)
def test_one_line_with_file_row_and_remedy(prepare, picture, tmp_path, name, file, old, new, said):
    root = tmp_path / "root"
    write(root, name, picture)
    if old:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text
        (root / file).write_text(text.replace(old, new), encoding="utf-8", errors="surrogateescape")
    else:
        for path in [*root.rglob("*.png"), *root.rglob("*.jpg")]:
            path.unlink()
    data, _, line = prepare(name, *OPTIONS.get(name, ()))
    assert data is None and said in line and "; " in line, line
    assert not list((tmp_path / "out").glob("*"))


def test_every_data_set_has_the_faults_of_all():
    assert {fault[0] for fault in FAULTS} == set(SETS)
    for kind in ("line 1: ", "no column", "no such image file"):
        tables = {fault[0] for fault in FAULTS if kind in fault[4]}
        assert tables >= set(SETS) - {"chestx_det", "coco"}
