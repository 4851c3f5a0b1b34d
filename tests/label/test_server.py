"""What a client of MONAI Label gets of each bundle, beside what the bundle's own run says of the same files."""

from __future__ import annotations

import io
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import nibabel
import numpy as np
import pytest
from PIL import Image

from tests.bundles.conftest import BUNDLES, DETECTORS
from tests.label.conftest import GOOD, PYTHON
from tests.label.server import Server

pytestmark = pytest.mark.slow
CLASSIFIER = "cxr_gradcam_classification"
SEGMENTER = "cxr_chexseg_segmentation"
MASKS = [f"{name}_masks" if name == CLASSIFIER else name for name in BUNDLES if name not in DETECTORS]


def test_all_models_are_there(server):
    models = server.get("/info/")["models"]
    assert set(models) == {*BUNDLES, f"{CLASSIFIER}_masks"}
    types = {name: models[name]["type"] for name in models}
    assert types[CLASSIFIER] == "classification"
    assert types["cxr_oxnet_detection"] == "detection"
    assert {types[name] for name in MASKS} == {"segmentation"}  # which 3D Slicer lists


def masks_of(record):
    """Class -> (width, height) of the masks that the bundle's run wrote."""
    files = record["files"].get("masks", {})
    return {
        name: np.asarray(nibabel.load(record["folder"] / path).dataobj).squeeze() > 0 for name, path in files.items()
    }


@pytest.mark.parametrize("file", GOOD)
@pytest.mark.parametrize("model", MASKS)
def test_masks_lie_where_the_run_puts_them(server, expected, model, file, tmp_path):
    record = expected[model.removesuffix("_masks")][file]
    answer = server.infer(model, file, result_extension=".nii.gz")
    assert answer.status == 200, answer.content
    (tmp_path / "mask.nii.gz").write_bytes(answer.content)
    volume = nibabel.load(tmp_path / "mask.nii.gz")
    width, height = record["size"]
    assert volume.shape[:2] == (width, height)
    assert volume.get_data_dtype() == np.uint8
    spacing = record["spacing_mm"] or [1.0, 1.0]
    np.testing.assert_allclose(volume.header.get_zooms()[:2], spacing, rtol=1e-5)
    np.testing.assert_allclose(np.diag(volume.affine)[:2], [-spacing[0], -spacing[1]], rtol=1e-5)
    values = np.asarray(volume.dataobj).reshape(width, height)
    masks = masks_of(record)
    union = np.any(list(masks.values()), 0) if masks else np.zeros((width, height), bool)
    np.testing.assert_array_equal(values > 0, union)
    numbers = server.get("/info/")["models"][model]["labels"]
    for name, mask in masks.items():
        assert not (values == numbers[name.lower()])[~mask].any()


@pytest.mark.parametrize("model", MASKS)
def test_a_png_of_the_picture_s_size(server, expected, model):
    answer = server.infer(model, "odd.png", result_extension=".png")
    width, height = expected[model.removesuffix("_masks")]["odd.png"]["size"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (width, height)
        assert image.mode == "L"


@pytest.mark.parametrize("file", GOOD)
@pytest.mark.parametrize("model", [*BUNDLES, f"{CLASSIFIER}_masks"])
def test_all_findings_come_along(server, expected, model, file):
    answer = server.infer(model, file, output="json")
    assert answer.status == 200, answer.content
    wanted = expected[model.removesuffix("_masks")][file]
    found = {finding["label"]: finding for finding in answer.json["findings"]}
    for finding in wanted["findings"]:
        other = found[finding["label"]]
        assert other["probability"] == pytest.approx(finding["probability"], abs=1e-4)
        assert other["decision"] == finding["decision"]
    assert len(found) == len(wanted["findings"]) == 8


@pytest.mark.parametrize("file", GOOD)
def test_the_classifier_s_scores(server, expected, file):
    scores = {
        score["label"]: score["score"] for score in server.infer(CLASSIFIER, file, output="json").json["prediction"]
    }
    wanted = {f["label"].lower(): f["probability"] for f in expected[CLASSIFIER][file]["findings"]}
    assert scores == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("file", GOOD)
def test_boxes_lie_in_the_patient_with_names_and_scores(server, expected, file):
    record = expected["cxr_oxnet_detection"][file]
    answer = server.infer("cxr_oxnet_detection", file)
    assert answer.status == 200
    nodes = answer.json["markups"]
    dx, dy = record["spacing_mm"] or (1.0, 1.0)
    wanted = []
    for finding in record["findings"]:
        for box in finding["boxes"] if finding["decision"] else []:
            x0, y0, x1, y1 = box["box"]
            centre = [((x0 + x1) / 2 - 0.5) * dx, ((y0 + y1) / 2 - 0.5) * dy, 0.0]
            size = [(x1 - x0) * dx, (y1 - y0) * dy, 1.0]
            wanted.append((f"{finding['label'].lower()} {box['score']:.2f}", centre, size))
    assert len(nodes) == len(wanted)
    for node, (name, centre, size) in zip(sorted(nodes, key=key), sorted(wanted, key=str), strict=True):
        assert node["coordinateSystem"] == "LPS"
        assert node["name"] == name
        np.testing.assert_allclose(node["center"], centre, atol=0.02)
        np.testing.assert_allclose(node["size"], size, atol=0.02)


def key(node):
    return str((node["name"], node["center"], node["size"]))


@pytest.mark.parametrize("model", BUNDLES)
def test_a_bad_file_is_the_client_s_fault_and_the_answer_says_why(server, model):
    answer = server.infer(model, "broken.png")
    assert answer.status == 422
    assert "broken.png" in answer.json["detail"]
    assert ";" in answer.json["detail"]  # and what to do


@pytest.mark.parametrize(("model", "image"), [("cxr_pylon_localization", "missing.png"), ("missing", "odd.png")])
def test_what_is_not_there_is_said(server, model, image):
    answer = server.infer(model, image)
    assert answer.status == 404
    assert answer.json["detail"].startswith("missing: there is no such")
    assert ";" in answer.json["detail"]  # and what to do


def test_200_in_a_row_and_8_at_once(server):
    alone = {file: server.infer("cxr_pylon_localization", file, result_extension=".png") for file in GOOD}
    assert {answer.status for answer in alone.values()} == {200}
    for number in range(200):
        file = GOOD[number % len(GOOD)]
        assert server.infer("cxr_pylon_localization", file, result_extension=".png") == alone[file]
    asked = GOOD * 8
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda file: server.infer("cxr_pylon_localization", file, result_extension=".png"), asked)
        assert all(answer == alone[file] for file, answer in zip(asked, answers, strict=True))


