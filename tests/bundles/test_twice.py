"""State and what it was made from: a workflow that runs twice, a training that goes on with something changed."""

from __future__ import annotations

import json
import re

import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from cxr_common.errors import find_input_error
from tests.bundles.conftest import BUNDLES
from tests.bundles.training import train
from tests.golden import REPOSITORY

PYLON = REPOSITORY / "bundles" / "cxr_pylon_localization"


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.one_localizer
def test_a_workflow_runs_twice(bundle, tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("L", (80, 80), 90).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    root = REPOSITORY / "bundles" / bundle
    flow = ConfigWorkflow(
        config_file=str(root / "configs" / "inference.json"),
        meta_file=str(root / "configs" / "metadata.json"),
        logging_file=False,
        bundle_root=str(root),
        dataset_dir=str(tmp_path / "in"),
        output_dir=str(tmp_path / "out"),
    )
    flow.initialize()
    for _ in range(2):
        with pytest.raises(SystemExit):
            flow.run()
        record = json.loads((tmp_path / "out" / "findings.json").read_text())
        assert [image["path"] for image in record["images"]] == ["a.png"]
        assert [failure["path"] for failure in record["failures"]] == ["b.png"]


def run(phantoms, output, *overlays, **options):
    small = {"spatial_size": [64, 64], "batch_size": 16, "max_epochs": 1, "dataset_dir": str(phantoms)}
    return train(PYLON, ("train.yaml", *overlays), output, **{**small, **options})


def refused(phantoms, output, *overlays, **options):
    with pytest.raises(Exception) as caught:
        run(phantoms, output, *overlays, **options)
    return str(find_input_error(caught.value))


@pytest.fixture(scope="module")
def trained(phantoms, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    run(phantoms, output)
    return output


@pytest.fixture(scope="module")
def trained_one_cycle(phantoms, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    run(phantoms, output, "from_scratch.yaml")
    return output


def swapped(phantoms, tmp_path):
    data = json.loads((phantoms / "datalist.json").read_text())
    data["labels"][:2] = data["labels"][1::-1]
    (tmp_path / "swapped.json").write_text(json.dumps(data))
    return str(tmp_path / "swapped.json")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": 8}, "batch_size was 16 and is 8"),
        ({"seed": 1}, "seed was 0 and is 1"),
        ({"spatial_size": [96, 96]}, r"spatial_size was \[64, 64\] and is \[96, 96\]"),
        ({"backbone": "resnet34"}, "the network had"),
        ({"label_policy": "ones"}, "label_policy was ignore and is ones"),
        ({"optimizer#weight_decay": 0.1}, "optimizer was Adam"),
        ({"network_def#global_branch": True}, "network_def was Pylon"),
    ],
)
def test_a_run_does_not_go_on_as_another(phantoms, trained, options, said):
    before = {path.name: path.read_bytes() for path in trained.iterdir() if path.is_file()}
    text = refused(phantoms, trained, **options)
    assert "checkpoint.pt: belongs to another run" in text
    assert re.search(said, text), text
    assert {path.name: path.read_bytes() for path in trained.iterdir() if path.is_file()} == before


def test_classes_that_changed_places_are_refused(phantoms, trained, tmp_path):
    text = refused(phantoms, trained, datalist=swapped(phantoms, tmp_path))
    assert "classes were Atelectasis, Cardiomegaly" in text
    assert "and are Cardiomegaly, Atelectasis" in text
    assert json.loads((trained / "thresholds.json").read_text())["labels"][0] == "Atelectasis"


def test_trained_weights_are_no_start_for_classes_in_another_order(phantoms, trained, tmp_path):
    options = {"datalist": swapped(phantoms, tmp_path), "initial_weights": str(trained / "model.pt")}
    assert "has its classes in the order Atelectasis" in refused(phantoms, tmp_path / "new", **options)


def test_data_that_grew_are_other_data(phantoms, trained, tmp_path):
    data = json.loads((phantoms / "datalist.json").read_text())
    data["training"].append(data["testing"].pop())
    (tmp_path / "more.json").write_text(json.dumps(data))
    said = refused(phantoms, trained, datalist=str(tmp_path / "more.json"))
    assert "the training data changed: 32 images then, 33 now" in said


def test_a_schedule_of_fixed_length_says_that_it_cannot_take_more_epochs(phantoms, trained_one_cycle):
    assert "max_epochs was 1 and is 2, on which the schedule" in refused(
        phantoms, trained_one_cycle, "from_scratch.yaml", max_epochs=2
    )


def test_a_schedule_without_end_takes_more_epochs(phantoms, trained):
    run(phantoms, trained, max_epochs=2, num_workers=0, cache_rate=0.5)
    assert torch.load(trained / "checkpoint.pt", weights_only=True)["epoch"] == 2
