from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from cxr_common.errors import InputError
from cxr_common.evaluation import BoxPredictions
from cxr_common.labels import LABELS
from tests.golden import REPOSITORY, SHARED
from tools.nih.box_outcomes import MOST_BOXES, BoxOutcome, pack_boxes, unpack_boxes
from tools.nih.detection_data import NihBoxes, Pointer, point_table
from tools.nih.nih import BOX_FINDINGS
from tools.nih.nih_detection import NihDetection, box_test, hashes_of, label_test, point_test
from tools.results.detection import with_curves, write_annotations
from tools.results.figures import check_claims
from tools.results.plan import plan_runs
from tools.results.record import read_result
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "nih" / "nih_detection.yaml"
MASS, OPACITY = LABELS.index("Mass"), LABELS.index("Opacity")
FINDINGS = ("Mass", "Infiltration", "Pneumonia")


def boxed(n=12):
    """Images of 128 x 128 with one box each, in turn of Mass, Infiltration and Pneumonia; Effusion is labelled too."""
    items = []
    for i in range(n):
        name = FINDINGS[i % 3]
        label = [0] * len(LABELS)
        label[LABELS.index(BOX_FINDINGS[name])] = label[LABELS.index("Effusion")] = 1
        own = {"boxes": [[20, 20, 60, 60]], "box_labels": [LABELS.index(BOX_FINDINGS[name])], "box_findings": [name]}
        items.append({"image": f"{i}.png", "patient": str(i), "label": label, "findings": [name, "Effusion"], **own})
    return items


def detected(items, right):
    """The first ``right`` images' boxes are found; in the others a box lies elsewhere. Effusion is found everywhere."""
    rows = np.zeros((len(items), 3, 6), np.float32)
    rows[:, 2, 5] = -1
    rows[:, 0] = [70, 70, 110, 110, 0.9, LABELS.index("Effusion")]
    for n, item in enumerate(items):
        box, score = ([20, 20, 60, 60], 0.8) if n < right else ([80, 20, 120, 60], 0.3)
        rows[n, 1] = [*box, score, item["box_labels"][0]]
    label = np.array([item["label"] for item in items], np.float32)
    sizes = np.full((len(items), 2), 128)
    return BoxPredictions(
        labels=list(LABELS),
        items=items,
        sizes=sizes,
        input_size=(128, 128),
        rows=rows,
        logits=label.copy(),
        label=label,
    )


def others(n=10):
    """Images of other patients; every second one has a Mass."""
    return [
        {
            "image": f"o{i}.png",
            "patient": f"o{i}",
            "label": [None if c == OPACITY else int(c == MASS and i % 2) for c in range(8)],
        }
        for i in range(n)
    ]


def outcome(right, items, labelled):
    scores = np.array([[float(v or 0) for v in item["label"]] for item in labelled])
    return BoxOutcome({}, detected(items, right), scores, -scores)


def test_points_are_those_of_nihs_findings():
    items = boxed(6)
    table = point_table(detected(items, 4))
    names = list(BOX_FINDINGS)
    expected = np.full((6, len(names)), np.nan)
    for n in range(6):
        expected[n, names.index(FINDINGS[n % 3])] = n < 4
    np.testing.assert_array_equal(table, expected)


@pytest.fixture(scope="module")
def record():
    settings, items, labelled = load_settings(EXPERIMENT), boxed(), others()
    found = {"retinanet": {0: outcome(3, items, labelled)}, "oxnet": {0: outcome(12, items, labelled)}}
    hits = np.where(np.isnan(point_table(detected(items, 0))), np.nan, 0.0)
    hits[0, list(BOX_FINDINGS).index("Mass")] = 1
    localizers = {"pylon": Pointer(hits, outcome(0, items, labelled).scores)}
    tests = [
        box_test(items, found, "retinanet"),
        point_test(items, found, localizers, "pylon"),
        label_test(labelled, found, localizers, "retinanet"),
    ]
    return written(settings, tests)


