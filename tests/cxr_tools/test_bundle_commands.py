"""cxr find, train and evaluate start the bundle's own workflow."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from cxr_tools.bundle_parser import BundleParser, beside
from cxr_tools.program import main
from tests.golden import REPOSITORY

BUNDLES = REPOSITORY / "bundles"
PYLON = BUNDLES / "cxr_pylon_localization"


@pytest.fixture
def started(monkeypatch):
    """What would be started, instead of a start: configs and options."""
    calls = []

    def show(command):
        start = command.index("--config_file")
        calls.append((command[:start], command[start + 1], dict(zip(command[start + 2 :: 2], command[start + 3 :: 2]))))
        return 7

    for name in ("find", "train", "evaluate"):
        monkeypatch.setattr(import_module(f"cxr_tools.{name}"), "show_workflow", show)
    return calls


def test_find(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["find", "--batch_size", "4", "2026_05", "-o", "out", "--bundle", str(PYLON), "--outputs", "json,png"]
    assert main([*words, "--network_def#num_classes=2", "--", "--output", "x"]) == 7
    ((_, configs, options),) = started
    assert configs == f"['{PYLON}/configs/inference.json']"
    assert options == {
        "--bundle_root": str(PYLON),
        "--dataset_dir": str(tmp_path / "2026_05"),
        "--output_dir": str(tmp_path / "out"),
        "--outputs": "['json', 'png']",
        "--batch_size": "4",
        "--network_def#num_classes": "2",
        "--output": "x",
    }


def test_find_with_an_overlay(started, tmp_path):
    assert main(["find", str(tmp_path), "-o", "out", "--bundle", str(PYLON), "--overlay", "trt"]) == 7
    assert started[0][1] == f"['{PYLON}/configs/inference.json','{PYLON}/configs/inference_trt.json']"


def test_train_and_evaluate(started, tmp_path):
    words = [str(tmp_path), "-o", str(tmp_path / "run"), "--bundle", "cxr_pylon_localization"]
    assert main(["train", *words, "--recipe", "from_imagenet", "--max_epochs", "2"]) == 7
    assert main(["evaluate", *words, "--recipe", "from_imagenet.yaml", "--weights", "m.pt"]) == 7
    assert main(["train", *words, "--processes", "2"]) == 7
    configs = [call[1].replace(f"{PYLON}/configs/", "") for call in started]
    assert configs == [
        "['train.yaml','from_imagenet.yaml']",
        "['train.yaml','from_imagenet.yaml','evaluate.yaml']",
        "['train.yaml','multi_gpu_train.yaml']",
    ]
    assert started[0][2]["--max_epochs"] == "2"
    assert started[1][2]["--weights"] == "m.pt"
    assert "torch.distributed.run" in started[2][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["find", "x", "-o", "o", "--bundle", "cxr_pylon_localisation"], "did you mean cxr_pylon_localization?"),
        (["train", "x", "-o", "o", "--recipe", "from_imagnet"], "did you mean from_imagenet?"),
        (
            ["train", "x", "-o", "o", "--recipe", "qqq"],
            "cxr_multiscale_localization has cache, from_imagenet, from_scratch",
        ),
        (["train", "x", "-o", "o", "--processes", "0"], "--processes"),
        (["find", "x", "-o", "o", "--overlay", "anatomy"], "cxr_multiscale_localization has trt"),
    ],
)
def test_mistakes_are_told_before_a_start(started, words, said, capsys):
    assert main(words) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and said in printed
    assert not started


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x", "--a"], "--a of the bundle has no value"),
        (["x", "y"], "unrecognized"),
        (["x", "--", "y"], "y is not an option"),
    ],
)
def test_words_that_are_no_options(words, said, capsys):
    parser = BundleParser(prog="cxr find")
    parser.add_argument("images")
    with pytest.raises(SystemExit):
        parser.parse_args(words)
    assert said in capsys.readouterr().err


def test_a_bundle_elsewhere_is_told_where_its_neighbour_is(tmp_path):
    inference = (BUNDLES / "cxr_irn_refinement" / "configs" / "inference.json").read_text(encoding="utf-8")
    recipe = (BUNDLES / "cxr_irn_refinement" / "configs" / "from_classifier.yaml").read_text(encoding="utf-8")
    own = tmp_path / "cxr_irn_refinement" / "configs"
    own.mkdir(parents=True)
    (own / "inference.json").write_text(inference, "utf-8")
    (own / "from_classifier.yaml").write_text(recipe, "utf-8")
    classifier = BUNDLES / "cxr_gradcam_classification" / "models" / "phantoms" / "model.pt"
    lungs = BUNDLES / "cxr_chexseg_segmentation" / "models" / "lungs" / "model.pt"
    assert beside(own.parent, [own / "inference.json"]) == {"localizer": str(PYLON), "lung_weights": str(lungs)}
    assert beside(own.parent, [own / "from_classifier.yaml"]) == {"backbone_weights": str(classifier)}
    assert beside(BUNDLES / "cxr_irn_refinement", [own / "inference.json"]) == {}


@pytest.mark.slow
def test_findings_and_their_page(tmp_path, capfd):
    assert main(["phantoms", "--output", str(tmp_path / "in"), "--count", "1", "--size", "64", "--workers", "1"]) == 0
    words = ["find", str(tmp_path / "in" / "images"), "-o", str(tmp_path / "out"), "--outputs", "json,npz"]
    assert main([*words, "--batchsize", "2"]) == 1
    assert "--batchsize: there is no such option; did you mean --batch_size?" in capfd.readouterr().err
    assert main([*words, "--batch_size", "2"]) == 0
    record = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))
    assert list(record["images"][0]["files"]) == ["heatmap"]
    assert main(["report", str(tmp_path / "out")]) == 0
    assert "<article" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
