"""A small bundle of each kind is exported, compared and asked again by other runtimes' own means."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import cxr_common
from cxr_common.errors import InputError
from cxr_tools.export.__main__ import export, main
from cxr_tools.export.compare import difference, sample_images
from cxr_tools.export.formats import FORMATS
from tests.golden import REPOSITORY

BUNDLES = sorted(path.parent.name for path in (REPOSITORY / "bundles").glob("*/bundle.yaml"))


@pytest.fixture(scope="module")
def classifier():
    return cxr_common.load("cxr_gradcam_classification", device="cpu")


@pytest.fixture(scope="module")
def files(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return export(classifier, folder, ["onnx", "torchscript"])


def test_files_are_there_and_nothing_else(files):
    (folder,) = {path.parent for path in files}
    assert sorted(path.name for path in folder.iterdir()) == [
        "cxr_gradcam_classification.onnx",
        "cxr_gradcam_classification.ts",
    ]
    assert all(off <= 1e-4 for off in files.values())


@pytest.mark.parametrize("shape", [(1, 1, 64, 64), (5, 1, 128, 192)])
def test_onnx_gives_the_findings_heatmap(files, classifier, shape):
    path = next(path for path in files if path.suffix == ".onnx")
    image = torch.randn(*shape, generator=torch.Generator().manual_seed(7))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["heatmap", "logits"]
    heatmap, logits = session.run(["heatmap", "logits"], {"image": image.numpy()})
    with torch.no_grad():
        maps = classifier.inferer(image, classifier.network)
    np.testing.assert_allclose(heatmap, maps.sigmoid().numpy(), atol=1e-4)
    np.testing.assert_allclose(logits, maps.amax((-2, -1)).numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ["cxr_gradcam_classification", "cxr_pylon_localization"])
def test_no_two_axes_of_an_onnx_file_have_one_name_unless_they_are_equal(name, tmp_path):
    """The exporter gave PYLON's heatmap as many columns as there are images, by name."""
    (path,) = export(cxr_common.load(name, device="cpu"), tmp_path, ["onnx"])
    sides = [[side.dim_param for side in one.type.tensor_type.shape.dim] for one in onnx.load(path).graph.output]
    assert [own[0] for own in sides] == ["batch", "batch"]
    named = [side for own in sides for side in own[1:] if side]
    assert len(named) == 2 == len({*named} - {"batch", "columns", "rows"})


def test_every_file_says_what_it_is(files, classifier):
    for path in files:
        if path.suffix == ".onnx":
            facts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
            facts = {k: json.loads(v) if v[:1] in "[{" else v for k, v in facts.items()}
        else:
            extra = {"metadata.json": ""}
            torch.jit.load(str(path), _extra_files=extra)
            facts = json.loads(extra["metadata.json"])
        assert facts["classes"] == classifier.labels
        assert facts["weights_sha256"] == classifier.model.weights_sha256
        assert facts["input"]["intensity_std"] == classifier.config["intensity_std"]
        assert facts["input"]["size"] == [128, 128] and "64*n" in facts["input"]["image"]
        assert facts["thresholds"]["weights_sha256"] == classifier.model.weights_sha256
        assert set(facts["outputs"]) == {"heatmap", "logits"}


def test_a_file_that_differs_is_not_left(classifier, tmp_path, monkeypatch):
    (tmp_path / "cxr_gradcam_classification.ts").write_text("of before")

    def spoilt(path):
        run = form.load(path)
        return lambda image: tuple(value + 2e-4 for value in run(image))

    form = FORMATS["torchscript"]
    monkeypatch.setitem(FORMATS, "torchscript", type(form)(form.suffix, form.write, spoilt))
    with pytest.raises(InputError, match="heatmap differs by 2.0e-04"):
        export(classifier, tmp_path, ["torchscript"])
    (left,) = tmp_path.iterdir()
    assert left.read_text() == "of before"


def test_a_difference_is_seen():
    rows = torch.tensor([[[0.0, 0, 64, 64, 0.9, 1], [10, 10, 20, 20, 0.8, 2]]])
    assert difference("detections", rows.flip(1), rows, 128) == 0
    assert difference("detections", rows + torch.tensor([0, 0, 1.28, 0, 0, 0]), rows, 128) == pytest.approx(0.01)
    assert difference("detections", rows[:, :1].repeat(1, 2, 1), rows, 128) >= 1
    assert difference("logits", torch.zeros(1, 2), torch.zeros(2, 2), 128) == float("inf")
    assert difference("logits", torch.tensor([[float("nan")]]), torch.zeros(1, 1), 128) == float("inf")


def test_images_have_several_batches_and_sizes():
    shapes = [tuple(image.shape) for image in sample_images((128, 64), 64, 0.5, 0.25, True)]
    assert shapes == [(1, 1, 128, 64), (3, 1, 128, 64), (2, 1, 192, 64), (1, 1, 128, 192)]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["cxr_pylon_localizatoin"], "did you mean cxr_pylon_localization"),
        (["cxr_gradcam_classification", "--set", "inferer#method=layercam"], "needs gradients"),
        (["cxr_gradcam_classification", "--boxes"], "not a detector"),
        (["cxr_gradcam_classification", "--set", "weights"], "OPTION=VALUE"),
        (["cxr_gradcam_classification", "--set", "wieghts=a"], "did you mean weights"),
    ],
)
def test_mistakes_are_one_line(arguments, text, tmp_path, capsys):
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named(classifier, tmp_path, monkeypatch):
    monkeypatch.setattr("cxr_tools.export.__main__.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime"):
        export(classifier, tmp_path, ["onnx"])


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("boxes", [False, True])
def test_every_bundle_in_every_format(name, boxes, tmp_path, capsys):
    if boxes and "detection" not in name:
        pytest.skip("no detector")
    assert main([name, "--output", str(tmp_path), *(["--boxes"] if boxes else [])]) == 0
    assert capsys.readouterr().out.count("differs") == len(FORMATS) == len(list(tmp_path.iterdir()))