def written(settings, tests):
    claims = [claim.model_dump(by_alias=True) for claim in check_claims(settings["claims"], tests)]
    about = {"weights_sha256": {}, "test_sha256": {"boxes": "b" * 64, "nih": "n" * 64}, "missing": ["gpa-seed0"]}
    about |= {"date": "today", "device": "CPU", "versions": {"torch": "2"}, "training_minutes": {}}
    return {"recipe": settings, "tests": {t.name: t.record().model_dump() for t in tests}, "claims": claims, **about}


def test_a_labelled_finding_without_a_box_costs_no_precision(record):
    boxes = record["tests"]["boxes"]
    assert boxes["counts"] == {"Mass": 4, "Opacity": 8}
    assert boxes["figures"]["AP40"]["macro"]["methods"]["oxnet"]["value"] == pytest.approx(1)
    assert boxes["figures"]["FROC"]["0.25"]["methods"]["oxnet"]["value"] == 1
    assert boxes["figures"]["AP40"]["macro"]["difference"]["oxnet"]["low"] > 0


def test_detectors_points_stand_beside_localisers(record):
    points = record["tests"]["points"]
    assert {name: count for name, count in points["counts"].items() if count} == dict.fromkeys(FINDINGS, 4)
    micro = points["figures"]["point"]["micro"]
    values = {name: interval["value"] for name, interval in micro["methods"].items()}
    assert values == pytest.approx({"retinanet": 3 / 12, "oxnet": 1, "pylon": 1 / 12})
    assert micro["difference"]["oxnet"]["value"] == pytest.approx(11 / 12)


def test_labels_are_scored_by_boxes_and_by_logits(record):
    figures = record["tests"]["nih"]["figures"]
    assert figures["AUROC of the best box"]["macro"]["methods"]["oxnet"]["value"] == 1
    heads = figures["AUROC of the image's logit"]["macro"]["methods"]
    assert (heads["oxnet"]["value"], heads["pylon"]["value"]) == (0, 1)
    assert record["tests"]["nih"]["counts"]["Mass"] == 5


def test_claims_and_pages_say_what_is_measured_and_what_is_not(record):
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert verdicts["every kind of annotation together beats boxes alone"] == "holds"
    assert verdicts["OXnet's best boxes point better than PYLON"] == "holds"
    assert verdicts["prototypes help beside alignment"] == "not measured"
    text = {macro: render_macro("nih_detection", macro, record) for macro in MACROS}
    assert "| boxes only (RetinaNet) | 1 | " in text["methods"]
    assert "| + alignment and prototypes | *not trained yet* |" in text["methods"]
    assert "Mass (4)" in text["classes"] and "| 50 | *not trained yet* |" in text["curve"]
    assert "| 200 | 1.00 [1.00, 1.00] | 1.00 [1.00, 1.00] |" in text["curve"]
    assert "| PYLON | .08 [" in text["points_by_finding"]
    assert "Planned and not trained yet: gpa-seed0" in text["training"]


MACROS = ("methods", "classes", "froc_rates", "points_by_finding", "curve", "claims", "training")


def test_pages_without_any_detector_show_localisers():
    settings, items, labelled = load_settings(EXPERIMENT), boxed(), others()
    localizers = {"pylon": Pointer(point_table(detected(items, 6)), np.zeros((10, 8)))}
    tests = [
        box_test(items, {}, "retinanet"),
        point_test(items, {}, localizers, "pylon"),
        label_test(labelled, {}, localizers, "retinanet"),
    ]
    record = written(settings, tests)
    assert {claim["verdict"] for claim in record["claims"]} == {"not measured"}
    text = {macro: render_macro("nih_detection", macro, record) for macro in MACROS}
    assert "| PYLON | .50 [" in text["points_by_finding"]
    assert text["methods"].count("*not trained yet*") == len(settings["methods"])
    for lines in (table.splitlines() for table in text.values()):
        widths = {line.count("|") for line in lines if line.startswith("|")}
        assert len(widths) <= 1, lines


