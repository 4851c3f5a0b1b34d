"""MIMIC-CXR-JPG in its documented layout, small."""

from __future__ import annotations

import gzip

import pytest

from cxr_tools.prepare.datasets.stanford import FINDINGS

IMAGES = [  # dicom_id, subject, study, view, split
    ("aa-01", "10000032", "50414267", "PA", "train"),
    ("aa-02", "10000032", "50414267", "LATERAL", "train"),
    ("bb-01", "10000764", "57375967", "AP", "validate"),
    ("cc-01", "11000011", "51029426", "AP", "test"),
]


@pytest.fixture
def root(tmp_path, picture):
    def write(kind, lines):
        path = tmp_path / "root" / f"mimic-cxr-2.0.0-{kind}.csv.gz"
        path.parent.mkdir(exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    metadata = ["dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns"]
    write("metadata", metadata + [f'{d},{p},{s},"CHEST (PA, LAT)",{v},3056,2544' for d, p, s, v, _ in IMAGES])
    write("split", ["dicom_id,study_id,subject_id,split"] + [f"{d},{s},{p},{x}" for d, p, s, _, x in IMAGES])
    head = ["subject_id", "study_id", *sorted((*FINDINGS, "No Finding"))]
    cells = ["1.0" if n == "Edema" else "-1.0" if n == "Atelectasis" else "" for n in head[2:]]
    write("chexpert", [",".join(head), ",".join(["10000032", "50414267", *cells])])
    for dicom, subject, study, *_ in IMAGES:
        picture(f"files/p{subject[:2]}/p{subject}/s{study}/{dicom}.jpg")
    return write


@pytest.mark.usefixtures("root")
def test_official_split_study_labels_and_views(prepare):
    data, printed, _ = prepare("mimic")
    [first] = data["training"]
    assert first["image"] == "files/p10/p10000032/s50414267/aa-01.jpg" and first["patient"] == "10000032"
    said = dict(zip(data["labels"], first["label"]))
    assert (said["Edema"], said["Atelectasis"], said["Fracture"]) == (1, -1, None)
    assert "label" not in data["validation"][0] and len(data["testing"]) == 1
    assert "left out: 1 rows of view LATERAL (--views)" in printed
    assert "2 images are of studies that the table of labels does not have" in printed


def test_bad_tables(prepare, root):
    root("split", ["dicom_id,study_id,subject_id,split", "aa-01,1,1,trian"])
    assert "split.csv.gz line 2 column 'split': 'trian' is not a split; splits are train" in prepare("mimic")[2]
    root("split", ["dicom_id,study_id,subject_id,split", "zz-01,1,1,train"])
    assert "metadata.csv.gz line 2 column 'dicom_id': 'aa-01' is not in the table of splits" in prepare("mimic")[2]
    assert "has no mimic-cxr-2.*-negbio.csv.gz" in prepare("mimic", "--labeler", "negbio")[2]


def test_a_damaged_gz(prepare, root, tmp_path):
    path = tmp_path / "root" / "mimic-cxr-2.0.0-split.csv.gz"
    path.write_bytes(path.read_bytes()[:40])
    assert "mimic-cxr-2.0.0-split.csv.gz: cannot be unpacked" in prepare("mimic")[2]
