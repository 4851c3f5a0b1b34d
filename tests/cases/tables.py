"""Rows H: public tables as they come, and boxes outside of their image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cases.product import Outcome, train
from tests.cases.table import Run, case
from tests.image_files import stored_grey, write_dicom

LISTS = ["Cardiomegaly", "Cardiomegaly|Emphysema", "No Finding", "Hernia", "Effusion", "Mass"]
TABLES = {
    "Data_Entry.csv": "Image Index,Finding Labels,Follow-up #,Patient ID,View Position\n"
    + "".join(f"0000000{i}_000.png,{listed},0,{i},PA\n" for i, listed in enumerate(LISTS, 1)),
    "BBox_List.csv": "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    "00000001_000.png,Cardiomegaly,2.5,3.5,10.5,12.25,,,\n",
    "chexpert.csv": "Path,Sex,Age,Frontal/Lateral,AP/PA,Cardiomegaly,Pleural Effusion\n"
    + "".join(
        f"CheXpert-v1.0-small/valid/patient0000{p}/study{s}/view1_frontal.jpg,Female,68,Frontal,AP,,{v}\n"
        for p, s, v in ((1, 1, "0.0"), (1, 2, "-1.0"), (2, 1, "1.0"), (2, 2, ""), (3, 1, "1.0"), (4, 1, ""))
    ),
    "vindr_labels.csv": "image_id,rad_id,Cardiomegaly\na,R1,0\na,R2,0\na,R3,1\nb,R1,1\nb,R2,1\nb,R3,1\n",
}


def prepared(run: Run, table: str, *options: str) -> tuple[Outcome, list[dict[str, Any]]]:
    """What `cxr_tools.prepare csv` says of a table, and the items of its datalist."""
    folder = run.inputs / "H_tables"
    folder.mkdir(exist_ok=True)
    for name, text in TABLES.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")
    output = run.folder / "prepared.json"
    output.unlink(missing_ok=True)
    arguments = ("csv", "--root", str(folder), "--images", table, "--no-check-files", "--output", str(output))
    outcome = run.product.tool("cxr_tools.prepare.__main__", *arguments, *options)
    data = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    sections = [data.get(name, []) for name in ("training", "validation", "testing")]
    return outcome, [dict(item, section=place) for place, section in enumerate(sections) for item in section]


@case("H1", "NIH: empty columns in a header, findings listed in one cell")
def nih(run: Run) -> None:
    options = ["--map", "image=Image Index", "--map", "patient=Patient ID", "--set", "images.listed=Finding Labels"]
    options += ["--boxes", "BBox_List.csv", "--set", "boxes.id=Image Index", "--set", "boxes.label=Finding Label"]
    options += ["--set", "boxes.xywh=['Bbox [x', y, w, 'h]']", "--labels", "Cardiomegaly,Emphysema"]
    outcome, items = prepared(run, "Data_Entry.csv", *options)
    outcome.works()
    found = {item["image"]: item for item in items}
    assert found["00000002_000.png"]["label"] == [1, 1]
    assert found["00000003_000.png"]["label"] == [0, 0]
    assert found["00000001_000.png"]["boxes"] == [[2.5, 3.5, 13.0, 15.75]]


@case("H2", "CheXpert: the patient is a part of the path, and stays in one section")
def chexpert(run: Run) -> None:
    options = ["--map", "image=Path", "--set", "images.patient={column: Path, extract: 'patient\\d+'}"]
    options += ["--labels", "Pleural Effusion", "--fractions", "0.25,0.25"]
    outcome, items = prepared(run, "chexpert.csv", *options)
    outcome.works()
    assert len(items) == 6
    places = {(item["patient"], item["section"]) for item in items}
    assert len(places) == len({item["patient"] for item in items}) == 4


@case("H3", "VinDr: readers who disagree are refused with the rules there are, or vote")
def vindr(run: Run) -> None:
    options = ["--map", "image=image_id", "--labels", "Cardiomegaly"]
    prepared(run, "vindr_labels.csv", *options)[0].refuses("majority", "any", "where")
    for rule, label in (("majority", [0]), ("any", [1])):
        outcome, items = prepared(run, "vindr_labels.csv", *options, "--set", f"images.repeated={rule}")
        outcome.works()
        assert {item["image"]: item["label"] for item in items} == {"a": label, "b": [1]}


@case("H4", "boxes outside of a DICOM are refused by check and training")
def boxes(run: Run) -> None:
    folder = run.folder / "boxes"
    folder.mkdir()
    write_dicom(folder / "a.dcm", stored_grey(12), BitsStored=12)  # 90 x 60
    items = [{"image": "a.dcm", "label": [1], "boxes": [[0, 0, 95, 20]], "box_labels": [0]}]
    path = Path(folder / "datalist.json")
    path.write_text(json.dumps({"labels": ["Mass"], "training": items, "validation": [], "testing": []}))
    run.product.tool("cxr_tools.prepare.__main__", "check", str(path)).refuses("1 problem")
    train(run.product, folder, run.folder / "boxes_run").refuses("box")
