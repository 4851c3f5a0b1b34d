"""The mapping of ../shared/nih, and that nobody who is scored was learnt from."""

from collections import Counter

import pytest

from cxr_common.data import load_datalist, read_datalist
from cxr_common.labels import LABELS
from cxr_tools.prepare.__main__ import main
from tests.golden import SHARED, needs_radiographs

pytestmark = [
    needs_radiographs,
    pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images with boxes (../shared/nih) are not here"),
]
SCORED = ("testing", "localisation")
LEARNT = ("training", "validation")


def patients(items):
    return {item["patient"] for item in items}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nih")
    for name, root in (("shared_nih", "nih"), ("shared_cxr_nih", "cxr")):
        argv = ["csv", "--mapping", name, "--root", str(SHARED / root), "--output", str(folder / f"{name}.json")]
        assert main(argv) == 0
    return folder


@pytest.fixture(scope="module")
def nih(folder):
    return read_datalist(folder / "shared_nih.json")


@pytest.fixture(scope="module")
def cxr(folder):
    return read_datalist(folder / "shared_cxr_nih.json")


def test_sections_and_labels(nih, folder):
    sizes = {section: (len(nih[section]), len(patients(nih[section]))) for section in (*LEARNT, *SCORED)}
    assert sizes == {
        "training": (6884, 1922),
        "validation": (676, 226),
        "testing": (1126, 299),
        "localisation": (680, 566),
    }
    assert nih["labels"] == list(LABELS)
    for item in (item for section in sizes for item in nih[section]):
        found, label = set(item["findings"]), dict(zip(LABELS, item["label"], strict=True))
        opacity = 1 if found & {"Infiltration", "Pneumonia", "Consolidation", "Edema"} else None if found else 0
        assert label == {name: int(name in found) for name in LABELS} | {"Opacity": opacity}
        assert item["source"] == "nih" and item["view"] in ("AP", "PA") and item["sex"] in ("F", "M") and item["age"]
    positives = Counter(name for item in nih["training"] for name in item["findings"])
    assert (positives["Infiltration"], positives["Cardiomegaly"], positives["Pneumonia"]) == (840, 111, 73)
    loaded = load_datalist(folder / "shared_nih.json", "localisation", SHARED / "nih")
    assert loaded[0]["image"] == str(SHARED / "nih" / "boxed" / "00000032_037.jpg")


def test_boxes_keep_the_findings_own_name(nih):
    assert not any(
        "boxes" in item for section in nih if section not in ("labels", "localisation") for item in nih[section]
    )
    names = [name for item in nih["localisation"] for name in item["box_findings"]]
    classes = [LABELS[i] for item in nih["localisation"] for i in item["box_labels"]]
    assert Counter(names) == {
        "Atelectasis": 145,
        "Effusion": 129,
        "Cardiomegaly": 115,
        "Infiltration": 99,
        "Pneumonia": 80,
        "Pneumothorax": 70,
        "Nodule": 60,
        "Mass": 59,
    }
    opacity = ("Infiltration", "Pneumonia")
    assert classes == ["Opacity" if name in opacity else name for name in names]
    assert all(name in item["findings"] for item in nih["localisation"] for name in item["box_findings"])


def test_no_patient_that_is_scored_is_learnt_from(nih):
    learnt = [patients(nih[section]) for section in LEARNT]
    scored = [patients(nih[section]) for section in SCORED]
    groups = [*learnt, *scored]
    assert len(set().union(*groups)) == sum(map(len, groups))


def test_the_flag_names_the_boxed_images_of_patients_that_the_other_set_trains_on(nih, cxr):
    trained = patients(cxr["training"])
    flagged = [item for item in nih["localisation"] if item["patient_in_cxr_train"]]
    assert len(flagged) == 28
    assert flagged == [item for item in nih["localisation"] if item["patient"] in trained]


def test_both_sets_together_leak_unless_the_scored_win(folder, nih, cxr, tmp_path, capsys):
    # Without the rule, patients of one set's training are scored in the other: the identifiers do match.
    assert len(patients(cxr["training"]) & patients(nih["testing"])) == 3
    assert len(patients(nih["training"]) & patients(cxr["testing"])) == 24
    output = tmp_path / "both.json"
    argv = ["merge", str(folder / "shared_nih.json"), str(folder / "shared_cxr_nih.json"), "--output", str(output)]
    argv += ["--root", str(SHARED / "nih"), "--root", str(SHARED / "cxr")]
    assert main(argv) == 1 and "is also in another split" in capsys.readouterr().err and not output.exists()
    assert main([*argv, "--leave-out-leaks"]) == 0
    both = read_datalist(output)
    scored = {p for data in (nih, cxr) for section in SCORED for p in patients(data.get(section, []))}
    assert scored == patients(both["testing"]) | patients(both["localisation"])
    for section in LEARNT:
        assert both[section] and not scored & patients(both[section])
    assert not patients(both["training"]) & patients(both["validation"])
    # Nothing else is lost: what left training has a patient in a later section of either set.
    kept = patients(both["training"])
    later = scored | patients(nih["validation"]) | patients(cxr["validation"])
    assert kept == (patients(nih["training"]) | patients(cxr["training"])) - later
