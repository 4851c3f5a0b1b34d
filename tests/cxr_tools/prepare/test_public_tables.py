"""Public tables as they come: NIH ChestX-ray14, CheXpert, VinDr-CXR, in small."""

from __future__ import annotations

import json

import pytest

from cxr_tools.prepare.__main__ import main

NIH = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n" + "".join(
    f"0000000{i}_000.png,{labels},0,{i},58,M,PA\n"
    for i, labels in enumerate(["Cardiomegaly", "Cardiomegaly| Emphysema", "No Finding", "", "effusion", "Mass"], 1)
)
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Cardiomegaly,2.5,3.5,10.5,12.25,,,\n"
CHEXPERT = "Path,Frontal/Lateral,Cardiomegaly,Pleural Effusion\n" + "".join(
    f"CheXpert-v1.0-small/train/patient0000{p}/study{s}/view1_frontal.jpg,Frontal,,{v}\n"
    for p, s, v in ((1, 1, "0.0"), (1, 2, "-1.0"), (2, 1, "1.0"), (2, 2, ""), (3, 1, "1.0"), (4, 1, ""))
)
VINDR = "image_id,rad_id,Cardiomegaly\na,R1,0\na,R2,0\na,R3,1\nb,R1,1\nb,R2,1\nb,R3,1\nc,R1,1\nc,R2,0\n"


@pytest.fixture
def prepare(tmp_path):
    (tmp_path / "nih.csv").write_text(NIH)
    (tmp_path / "boxes.csv").write_text(BOXES)
    (tmp_path / "chexpert.csv").write_text(CHEXPERT)
    (tmp_path / "vindr.csv").write_text(VINDR)

    def run(table, *options):
        out = tmp_path / "out.json"
        arguments = [
            "csv",
            "--root",
            str(tmp_path),
            "--images",
            table,
            "--no-check-files",
            "--output",
            str(out),
            *options,
        ]
        status = main(arguments)
        return json.loads(out.read_text()) if status == 0 else None

    return run


def items(data):
    return sorted((i for s in ("training", "validation", "testing") for i in data[s]), key=lambda i: i["image"])


NIH_OPTIONS = ("--map", "image=Image Index", "--map", "patient=Patient ID", "--set", "images.listed=Finding Labels")


def test_a_list_of_findings_and_a_header_with_empty_columns(prepare):
    boxes = ("--boxes", "boxes.csv", "--set", "boxes.id=Image Index", "--set", "boxes.label=Finding Label")
    boxes += ("--set", "boxes.xywh=['Bbox [x', y, w, 'h]']")
    data = prepare("nih.csv", *NIH_OPTIONS, "--labels", "Cardiomegaly,Emphysema,Effusion", *boxes)
    found = items(data)
    assert [i["label"] for i in found] == [[1, 0, 0], [1, 1, 0], [0, 0, 0], [None] * 3, [0, 0, 1], [0, 0, 0]]
    assert found[0]["boxes"] == [[2.5, 3.5, 13.0, 15.75]]
    assert {item["patient"] for item in found} == set("123456")


def test_a_class_of_several_listed_findings(prepare):
    rule = "labels.Opacity={any: [Cardiomegaly, Mass], none: No Finding}"
    data = prepare("nih.csv", *NIH_OPTIONS, "--set", rule)
    found = items(data)
    assert [i["label"] for i in found] == [[1], [1], [0], [None], [None], [1]]


def test_a_finding_that_is_misspelt_is_not_absent_everywhere(prepare, capsys):
    assert prepare("nih.csv", *NIH_OPTIONS, "--labels", "Cardiomegally") is None
    assert "column 'Finding Labels': lists no 'Cardiomegally'; did you mean 'Cardiomegaly'?" in capsys.readouterr().err


def test_other_separators(prepare, tmp_path):
    (tmp_path / "nih.csv").write_text(NIH.replace("|", ";"))
    listed = "images.listed={column: Finding Labels, separator: ';'}"
    data = prepare("nih.csv", *NIH_OPTIONS[:4], "--set", listed, "--labels", "Emphysema")
    found = items(data)
    assert [i["label"] for i in found] == [[0], [1], [0], [None], [0], [0]]


