import json
import subprocess
import sys
from zipfile import ZipFile

import pytest
import yaml

from cxr_common.data import load_datalist, read_datalist
from cxr_common.labels import LABELS
from cxr_tools.prepare.__main__ import main
from tests.golden import REPOSITORY, SHARED, needs_radiographs


def options(root):
    return [
        *("csv", "--root", str(root), "--images", "manifest.csv", "--map", "image=file", "--map", "patient=person"),
        *("--map", "split=part", "--labels", "Mass,Opacity=Infiltration|Edema", "--missing", "-9", "--missing", "?"),
        *("--where", "case=c1", "--where", "case=c2", "--where", "none=0", "--map", "id=case"),
        *(
            "--boxes",
            "boxes.csv",
            "--set",
            "boxes.id=case",
            "--set",
            "boxes.label=kind",
            "--set",
            "boxes.where.reader=B",
        ),
        *("--set", "boxes.xywh=[x, y, w, h]", "--set", "boxes.classes.Infiltrate=Opacity"),
    ]


def test_csv_by_options(root, capsys):
    output = root / "out.json"
    assert main([*options(root), "--output", str(output)]) == 0
    assert read_datalist(output) == {
        "labels": ["Mass", "Opacity"],
        "training": [{"image": "images/1.png", "patient": "p1", "label": [1, 0]}],
        "validation": [
            {"image": "images/2.png", "patient": "p2", "label": [0, 1], "boxes": [[4, 4, 5, 5]], "box_labels": [1]}
        ],
        "testing": [],
    }
    printed = capsys.readouterr().out
    assert "validation  1 images, 1 patients, 1 boxes on 1 images annotated with boxes" in printed
    assert "Opacity  0 / 1 / 0 / 0            1 / 0 / 0 / 0" in printed


def test_csv_options_override_a_mapping_file(root, mapping):
    (root / "m.yaml").write_text(yaml.safe_dump(mapping))
    output = root / "out.json"
    argv = ["csv", "--mapping", str(root / "m.yaml"), "--root", str(root), "--output", str(output)]
    assert main([*argv, "--set", "masks=null", "--labels", "Opacity=none", "--set", "boxes.classes.Mass=null"]) == 0
    assert load_datalist(output, "testing", labels=["Opacity"])[0]["label"] == [1]


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (["--where", "case"], "'case' is not of the form KEY=VALUE"),
        (["--map", "split=person"], "line 2 column 'person': 'p1' is not a split"),
        (["--set", "images.suffix=.gz"], "training[0].image: no such file"),
        (["--fractions", "1"], "--fractions: '1' is not two numbers"),
        *((["--fractions", text], "leaves nothing for training") for text in ("nan,nan", "0,nan", "inf,0", ".5,.5")),
        (["--labels", "Mass,Mass=none"], "names 'Mass' twice"),
        (["--labels", "Mass,"], "has a label without a name"),
    ],
)
def test_bad_input_is_one_message_and_status_1(root, capsys, extra, reason):
    output = root / "out.json"
    assert main([*options(root), *extra, "--output", str(output)]) == 1
    assert reason in capsys.readouterr().err and not output.exists()


def test_the_module_runs():
    argv = [sys.executable, "-m", "cxr_tools.prepare", "--help"]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0 and "merge" in done.stdout, done.stderr


def test_check(root, capsys):
    path = root / "d.json"
    data = {
        "labels": ["Mass"],
        "training": [{"image": "images/1.png", "label": [1]}],
        "testing": [{"image": "gone.png"}],
    }
    path.write_text(json.dumps(data))
    assert main(["check", str(path)]) == 1
    assert "testing[0].image: no such file" in capsys.readouterr().err
    assert main(["check", str(path), "--no-check-files"]) == 0
    assert "Mass  1 / 0 / 0 / 0            0 / 0 / 0 / 0            0 / 0 / 0 / 1" in capsys.readouterr().out


def test_merge_moves_paths_and_joins_labels(root):
    for name, labels, item in (
        ("one", ["Mass"], {"image": "a.png", "patient": "1", "label": [1], "mask": {"Mass": "m.png"}}),
        ("two", ["Edema", "Mass"], {"image": "x/a.png", "patient": "2", "label": [0, -1]}),
    ):
        (root / name / "x").mkdir(parents=True)
        for file in ("a.png", "x/a.png", "m.png"):
            (root / name / file).touch()
        (root / name / "d.json").write_text(json.dumps({"labels": labels, "training": [item]}))
    sources = [str(root / "one" / "d.json"), str(root / "two" / "d.json")]
    output = root / "merged" / "d.json"
    assert main(["merge", *sources, "--output", str(output)]) == 0
    data = read_datalist(output)
    assert data["labels"] == ["Mass", "Edema"]
    assert data["training"] == [
        {"image": "../one/a.png", "patient": "1", "label": [1, None], "mask": {"Mass": "../one/m.png"}},
        {"image": "../two/x/a.png", "patient": "2", "label": [-1, 0]},
    ]
    assert load_datalist(output, "training")[1]["image"] == str(root / "two" / "x" / "a.png")
    assert main(["merge", *sources, "--labels", "shared", "--output", str(output)]) == 0
    assert read_datalist(output)["labels"] == list(LABELS)


