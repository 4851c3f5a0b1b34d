from __future__ import annotations

import json

import numpy as np
import pytest

from cxr_common.data import load_datalist
from cxr_common.evaluation import BoxPredictions
from cxr_common.labels import LABELS
from tests.bundles.conftest import phantoms  # noqa: F401
from tests.golden import REPOSITORY
from tools.results.detection import Detection, detection_test, make_annotations, with_curves
from tools.results.figures import check_claims
from tools.results.plan import plan_runs
from tools.results.settings import load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "results" / "detection.yaml"
OPACITY = LABELS.index("Opacity")


def predictions(found, n=8):
    """Images with a Mass and an Opacity box each; the first ``found`` are detected, Opacity never."""
    mass = LABELS.index("Mass")
    items = [
        {
            "image": f"{i}.png",
            "patient": str(i),
            "boxes": [[10, 10, 50, 50], [10, 10, 50, 50]],
            "box_labels": [mass, OPACITY],
        }
        for i in range(n)
    ]
    rows = np.zeros((n, 3, 6), np.float32)
    rows[:, :, 5] = -1
    rows[:found, 0] = [5, 5, 25, 25, 0.9, mass]
    rows[found:, 0] = [40, 40, 48, 48, 0.3, mass]
    label = np.zeros((n, len(LABELS)), np.float32)
    label[: n // 2, mass] = 1
    sizes = np.full((n, 2), 128)
    return BoxPredictions(
        labels=list(LABELS),
        items=items,
        sizes=sizes,
        input_size=(64, 64),
        rows=rows,
        logits=np.zeros_like(label),
        label=label,
    )


def test_figures_differences_and_claims():
    settings = load_settings(EXPERIMENT)
    given = {"retinanet": 2, "mean_teacher": 2, "oxnet": 8, "daa": 7, "gpa": 7}
    test = detection_test({name: {0: predictions(n)} for name, n in given.items()}, settings["baseline"])
    found = test.record()
    assert found.counts == {"Mass": 8}  # Opacity doubles Consolidation on phantoms
    ap = found.figures["AP40"]
    assert ap["macro"].methods["oxnet"]["value"] == pytest.approx(1)
    assert ap["macro"].methods["retinanet"]["value"] == pytest.approx(26 / 101)
    assert ap["macro"].difference["oxnet"]["value"] == pytest.approx(75 / 101)
    assert ap["Mass"].methods["daa"]["value"] == pytest.approx(88 / 101)
    assert list(found.figures) == ["AP40", "AP", "FROC", "AUROC"]
    claims = list(check_claims(settings["claims"], [test]))
    assert [claim.verdict for claim in claims] == ["holds", "holds", "not measured", "holds", "undecided"]
    record = {"recipe": settings, "missing": ["full", "soft_focal"], "tests": {"phantoms": found.model_dump()}}
    record["claims"] = [claim.model_dump(by_alias=True) for claim in claims]

    def text(macro):
        return render_macro("detection", macro, record)

    assert "all (OXnet)" in text("methods")
    assert "Planned and not trained yet: boxes on all images (RetinaNet), + soft focal" in text("methods")
    assert "AP40 is 1.00 [1.00, 1.00]. A RetinaNet that learns from the boxes alone reaches .26" in text("summary")
    assert "Mass (8)" in text("classes")
    assert "not measured" in text("claims")


def test_methods_differ_in_what_is_annotated_and_curves_are_nested(phantoms, tmp_path):  # noqa: F811
    settings = load_settings(EXPERIMENT) | {"validation": 4}
    settings["images"] = {"boxes": 4, "label": 6, "unlabelled": 8}
    settings["curves"] = {"of": "oxnet", "seeds": [0], "images": {"boxes": [2, 6], "label": [0], "unlabelled": [12]}}
    made = make_annotations(settings, phantoms / "datalist.json", tmp_path)
    kinds = {}
    for name, path in made.items():
        items = load_datalist(path, "training", require=())
        kinds[name] = (
            {i["image"] for i in items if "boxes" in i},
            {i["image"] for i in items if "label" in i and "boxes" not in i},
            {i["image"] for i in items if "label" not in i},
        )
        assert len(load_datalist(path, "validation")) == 4
        assert all("mask" not in item for item in items)
    assert [len(part) for part in kinds["oxnet"]] == [4, 6, 8]
    assert [len(part) for part in kinds["full"]] == [18, 0, 0]
    assert set.union(*kinds["oxnet"]) == kinds["full"][0]
    assert [len(part) for part in kinds["oxnet_boxes_6"]] == [6, 6, 8]
    assert kinds["oxnet_boxes_2"][0] < kinds["oxnet"][0] < kinds["oxnet_boxes_6"][0]
    assert kinds["oxnet_boxes_6"][1:] == kinds["oxnet"][1:]
    assert kinds["oxnet_label_0"][1] == set()


def test_every_method_is_the_bundle_with_terms_of_its_own(tmp_path):
    settings = load_settings(EXPERIMENT)
    planned = plan_runs(settings, tmp_path, with_curves(settings), Detection.prefix)
    runs = {run.method.removeprefix("detect_"): [run] for run in planned}
    assert set(settings["methods"]) < set(runs)
    assert {"oxnet_boxes_40", "oxnet_label_0", "oxnet_unlabelled_430"} <= set(runs)
    assert len({seeds[0].folder for seeds in runs.values()}) == len(runs)
    assert runs["oxnet_label_0"][0].overrides["labels_per_batch"] == 0
    assert "unlabelled_per_batch" not in runs["oxnet_label_0"][0].overrides
    config = (runs["oxnet"][0].bundle / "configs" / "train.yaml").read_text()
    for seeds in runs.values():
        for key in seeds[0].overrides:
            assert f"\n{key}:" in config or key.startswith("train#"), key
    assert json.dumps(settings)
    most = {kind: max([settings["images"][kind], *settings["curves"]["images"][kind]]) for kind in settings["images"]}
    assert sum(most.values()) <= settings["phantoms"]["training"]