@pytest.mark.parametrize(
    ("pattern", "first"),
    [(r"patient\d+", "patient00001"), (r"patient(\d+)", "00001"), (r"train/([^/]+)/", "patient00001")],
)
def test_a_patient_that_stands_in_the_path_alone(prepare, pattern, first, capsys):
    patient = f"images.patient={{column: Path, extract: '{pattern}'}}"
    data = prepare("chexpert.csv", "--map", "image=Path", "--set", patient, "--labels", "Effusion=Pleural Effusion")
    where = {}
    for section in ("training", "validation", "testing"):
        for item in data[section]:
            where.setdefault(item["patient"], set()).add(section)
    assert first in where
    assert len(where) == 4
    assert all(len(sections) == 1 for sections in where.values())
    assert "warning" not in capsys.readouterr().err


def test_without_a_patient_a_warning_says_what_may_happen(prepare, capsys):
    assert prepare("chexpert.csv", "--map", "image=Path", "--labels", "Effusion=Pleural Effusion")
    assert "warning: no patient is given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (["--set", "images.repeated=majority"], [[0], [1], [-1]]),
        (["--set", "images.repeated=any"], [[1], [1], [1]]),
        (["--set", "images.repeated=all"], [[0], [1], [0]]),
        (["--where", "rad_id=R1"], [[0], [1], [1]]),
    ],
)
def test_readers_who_disagree(prepare, options, labels):
    data = prepare("vindr.csv", "--map", "image=image_id", "--labels", "Cardiomegaly", *options)
    found = items(data)
    assert [item["label"] for item in found] == labels


@pytest.mark.parametrize("options", [[], ["--set", "images.repeated=true"]])
def test_the_refusal_names_the_rules(prepare, options, capsys):
    assert prepare("vindr.csv", "--map", "image=image_id", "--labels", "Cardiomegaly", *options) is None
    said = capsys.readouterr().err
    assert "set images.repeated to majority, any, all" in said
    assert "one reader by where" in said


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('images.patient={column: Path, extract: "patient\\d+"}', "put patterns into single quotes"),
        ("images.patient={column: Path, extract: '('}", "is not a regular expression"),
        ("images.patient={colum: Path}", "names no column"),
        ("images.repeated=most", "give true, majority, any, all, or false"),
        ("images.listed={separator: '|'}", "listed: names no column"),
        ("boxes.id=[a]", "names no column"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(prepare, option, said, capsys):
    boxes = ("--boxes", "boxes.csv", "--set", "boxes.xywh=[a, b, c, d]") if option.startswith("boxes") else ()
    done = prepare(
        "chexpert.csv", "--map", "image=Path", "--labels", "Effusion=Pleural Effusion", *boxes, "--set", option
    )
    assert done is None
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert said in printed


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("nih_chestxray14", "Data_Entry_2017_v2020.csv", NIH),
        ("chexpert", "CheXpert-v1.0-small/train.csv", None),
        ("vindr_cxr", "image_labels_train.csv", None),
    ],
)
def test_the_mappings_that_come_with_the_tool(tmp_path, name, file, content):
    findings = "Atelectasis,Cardiomegaly,Consolidation,{},Lung Opacity,Pneumothorax"
    if name == "chexpert":
        rows = [
            f"CheXpert-v1.0-small/train/patient0000{p}/study1/view1_frontal.jpg,Frontal,1.0,0.0,,-1.0,,\n"
            for p in "1234"
        ]
        content = f"Path,Frontal/Lateral,{findings.format('Pleural Effusion')}\n" + "".join(rows)
    elif name == "vindr_cxr":
        rows = [
            f"{image},{reader},0,{vote},0,0,0,0\n"
            for image in "abcd"
            for reader, vote in (("R1", 1), ("R2", 1), ("R3", 0))
        ]
        content = f"image_id,rad_id,{findings.format('Pleural effusion')}\n" + "".join(rows)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    (tmp_path / "BBox_List_2017.csv").write_text(BOXES)
    out = tmp_path / "out.json"
    assert main(["csv", "--mapping", name, "--root", str(tmp_path), "--no-check-files", "--output", str(out)]) == 0
    data = json.loads(out.read_text())
    first = items(data)[0]
    expected = {"chexpert": [1, 0, None, -1, None, None, None, None], "vindr_cxr": [0, 1, 0, 0, None, None, 0, 0]}
    assert first["label"] == expected.get(name, [0, 1, 0, 0, 0, 0, None, 0])
    assert first.get("boxes") == ([[2.5, 3.5, 13.0, 15.75]] if name == "nih_chestxray14" else None)