def test_what_is_kept_is_what_is_scored(tmp_path):
    items, labelled = boxed(), others()
    found = detected(items, 5)
    found.rows = np.concatenate([found.rows, np.tile(found.rows[:, 1:2], (1, MOST_BOXES, 1))], axis=1)
    given = {"boxes": found, "nih": detected(labelled_as_boxed(labelled), 10)}
    arrays = pack_boxes(given)
    np.savez_compressed(tmp_path / "kept.npz", **arrays)
    with np.load(tmp_path / "kept.npz") as file:
        kept = unpack_boxes({"weights_sha256": "w"}, dict(file), items)
    assert kept.about == {"weights_sha256": "w"}
    assert kept.boxes.rows.shape == (12, MOST_BOXES, 6)
    np.testing.assert_allclose(kept.boxes.rows, found.rows[:, :MOST_BOXES], atol=0.05)
    np.testing.assert_array_equal(point_table(kept.boxes), point_table(found))
    np.testing.assert_array_equal(kept.logits, given["nih"].logits)
    assert kept.scores[0, LABELS.index("Effusion")] == pytest.approx(0.9)
    assert (tmp_path / "kept.npz").stat().st_size < 1e5


def test_without_images_of_labels_boxes_alone_are_kept():
    items = boxed()
    arrays = pack_boxes({"boxes": detected(items, 5)})
    assert not any(name.startswith("nih/") for name in arrays)
    kept = unpack_boxes({"weights_sha256": "w"}, arrays, items)
    assert kept.scores.shape == kept.logits.shape == (0, len(LABELS))


def test_simulated_findings_count_by_what_they_are_made_from(monkeypatch):
    monkeypatch.setattr("tools.nih.nih_detection.training_hash", lambda path: f"hash of {path}")
    counts = {"real": {"boxes": 9, "simulated": 0}, "both": {"boxes": 9, "simulated": 4}}
    lists = {"real": "real.json", "both": "both.json"}
    first = hashes_of(lists, counts, "lungs and seed")
    assert first["real"] == "hash of real.json" != first["both"]
    assert hashes_of(lists, counts, "another seed")["both"] != first["both"]
    more = {**counts, "both": {"boxes": 9, "simulated": 5}}
    assert hashes_of(lists, more, "lungs and seed")["both"] != first["both"]