def test_the_most_uncertain_image_comes_next(server):
    done = server.post("/scoring/uncertainty", {"run_sync": "true"})
    assert done.status == 200, done.content
    chosen = server.post("/activelearning/most_uncertain", {})
    assert chosen.status == 200, chosen.content
    assert 0 < chosen.json["weight"] <= 1
    assert chosen.json["id"] != "broken"


def test_the_segmenter_learns_from_saved_label_maps_and_a_killed_server_comes_back(server, app, studies, tmp_path):
    for number in range(12):
        with Image.open(studies / f"png{number:02}.png") as image:
            label = np.zeros(image.size[::-1], np.uint8)
        label[20:60, 30:70] = 1 + number % 8
        Image.fromarray(label).save(tmp_path / f"png{number:02}.png")
        query = {"image": f"png{number:02}", "tag": "final"}
        saved = server.send("/datastore/label", query, "PUT", params="{}", label=tmp_path / f"png{number:02}.png")
        assert saved.status == 200, saved.content
    before = (app / "model" / SEGMENTER / "models" / "model.pt").read_bytes()
    asked = server.infer(SEGMENTER, "odd.png", output="json").json["findings"]
    trained = server.post(f"/train/{SEGMENTER}", {"run_sync": "true"}, max_epochs=2)
    assert trained.status == 200, trained.content
    assert (app / "model" / SEGMENTER / "models" / "model.pt").read_bytes() != before
    after = server.infer(SEGMENTER, "odd.png", output="json").json["findings"]
    assert after != asked
    server.stop(signal.SIGKILL)
    server.start()
    assert server.infer(SEGMENTER, "odd.png", output="json").json["findings"] == after
    assert server.get("/datastore/?output=stats")["completed"] == 12


def test_a_missing_localiser_is_said_at_the_start(app, studies, tmp_path):
    shutil.copytree(app, tmp_path / "app", ignore=shutil.ignore_patterns("cxr_pylon*", "cxr_multi*", "cxr_oxnet*"))
    with pytest.raises(RuntimeError, match="takes heatmaps from cxr_pylon_localization; unzip that bundle"):
        Server(PYTHON, tmp_path / "app", studies, tmp_path, models="cxr_irn_refinement").start()


def test_monai_label_s_own_app_serves_every_bundle(app, studies, tmp_path):
    words = [PYTHON, "-m", "monailabel.main", "apps", "--download", "--name", "monaibundle", "--output", "apps"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    shutil.copytree(app / "model", tmp_path / "apps" / "monaibundle" / "model")
    settings = {"models": ",".join(BUNDLES), "zoo_source": "local", "sam2": "false", "skip_trainers": "true"}
    with Server(PYTHON, tmp_path / "apps" / "monaibundle", studies, tmp_path, **settings) as stock:
        for model in BUNDLES:
            for file in GOOD:
                output = "json" if model == CLASSIFIER else "image"
                answer = stock.infer(model, file, output=output, result_extension=".png")
                assert answer.status == 200, (model, file, stock.text()[-2000:])
