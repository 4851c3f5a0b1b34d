from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import yaml
from PIL import Image

from cxr_common.data import load_datalist, read_datalist, write_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation.scored import Scored
from cxr_common.labels import LABELS
from tests.golden import REPOSITORY, SHARED
from tests.tools.results.test_localizers import make
from tools.nih.nih import BOX_FINDINGS, BOXED, Nih, boxed_images, by_box_finding, is_made
from tools.results.figures import check_claims
from tools.results.localizers import relabelled
from tools.results.record import read_result
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

ITEM = {
    "image": "a.png",
    "patient": "p",
    "label": [1, 0, 0, 0, 0, 0, 1, 0],
    "findings": ["Atelectasis", "Pneumonia", "Edema"],
    "boxes": [[0, 0, 4, 4], [4, 4, 8, 8]],
    "box_labels": [LABELS.index("Atelectasis"), LABELS.index("Opacity")],
    "box_findings": ["Atelectasis", "Pneumonia"],
}


def test_an_item_by_box_findings():
    found = by_box_finding(ITEM)
    names = list(BOX_FINDINGS)
    assert [names[c] for c in found["box_labels"]] == ["Atelectasis", "Pneumonia"]
    assert [name for name, value in zip(names, found["label"], strict=True) if value] == ["Atelectasis", "Pneumonia"]


@pytest.fixture
def boxed(tmp_path):
    """A datalist of one boxed image, changed."""

    def write(**change):
        Image.new("L", (16, 16)).save(tmp_path / "a.png")
        item = {**ITEM, "patient_in_cxr_train": 0, "findings": ["Atelectasis", "Pneumonia"], **change}
        data = {"labels": list(LABELS), "localisation": [{k: v for k, v in item.items() if v is not None}]}
        write_datalist(data, tmp_path / "nih.json")
        return boxed_images(tmp_path / "nih.json", tmp_path)

    return write


def test_patients_that_other_weights_learned_from_are_not_scored(boxed):
    assert len(boxed()) == 1 and boxed(patient_in_cxr_train=1) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"patient_in_cxr_train": None}, "is None, not 0 or 1"),
        ({"patient_in_cxr_train": "False"}, "is 'False', not 0 or 1"),
        ({"boxes": None, "box_labels": None, "box_findings": None}, "has no boxes"),
        ({"box_findings": ["Atelectasis", "Opacity"]}, "has a box of Opacity"),
        ({"findings": ["Pneumonia"]}, "has a box of Atelectasis, and its labels not"),
    ],
)
def test_boxed_images_that_say_not_all_are_refused(boxed, change, reason):
    with pytest.raises(InputError, match=reason):
        boxed(**change)


def test_what_a_work_folder_holds_must_be_made_from_the_same(tmp_path):
    """Trainings are known by what their data are made from: old data would pass for new ones."""
    chests, parts = tmp_path / "chests.json", {"real": ["a", "b"], "simulated": {"seed": 1, "training": None}}
    assert not is_made(chests, {"real": ["older"]})  # and was killed before it was made
    assert not is_made(chests, parts)
    chests.write_text("made")
    assert is_made(chests, parts)
    for other in ({**parts, "real": ["a", "c"]}, {**parts, "simulated": {"seed": 2, "training": None}}):
        with pytest.raises(InputError, match="made from other images"):
            is_made(chests, other)
    (tmp_path / "older").mkdir()
    assert is_made(tmp_path / "older", parts)  # from before there were notes


def test_infiltration_and_pneumonia_are_read_off_the_opacity_map():
    p = relabelled(make(0.5, 1.0, 0, n=4), BOX_FINDINGS)
    opacity = make(0.5, 1.0, 0, n=4).logits[:, LABELS.index("Opacity")]
    for name in ("Infiltration", "Pneumonia"):
        np.testing.assert_array_equal(p.logits[:, p.labels.index(name)], opacity)
    assert "Consolidation" not in p.labels and len(p.labels) == 8 == p.maps.shape[1]