def test_too_few_simulated_findings_end_a_whole_run_before_it_trains(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(NihDetection, "__init__", lambda self: None)
    monkeypatch.setattr(NihDetection, "make_simulated", lambda self: tmp_path / "made.json")
    monkeypatch.setattr("tools.nih.nih_detection.load_datalist", lambda path, section: [{}] * 3)
    monkeypatch.setattr(NihDetection, "write_datalists", lambda self, pools: written.append(len(pools["simulated"])))
    experiment = NihDetection()
    experiment.nih = NihBoxes(tmp_path, {}, [], [], [])
    experiment.options = Options(EXPERIMENT, tmp_path, tmp_path, tmp_path)
    wanted = {"images": {"boxes": 1, "simulated": 0}, "methods": {"more": {"images": {"simulated": 4}}}}
    experiment.settings = {**wanted, "quick": False}
    with pytest.raises(InputError, match="asks for 4 simulated findings, 3 were made"):
        experiment.before_training()
    experiment.settings = {**wanted, "quick": True}
    experiment.before_training()
    assert written == [3]


def labelled_as_boxed(labelled):
    return [{**item, "boxes": [[0, 0, 1, 1]], "box_labels": [MASS]} for item in labelled]


def test_methods_differ_in_terms_encoder_and_boxes(tmp_path):
    settings = load_settings(EXPERIMENT)
    planned = {run.name: run for run in plan_runs(settings, tmp_path, with_curves(settings))}
    assert {"retinanet-seed2", "oxnet-seed2", "averaged-seed0", "oxnet_boxes_0-seed0", "oxnet_boxes_100-seed0"} <= set(
        planned
    )
    alone = {**planned["averaged-seed0"].overrides}
    assert alone.pop("keep_teacher") is True
    assert {**alone, "keep_teacher": False} == planned["retinanet-seed0"].overrides
    assert planned["oxnet_boxes_0-seed0"].overrides["boxes_per_batch"] == 0
    weights = planned["oxnet_cam-seed0"].backbone_weights()
    assert weights.resolve() == REPOSITORY / "bundles" / "cxr_gradcam_classification" / "models" / "model.pt"
    config = (planned["oxnet-seed0"].bundle / "configs" / "train.yaml").read_text(encoding="utf-8")
    for run in planned.values():
        assert all(f"\n{key}:" in config or key.startswith("train#") for key in run.overrides)
    assert json.dumps(settings)


def test_a_method_takes_the_first_images_of_each_kind_and_no_more_than_there_are(tmp_path):
    settings = load_settings(EXPERIMENT) | {"images": {"boxes": 4, "label": 2, "unlabelled": 1}}
    settings["methods"] = {"oxnet": settings["methods"]["oxnet"], "few": {"images": {"boxes": 2}, "overrides": {}}}
    settings["curves"] = {"of": "oxnet", "seeds": [0], "images": {"boxes": [0]}}
    folder = tmp_path / "images"
    items = [{**item, "image": str(folder / item["image"])} for item in boxed(9)]
    pools = {"boxes": items[:4], "label": items[4:6], "unlabelled": items[6:8]}
    made = write_annotations(settings, pools, items[8:], tmp_path / "lists")
    read = {name: json.loads(path.read_text())["training"] for name, path in made.items()}
    assert [len(read[name]) for name in ("oxnet", "few", "oxnet_boxes_0")] == [7, 5, 3]
    assert read["few"][:2] == read["oxnet"][:2]
    assert ["boxes" in i for i in read["few"]] == [True, True, False, False, False]
    assert ["label" in i for i in read["few"]] == [True] * 4 + [False]
    settings["images"]["boxes"] = 5
    with pytest.raises(InputError, match="oxnet wants 5 images with boxes, there are 4"):
        write_annotations(settings, pools, items[8:], tmp_path / "more")


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images with boxes (../shared/nih) are not here")
def test_a_quick_run_from_images_to_record(tmp_path):
    settings = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    settings["methods"] = {name: settings["methods"][name] for name in ("retinanet", "oxnet")}
    settings["claims"] = [c for c in settings["claims"] if {c["first"], c["second"]} <= {"retinanet", "oxnet", "pylon"}]
    settings["quick"]["overrides"] |= {"spatial_size": [64, 64], "width": 16}
    settings["quick"]["curves"]["images"] = {}
    settings["data"] = str(EXPERIMENT.with_name("nih.yaml"))
    path = tmp_path / "nih_detection.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    options = Options(path, tmp_path / "work", SHARED / "nih", tmp_path / "out", quick=True)
    NihDetection(options).run()
    found = read_result(tmp_path / "out" / "nih_detection.json")
    assert found["quick"] and found["missing"] == [] and found["tests"]["boxes"]["n_images"] == 24
    assert set(found["weights_sha256"]) == {"retinanet-seed0", "oxnet-seed0"}
    assert {"pylon", "cam", "oxnet"} <= set(found["tests"]["points"]["figures"]["point"]["micro"]["methods"])
    for name in ("retinanet-seed0", "oxnet-seed0"):
        assert (tmp_path / "out" / "outcomes" / "nih_detection" / f"{name}.npz").exists()
        for file in (tmp_path / "work" / "nih_detection" / "runs" / name).glob("*.pt"):
            file.unlink()
    again = NihDetection(options)  # from outcomes alone
    assert all(again.is_known(run) for run in again.runs)
    for macro in MACROS:
        assert render_macro("nih_detection", macro, found)