def test_merge_refuses_a_patient_in_two_splits_and_wrong_roots(root, capsys):
    for name, section in (("one", "training"), ("two", "testing")):
        item = {"image": f"{name}.png", "patient": "1", "label": [1]}
        (root / f"{name}.json").write_text(json.dumps({"labels": ["Mass"], section: [item]}))
    argv = ["merge", str(root / "one.json"), str(root / "two.json"), "--output", str(root / "out.json")]
    assert main([*argv, "--no-check-files"]) == 1
    assert "testing[0].patient: '1' is also in another split" in capsys.readouterr().err
    assert main([*argv, "--root", str(root)]) == 1
    assert "1 roots for 2 datalists" in capsys.readouterr().err
    assert main([*argv, "--no-check-files", "--names", "a", "b"]) == 0
    data = read_datalist(root / "out.json")
    assert (data["training"][0]["patient"], data["testing"][0]["patient"]) == ("a:1", "b:1")


def test_merge_leaves_out_whom_another_datalist_scores(root, capsys):
    sections = {
        "a": {"training": "123", "validation": "4"},
        "b": {"training": "45", "testing": "1", "localisation": "2"},
    }
    for name, found in sections.items():
        data = {
            section: [{"image": f"{name}{p}.png", "patient": p, "label": [1]} for p in patients]
            for section, patients in found.items()
        }
        (root / f"{name}.json").write_text(json.dumps({"labels": ["Mass"], **data}))
    argv = ["merge", str(root / "a.json"), str(root / "b.json"), "--no-check-files", "--output", str(root / "out.json")]
    assert main([*argv, "--leave-out-leaks"]) == 0
    data = read_datalist(root / "out.json")
    kept = {section: [item["image"] for item in data[section]] for section in data if section != "labels"}
    assert kept == {
        "training": ["a3.png", "b5.png"],
        "validation": ["a4.png"],
        "testing": ["b1.png"],
        "localisation": ["b2.png"],
    }
    assert "localisation  1 images" in capsys.readouterr().out


@needs_radiographs
def test_real_radiographs_and_annotations(tmp_path):
    output = tmp_path / "nih.json"
    root = SHARED / "cxr"
    assert main(["csv", "--mapping", "shared_cxr_nih", "--root", str(root), "--output", str(output)]) == 0
    data = read_datalist(output)
    assert data["labels"] == list(LABELS)
    assert {section: len(data[section]) for section in ("training", "validation", "testing")} == {
        "training": 770,
        "validation": 114,
        "testing": 89,
    }
    boxed = [i for section in ("training", "validation", "testing") for i in data[section] if "boxes" in i]
    assert len(boxed) == 28 and sum(len(i["boxes"]) for i in boxed) == 29
    classes = [LABELS[c] for i in boxed for c in i["box_labels"]]
    assert {name: classes.count(name) for name in set(classes)} == {"Opacity": 27, "Cardiomegaly": 1, "Pneumothorax": 1}
    [item] = [i for i in data["validation"] + data["testing"] if "nih_00000193_019" in i["image"]]
    assert item["boxes"] == [[351.86, 308.5, 461.09, 433.09]] and item["patient_number"] == 193
    assert load_datalist(output, "testing", base_dir=root)[0]["image"].startswith(str(root))


@needs_radiographs
def test_the_genuine_table_of_the_rsna_challenge(tmp_path):
    with ZipFile(SHARED / "cxr" / "annotations" / "rsna" / "stage_2_train_labels.csv.zip") as file:
        file.extractall(tmp_path)
    output = tmp_path / "rsna.json"
    argv = ["csv", "--mapping", "rsna", "--root", str(tmp_path), "--output", str(output), "--no-check-files"]
    assert main([*argv, "--fractions", "0,0"]) == 0
    items = read_datalist(output)["training"]
    opacity = LABELS.index("Opacity")
    present = [item for item in items if item["label"][opacity] == 1]
    assert (len(items), len(present), sum(len(item["boxes"]) for item in items)) == (26684, 6012, 9555)
    assert all(bool(item["boxes"]) == (item["label"][opacity] == 1) for item in items)
    [item] = [item for item in items if "00436515-870c-4b36-a041-de91049b9ab4" in item["image"]]
    assert item["image"] == "stage_2_train_images/00436515-870c-4b36-a041-de91049b9ab4.dcm"
    assert item["boxes"] == [[264, 152, 264 + 213, 152 + 379], [562, 152, 562 + 256, 152 + 453]]


@needs_radiographs
def test_real_masks(tmp_path):
    output = tmp_path / "ieee.json"
    root = SHARED / "cxr"
    assert main(["csv", "--mapping", "shared_cxr_ieee8023", "--root", str(root), "--output", str(output)]) == 0
    items = load_datalist(output, base_dir=root)
    masked = [item for item in items if "mask" in item]
    assert len(items) == 302 and len(masked) == 31 and {item["mask_origin"] for item in masked} == {"expert"}
    counts = {name: sum(name in item["mask"] for item in masked) for name in read_datalist(output)["labels"]}
    assert counts == {
        "Opacity": 0,
        "Consolidation": 11,
        "Ground-Glass Opacity": 30,
        "Effusion": 1,
        "Pneumothorax": 1,
    }
    assert all(item["label"][1:] == [None] * 4 for item in items)
