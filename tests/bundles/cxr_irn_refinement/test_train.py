"""The refinement bundle's training: heatmaps made on the way and from files, resume, evaluation, several processes."""

from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigWorkflow

from cxr_common.errors import find_input_error
from tests.bundles.training import event_tags, train, train_in_two_processes, weights
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_irn_refinement"
PYLON = REPOSITORY / "bundles" / "cxr_pylon_localization"
BACKBONE = str(REPOSITORY / "bundles" / "cxr_gradcam_classification" / "models" / "phantoms" / "model.pt")


SMALL = {"spatial_size": [96, 96], "batch_size": 8, "max_epochs": 2, "steps": 8, "backbone_weights": BACKBONE}


def run(phantoms, output, *overlays, **overrides):
    return train(BUNDLE, ("train.yaml", *overlays), output, dataset_dir=str(phantoms), **{**SMALL, **overrides})


@pytest.fixture(scope="module")
def trained(phantoms, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    run(phantoms, output)
    return output


def test_training_leaves_weights_thresholds_checkpoint_and_pictures(trained):
    names = {p.name for p in trained.iterdir()}
    assert {"model.pt", "model_last.pt", "checkpoint.pt", "thresholds.json", "events"} <= names
    thresholds = json.loads((trained / "thresholds.json").read_text())
    assert thresholds["mask_mode"] == "absolute"
    assert thresholds["tuned_on"]["n_with_masks"] == thresholds["tuned_on"]["n_images"] > 0
    tags = event_tags(trained)
    assert {"train_loss", "val_loss"} <= set(tags["scalars"])
    assert "validation/0/boundary" in tags["images"]


def test_branches_learn_and_the_backbone_does_not(trained):
    state, backbone = weights(trained / "model.pt"), weights(BACKBONE)
    frozen = [key for key in state if key.startswith("backbone.")]
    assert frozen
    assert all(torch.equal(state[key], backbone[key]) for key in frozen)
    assert state["mean_shift"].abs().max() > 0


def test_a_resumed_run_is_bit_identical(phantoms, trained, tmp_path):
    # The schedule looks at max_epochs, so the first half is told how long the whole is.
    run(phantoms, tmp_path, max_epochs=1, **{"lr_scheduler#total_iters": "$2 * len(@train#dataloader)"})
    first = weights(tmp_path / "model_last.pt")
    run(phantoms, tmp_path)
    straight, resumed = weights(trained / "model_last.pt"), weights(tmp_path / "model_last.pt")
    assert all(torch.equal(straight[k], resumed[k]) for k in straight)
    assert not all(torch.equal(first[k], resumed[k]) for k in first)


def test_evaluation_writes_mask_figures_with_intervals(phantoms, trained, tmp_path):
    run(phantoms, tmp_path, "evaluate.yaml", weights=str(trained / "model.pt"))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    iou = metrics["segmentation"]["original"]["iou of images"]["micro"]
    assert iou["low"] <= iou["value"] <= iou["high"]
    assert len(metrics["weights_sha256"]) == 64


def test_files_of_a_localiser_train_and_no_mask_is_needed(phantoms, tmp_path):
    flow = ConfigWorkflow(
        config_file=str(PYLON / "configs" / "inference.json"),
        workflow_type="infer",
        bundle_root=str(PYLON),
        dataset_dir=str(phantoms / "images"),
        output_dir=str(tmp_path / "heatmaps"),
    )
    flow.initialize()
    flow.run()
    data = json.loads((phantoms / "datalist.json").read_text())
    for section in ("training", "validation", "testing"):
        for item in data[section]:
            for key in ("boxes", "box_labels", "mask", "mask_origin"):
                item.pop(key, None)
    bare = phantoms / "bare.json"
    bare.write_text(json.dumps(data))
    files = {"heatmap_dir": str(tmp_path / "heatmaps"), "localizer": None}
    run(phantoms, tmp_path / "run", datalist=str(bare), max_epochs=1, compete=True, mask_default=0.25, **files)
    thresholds = json.loads((tmp_path / "run" / "thresholds.json").read_text())
    assert set(thresholds["mask"].values()) == {0.25}
    assert "no masks" in thresholds["tuned_on"]["criterion"]


def test_a_backbone_without_weights_is_refused(phantoms, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        run(phantoms, tmp_path, backbone_weights=None)
    assert not (tmp_path / "model.pt").exists()
    assert "stays as it is" in str(find_input_error(caught.value))


@pytest.mark.slow
def test_two_processes_train_together(phantoms, tmp_path):
    """The multi-GPU overlay under torchrun, on two CPU processes (gloo)."""
    configs = ("train.yaml", "multi_gpu_train.yaml")
    train_in_two_processes(BUNDLE, configs, tmp_path, dataset_dir=phantoms, **SMALL)