def scored(hit_rate, skill, seed):
    """A method on the three test sets."""
    p = make(hit_rate, skill, seed, n=40)
    items = [
        {**i, "findings": ["Pneumonia"] * (n % 2), "box_findings": ["Nodule", "Infiltration"][: len(i["boxes"])]}
        | {"view": ("PA", "AP")[n // 20], "label": [0] * 8}
        for n, i in enumerate(p.items)
    ]
    p = dataclasses.replace(p, items=items)
    boxes = relabelled(dataclasses.replace(p, items=[by_box_finding(i) for i in items]), BOX_FINDINGS)
    return {"boxes": Scored.of(boxes), "nih": Scored.of(p), "phantoms": Scored.of(p)}


@pytest.fixture(scope="module")
def record():
    settings = load_settings(REPOSITORY / "tools" / "nih" / "nih.yaml")
    made = {"pylon": scored(0.9, 1.5, 1), "cam": scored(0.2, 1.0, 2)}
    methods = {test: {name: {0: one[test]} for name, one in made.items()} for test in ("boxes", "nih", "phantoms")}
    experiment = Nih.__new__(Nih)  # without its data
    experiment.settings = settings
    tests = experiment.score_tests(methods)
    claims = [claim.model_dump(by_alias=True) for claim in check_claims(settings["claims"], tests)]
    return {"recipe": settings, "tests": {t.name: t.record().model_dump() for t in tests}, "claims": claims}


def test_points_are_scored_by_nihs_findings(record):
    boxes = record["tests"]["boxes"]
    assert {name for name, count in boxes["counts"].items() if count} == {"Nodule", "Infiltration"}
    micro = boxes["figures"]["point"]["micro"]
    assert micro["methods"]["pylon"]["value"] > 0.7
    assert micro["difference"]["pylon"]["low"] > 0


def test_image_labels_are_scored_on_the_classes_with_boxes(record):
    part = record["tests"]["nih"]
    auroc = {name: figure["methods"]["pylon"] for name, figure in part["figures"]["auroc"].items()}
    assert set(part["figures"]["ap"]) == {"macro", *BOXED} and len(BOXED) == 7
    assert auroc["macro"]["value"] == pytest.approx(np.mean([auroc[label]["value"] for label in BOXED]))
    assert (part["counts"]["PA"], part["counts"]["AP"], part["counts"]["Pneumonia"]) == (20, 20, 20)
    assert auroc["PA"]["n_images"] == 20 and {"AP", "Pneumonia"} <= set(auroc)


def test_claims_say_what_is_measured(record):
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert verdicts["points better than CAM"] == "holds"
    assert verdicts["a global-pooling branch harms points"] == "not measured"


def test_goals_are_compared_with_what_was_measured(record):
    text = render_macro("nih", "goals", record)
    assert "at least .62 | .95" in text and "**no**" not in text
    record = copy.deepcopy(record)
    record["tests"]["boxes"]["figures"]["point"]["micro"]["methods"]["pylon"]["value"] = 0.61
    assert "**no**" in render_macro("nih", "goals", record)


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images with boxes (../shared/nih) are not here")
def test_a_quick_run_from_data_to_record(tmp_path, monkeypatch):
    settings = yaml.safe_load((REPOSITORY / "tools" / "nih" / "nih.yaml").read_text())
    settings["methods"] = {name: settings["methods"][name] for name in ("pylon", "cam", "cam_scaled")}
    settings["claims"] = [c for c in settings["claims"] if {c["first"], c["second"]} <= set(settings["methods"])]
    settings["quick"]["cycles"][0] |= {"spatial_size": [64, 64], "epoch_size": 48, "backbone_weights": None}
    path = tmp_path / "nih.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    options = Options(path, tmp_path / "work", SHARED / "nih", tmp_path / "out", quick=True)
    Nih(options).run()
    found = read_result(tmp_path / "out" / "nih.json")
    assert found["quick"] and found["missing"] == [] and found["tests"]["boxes"]["n_images"] == 652
    assert sum(found["tests"]["boxes"]["counts"].values()) == 727 and found["tests"]["nih"]["n_images"] == 1126
    training = read_datalist(tmp_path / "work" / "nih_training.json")
    learned = {i["patient"] for s in ("training", "validation") for i in training[s]}
    scored_on = load_datalist(tmp_path / "work" / "nih14.json", "localisation", SHARED / "nih")
    assert not learned & {i["patient"] for i in scored_on}
    synthetic = [i for i in training["validation"] if i["source"] != "nih"]
    assert synthetic and all(i["label"] == [None] * 8 and "boxes" in i for i in synthetic)
    assert all("boxes" not in i for s in ("training", "validation") for i in training[s] if i["source"] == "nih")
    assert (tmp_path / "work" / "nih-gallery.png").stat().st_size > 5000
    for macro in ("summary", "methods", "by_class", "overlaps", "labels", "claims", "phantoms"):
        assert "PYLON" in render_macro("nih", macro, found)
    assert "simulated" in render_macro("nih", "training", found)
    (tmp_path / "work" / "nih_training.json").unlink()
    monkeypatch.setattr("tools.nih.nih.make_training", lambda *_: pytest.fail("nothing is trained"))
    Nih(options).run()
    assert read_result(tmp_path / "out" / "nih.json") == found
