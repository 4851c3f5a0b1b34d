"""Starts that cannot work: each ends at its start, by the same table for every bundle."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image
from torch import nn

from cxr_common.cli import find_config_error
from cxr_common.errors import find_input_error
from tests.bundles.conftest import BUNDLES, LOCALIZERS
from tests.golden import REPOSITORY

pytestmark = pytest.mark.one_localizer


@pytest.fixture(params=BUNDLES)
def bundle(request):
    """Folder of each bundle in turn."""
    return REPOSITORY / "bundles" / request.param


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("L", (80, 80), 90).save(folder / "a.png")
    return folder


def refusal(bundle, configs, **options):
    """What a run ends with; nothing where it runs through."""
    flow = ConfigWorkflow(
        config_file=[str(bundle / "configs" / name) for name in configs],
        meta_file=str(bundle / "configs" / "metadata.json"),
        logging_file=False,
        bundle_root=str(bundle),
        **options,
    )
    flow.initialize()
    try:
        flow.run()
    except Exception as error:
        return str(find_input_error(error) or find_config_error(error) or error)
    return ""


def test_a_start_that_can_work_passes(bundle, images, tmp_path):
    assert refusal(bundle, ["inference.json"], dataset_dir=str(images), output_dir=str(tmp_path / "out")) == ""


def test_grey_values_of_another_scale_than_the_weights_learned_from_are_refused(bundle, images, tmp_path):
    """A training with --intensity_mean 0.5 is used with the bundle's own values unless one says so."""
    for name in ("model.pt", "thresholds.json"):
        shutil.copy(bundle / "models" / name, tmp_path)
    path = tmp_path / "thresholds.json"
    thresholds = json.loads(path.read_text(encoding="utf-8"))
    thresholds["tuned_on"]["intensity"] = {"mean": 0.25, "std": 0.125}
    path.write_text(json.dumps(thresholds), encoding="utf-8")
    own = {"dataset_dir": str(images), "output_dir": str(tmp_path / "out"), "weights": str(tmp_path / "model.pt")}
    found = refusal(bundle, ["inference.json"], **own)
    assert "the weights learned from images with --intensity_mean 0.25 --intensity_std 0.125" in found
    found = refusal(bundle, ["inference.json"], **own, intensity_mean=0.25)
    assert "the weights learned from images with --intensity_std 0.125" in found
    assert refusal(bundle, ["inference.json"], **own, intensity_mean=0.25, intensity_std=0.125) == ""


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("batchsize", 4, "--batchsize: there is no such option; did you mean --batch_size?"),
        ("wieghts", "x.pt", "did you mean --weights?"),
        ("max_epochs", 4, "--max_epochs: is not an option of these config files"),
        ("batch_size", 0, "--batch_size: is 0; give a whole number, 1 or more"),
        ("num_workers", -1, "--num_workers: is -1"),
        ("spatial_size", 64, "--spatial_size: is 64; give a list of 2 values"),
        ("device", "cuda:99", "--device cuda:99: cannot be used"),
        ("output_dir", __file__, "is not a folder; choose another output_dir"),
        ("weights", "nowhere.pt", "nowhere.pt: no such weight file"),
        ("backbone", "resnet19", "'resnet19'"),
        ("backbone", ["resnet18"], "--backbone: is ['resnet18']; give a name"),
        ("network", None, "--network: is None; give a component that is a network"),
        ("network_def", "$torch.device('cpu')", "a network"),
        ("network_def::num_clases", 3, "unexpected keyword argument 'num_clases'"),
        ("postprocessing", 3, "--postprocessing: has parts, and is not a single value such as 3"),
        ("network_def", None, "--network_def: has parts, and is not a single value such as None; set --network_def#"),
        ("evaluator", [], "--evaluator: has parts, and is not a single value such as []"),
        ("dataset", {}, "--dataset: has parts, and is not a single value such as {}"),
        ("handlers", None, "--handlers: is a list, and is not a single value such as None"),
    ],
)
def test_an_inference_that_cannot_work(bundle, images, tmp_path, option, value, said):
    options = {"dataset_dir": str(images), "output_dir": str(tmp_path / "out"), option: value}
    assert said in refusal(bundle, ["inference.json"], **options)
    assert not (tmp_path / "out").exists()


