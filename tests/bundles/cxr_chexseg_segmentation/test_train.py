"""The segmenter's training: both kinds of masks, resume, evaluation, the U-Net, a teacher, several processes."""

from __future__ import annotations

import json

import pytest
import torch

from cxr_common.errors import find_input_error
from tests.bundles.training import event_tags, train, train_in_two_processes, weights
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_chexseg_segmentation"
SMALL = "from_classifier.yaml"


def run(data, output, *overlays, **overrides):
    small = {"spatial_size": [64, 64], "batch_size": 8, "max_epochs": 2}
    given = {"dataset_dir": str(data), "datalist": str(data / "mixed.json")}
    return train(BUNDLE, ("train.yaml", *overlays), output, **{**given, **small, **overrides})


@pytest.fixture(scope="module")
def data(phantoms):
    """Eight experts' items among 32; a pseudo item lists only the findings its image has."""
    content = json.loads((phantoms / "datalist.json").read_text())
    for item in content["training"][8:]:
        item["mask_origin"] = "pseudo"
        item["mask"] = {name: path for name, path in item["mask"].items() if path}
    (phantoms / "mixed.json").write_text(json.dumps(content))
    return phantoms


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    run(data, output, SMALL)
    return output


def test_training_leaves_weights_thresholds_checkpoint_and_pictures(trained):
    names = {p.name for p in trained.iterdir()}
    assert {"model.pt", "model_last.pt", "checkpoint.pt", "thresholds.json", "events"} <= names
    thresholds = json.loads((trained / "thresholds.json").read_text())
    assert thresholds["mask_mode"] == "absolute"
    assert all(thresholds["decision"][name] >= mask for name, mask in thresholds["mask"].items())
    tags = event_tags(trained)
    assert {"train_loss", "val_loss"} <= set(tags["scalars"])
    assert any(tag.startswith("validation/0/") for tag in tags["images"])


def test_a_resumed_run_is_bit_identical(data, trained, tmp_path):
    schedule = {"lr_scheduler#total_steps": "$2 * len(@train#dataloader) + 1"}
    run(data, tmp_path, SMALL, max_epochs=1, **schedule)
    first = weights(tmp_path / "model_last.pt")
    run(data, tmp_path, SMALL)
    straight, resumed = weights(trained / "model_last.pt"), weights(tmp_path / "model_last.pt")
    assert all(torch.equal(straight[k], resumed[k]) for k in straight)
    assert not all(torch.equal(first[k], resumed[k]) for k in first)


def test_evaluation_writes_mask_figures_with_intervals(data, trained, tmp_path):
    run(data, tmp_path, SMALL, "evaluate.yaml", weights=str(trained / "model.pt"))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    for geometry in ("original", "network"):
        figures = metrics["segmentation"][geometry]
        iou = figures["iou of the data set"]["macro"]
        assert iou["low"] <= iou["value"] <= iou["high"]
        of_images = figures["iou of images"]["micro"]["value"]  # 0 where a mask is drawn or true and not both
        assert 0 <= of_images <= figures["iou of images, true positives"]["micro"]["value"] <= 1


def test_the_unet_trains_on_pseudo_masks(data, tmp_path):
    run(data, tmp_path, "unet.yaml", backbone="resnet18", spatial_size=[64, 64], max_epochs=1)
    assert any(key.startswith("decoder.") for key in weights(tmp_path / "model.pt"))


def test_a_student_learns_from_a_teacher_and_not_without(data, trained, tmp_path):
    run(data, tmp_path / "a", SMALL, "distillation.yaml", teacher_weights=str(trained / "model.pt"))
    assert (tmp_path / "a" / "model.pt").exists()
    with pytest.raises(RuntimeError) as caught:
        run(data, tmp_path / "b", SMALL, "distillation.yaml")
    assert "teacher" in str(find_input_error(caught.value))


def test_a_classifiers_backbone_is_one_line(data, tmp_path):
    source = REPOSITORY / "bundles" / "cxr_gradcam_classification" / "models" / "phantoms" / "model.pt"
    run(data, tmp_path, SMALL, backbone_weights=str(source), learning_rate=0.0)
    state, given = weights(tmp_path / "model.pt"), weights(source)
    key = "backbone.layer1.0.conv1.weight"
    assert torch.equal(state[key], given[key])


@pytest.mark.slow
def test_two_processes_train_together(data, tmp_path):
    """The multi-GPU overlay under torchrun, on two CPU processes (gloo)."""
    given = {"dataset_dir": data, "datalist": data / "mixed.json"}
    small = {"spatial_size": [64, 64], "batch_size": 8, "max_epochs": 2}
    train_in_two_processes(BUNDLE, ("train.yaml", SMALL, "multi_gpu_train.yaml"), tmp_path, **given, **small)