def test_weights_that_are_none(bundle, images, tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "module.pt")
    options = {"dataset_dir": str(images), "weights": str(tmp_path / "module.pt")}
    assert "holds a pickled object" in refusal(bundle, ["inference.json"], output_dir=str(tmp_path / "out"), **options)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("max_epoch", 4, "did you mean --max_epochs?"),
        ("lerning_rate", 1, "did you mean --learning_rate?"),
        ("section", "testing", "--section: is not an option of these config files; it is one of"),
        ("train::batch_size", 4, "--train#batch_size: there is no such option"),
        ("learning_rate", "1e-4", "in YAML with a point"),
        ("resume", "false", "--resume: is 'false'; give True or False"),
        ("val_interval", 99, "so that none is validated"),
        ("cache_rate", 2, "--cache_rate: is 2"),
        ("datalist", "nowhere.json", "nowhere.json"),
        ("initial_weights", "nowhere.pt", "there is no such file"),
        ("train", None, "--train: has parts, and is not a single value such as None"),
        ("train::handlers", 0, "--train#handlers: is a list, and is not a single value such as 0"),
        ("optimizer", [], "--optimizer: has parts, and is not a single value such as []"),
    ],
)
def test_a_training_that_cannot_work(bundle, phantoms, tmp_path, option, value, said):
    options = {"dataset_dir": str(phantoms), "output_dir": str(tmp_path / "run"), option: value}
    assert said in refusal(bundle, ["train.yaml"], **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("radius", 0, "radius must be an integer from 2 to 100"),
        ("beta", -1, "beta must be positive"),
        ("steps", 0.5, "steps integers from 0 to 10000"),
        ("steps_tried", 4, "--steps_tried: is 4; give a list of values"),
        ("steps_tried", [-1], "--steps_tried: is [-1]; give"),
        ("loss_radius", 1, "--loss_radius: is 1; give a whole number, 2 or more"),
        ("spatial_size", [64, 64], "--spatial_size [64, 64]: is too small"),
    ],
)
def test_a_walk_that_cannot_work_ends_no_training_at_its_end(phantoms, tmp_path, option, value, said):
    bundle, recipe = REPOSITORY / "bundles" / "cxr_irn_refinement", ["train.yaml", "from_imagenet.yaml"]
    options = {"dataset_dir": str(phantoms), "output_dir": str(tmp_path / "run"), option: value}
    assert said in refusal(bundle, recipe, **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("size", [[500, 500], [20, 20]])
def test_images_that_a_detector_of_crops_cannot_validate_end_no_training(phantoms, tmp_path, size):
    bundle = REPOSITORY / "bundles" / "cxr_oxnet_detection"
    recipe = ["train.yaml", "from_imagenet.yaml", "full_detail.yaml"]
    options = {"dataset_dir": str(phantoms), "output_dir": str(tmp_path / "run"), "image_size": size}
    assert f"--image_size {size}: the image's sides must be multiples of 32" in refusal(bundle, recipe, **options)
    assert not (tmp_path / "run").exists()


def changed(phantoms, tmp_path, **sections):
    """The phantoms' datalist with some sections changed."""
    data = json.loads((phantoms / "datalist.json").read_text())
    for name, change in sections.items():
        data[name] = [change(item) for item in data[name]]
    path = tmp_path / "datalist.json"
    path.write_text(json.dumps(data))
    return str(path)


def unlabelled(item):
    return {"image": item["image"], "label": [None] * len(item["label"])}


@pytest.mark.parametrize("section", ["training", "validation"])
def test_nothing_annotated_is_no_success(bundle, phantoms, tmp_path, section):
    datalist = changed(phantoms, tmp_path, **{section: unlabelled})
    more = {"supervision": "expert"} if bundle.name == "cxr_chexseg_segmentation" else {}
    said = refusal(bundle, ["train.yaml"], dataset_dir=str(phantoms), datalist=datalist, output_dir="x", **more)
    assert section in said
    assert "none of its" in said or "no image" in said


def test_nothing_annotated_cannot_be_scored(bundle, phantoms, tmp_path):
    datalist = changed(phantoms, tmp_path, testing=unlabelled)
    options = {"dataset_dir": str(phantoms), "datalist": datalist, "output_dir": str(tmp_path / "out")}
    weights = bundle / "models" / "model.pt"
    recipe = [name for name in ("from_imagenet.yaml",) if (bundle / "configs" / name).exists()]  # of what ships
    said = refusal(bundle, ["train.yaml", *recipe, "evaluate.yaml"], weights=str(weights), **options)
    assert "nothing is annotated" in said or "has no image with a finding" in said


@pytest.mark.fault("two trainings write into one folder", "the second is refused in one line")
@pytest.mark.parametrize("name", LOCALIZERS)
def test_two_trainings_at_once(name, phantoms, tmp_path):
    output = tmp_path / "run"
    code = (
        "import pathlib, sys; from cxr_common.findings.run_folder import RunFolder\n"
        "RunFolder(pathlib.Path(sys.argv[1])).claim(); print(flush=True); sys.stdin.read()"
    )
    options = {"dataset_dir": str(phantoms), "output_dir": str(output), "batch_size": 8}
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "common")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(output)], env=environment, **pipes) as other:
        other.stdout.readline()
        said = refusal(REPOSITORY / "bundles" / name, ["train.yaml"], **options)
        other.kill()
    assert "run: another run writes into this folder; wait for it" in said


def test_several_processes_without_torchrun(bundle, phantoms, tmp_path):
    options = {"dataset_dir": str(phantoms), "output_dir": str(tmp_path / "run")}
    said = refusal(bundle, ["train.yaml", "multi_gpu_train.yaml"], **options)
    assert "torchrun starts them; start it as torchrun" in said


@pytest.mark.parametrize("name", LOCALIZERS)
def test_a_training_set_of_one_image(name, phantoms, tmp_path):
    data = json.loads((phantoms / "datalist.json").read_text())
    data["training"] = data["training"][:1]
    (tmp_path / "datalist.json").write_text(json.dumps(data))
    options = {"dataset_dir": str(phantoms), "datalist": str(tmp_path / "datalist.json"), "output_dir": "x"}
    said = refusal(REPOSITORY / "bundles" / name, ["train.yaml"], **options)
    assert "1 training image: there is no batch" in said


def test_the_command_line_says_it_in_one_line(images, tmp_path):
    bundle = REPOSITORY / "bundles" / BUNDLES[0]
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", str(bundle / "configs" / "inference.json")]
    command += ["--bundle_root", str(bundle), "--dataset_dir", str(images), "--output_dir", str(tmp_path / "out")]
    done = subprocess.run([*command, "--batch-sise", "4"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "error: --batch_sise: there is no such option; did you mean --batch_size?"
