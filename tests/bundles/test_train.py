"""A localiser bundle's training: two epochs, resume, evaluation, multi-process overlay."""

from __future__ import annotations

import json

import pytest
import torch

from cxr_common.networks import load_backbone, make_backbone
from tests.bundles.training import event_tags, train, train_in_two_processes, weights


def run(bundle, phantoms, output, *overlays, **overrides):
    small = {"spatial_size": [64, 64], "batch_size": 8, "learning_rate": 1e-3, "max_epochs": 2}
    return train(bundle, ("train.yaml", *overlays), output, dataset_dir=str(phantoms), **{**small, **overrides})


@pytest.fixture(scope="module")
def trained(bundle, phantoms, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    run(bundle, phantoms, output)
    return output


def test_training_leaves_weights_thresholds_checkpoint_and_events(trained):
    names = {p.name for p in trained.iterdir()}
    assert {"model.pt", "model_last.pt", "checkpoint.pt", "thresholds.json", "events"} <= names
    thresholds = json.loads((trained / "thresholds.json").read_text())
    assert thresholds["tuned_on"]["n_images"] == 8
    tags = event_tags(trained)
    assert {"train_loss", "val_loss"} <= set(tags["scalars"])
    assert any(tag.startswith("validation/0/") for tag in tags["images"])


@pytest.mark.one_localizer
def test_a_resumed_run_is_bit_identical(bundle, phantoms, trained, tmp_path):
    run(bundle, phantoms, tmp_path, max_epochs=1)
    first = weights(tmp_path / "model_last.pt")
    run(bundle, phantoms, tmp_path, max_epochs=2)
    straight, resumed = weights(trained / "model_last.pt"), weights(tmp_path / "model_last.pt")
    assert all(torch.equal(straight[k], resumed[k]) for k in straight)
    assert not all(torch.equal(first[k], resumed[k]) for k in first)


@pytest.mark.one_localizer
def test_a_seed_decides_the_weights(bundle, phantoms, trained, tmp_path):
    run(bundle, phantoms, tmp_path, seed=1, max_epochs=1)
    a, b = weights(trained / "model.pt"), weights(tmp_path / "model.pt")
    assert not all(torch.equal(a[k], b[k]) for k in a)


def test_evaluation_writes_every_figure_with_its_interval(bundle, phantoms, trained, tmp_path):
    run(bundle, phantoms, tmp_path, "evaluate.yaml", weights=str(trained / "model.pt"))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["n_images"] == 8
    auroc = metrics["image_labels"]["auroc"]["macro"]
    assert auroc["low"] <= auroc["value"] <= auroc["high"]
    point = metrics["localization"]["point"]["micro"]
    assert 0 <= point["value"] <= 1
    assert metrics["localization"]["point of a random pixel"]["micro"]["value"] < 0.5
    assert len(metrics["weights_sha256"]) == len(metrics["data_sha256"]) == 64


@pytest.mark.one_localizer
def test_tuning_keeps_thresholds_of_classes_with_few_images_and_leaves_weights_alone(
    bundle, phantoms, trained, tmp_path
):
    before = json.loads((trained / "thresholds.json").read_text())
    before |= {name: dict.fromkeys(before[name], 0.123) for name in ("decision", "mask")}
    for name in ("model.pt", "thresholds.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    (tmp_path / "thresholds.json").write_text(json.dumps(before))
    overlays = ("evaluate.yaml", "tune.yaml")
    run(bundle, phantoms, tmp_path / "tuned", *overlays, weights=str(tmp_path / "model.pt"), section="training")
    assert not [*(tmp_path / "tuned").glob("*.pt")]
    tuned = json.loads((tmp_path / "tuned" / "thresholds.json").read_text())
    assert tuned["weights_sha256"] == before["weights_sha256"]
    assert tuned["tuned_on"]["n_images"] == 32
    for name in ("decision", "mask"):  # of 32 images, few classes have five with a finding
        assert {label for label, value in tuned[name].items() if value == 0.123} == set(
            tuned["tuned_on"]["unchanged"][name]
        )
        assert tuned["tuned_on"]["unchanged"][name]


@pytest.mark.one_localizer
def test_tuning_matches_classes_by_name(bundle, phantoms, trained, tmp_path):
    """A hospital's own labels are other ones, in another order, than those that the network learned."""
    data = json.loads((phantoms / "datalist.json").read_text())
    kept = ["Opacity", "Effusion"]
    index, own = [data["labels"].index(name) for name in kept], []
    for item in [*data["training"], *data["validation"], *data["testing"]]:
        boxes = [pair for pair in zip(item["boxes"], item["box_labels"], strict=True) if pair[1] in index]
        places = {"boxes": [box for box, _ in boxes], "box_labels": [1 + index.index(name) for _, name in boxes]}
        own.append({"image": item["image"], "label": [1, *(item["label"][i] for i in index)], **places})
    (tmp_path / "own.json").write_text(json.dumps({"labels": ["Own", *kept], "validation": own}))
    # The check of MONAI's properties makes the training data too, which tuning does not read.
    options = {"weights": str(trained / "model.pt"), "train#dataset#data": "@validate#dataset#data"}
    overlays, listed = ("evaluate.yaml", "tune.yaml"), str(tmp_path / "own.json")
    run(bundle, phantoms, tmp_path / "tuned", *overlays, datalist=listed, **options)
    tuned = json.loads((tmp_path / "tuned" / "thresholds.json").read_text())
    assert tuned["labels"] == data["labels"]
    unchanged = tuned["tuned_on"]["unchanged"]
    assert all(set(data["labels"]) - set(kept) <= set(unchanged[name]) for name in ("decision", "mask"))
    assert not {*kept} <= {*unchanged["mask"]}, unchanged  # boxes alone tune where masks end


@pytest.mark.one_localizer
def test_any_label_list_trains(bundle, phantoms, tmp_path):
    data = json.loads((phantoms / "datalist.json").read_text())
    data["labels"] = ["Shadow", "Large heart"]
    for section in ("training", "validation", "testing"):
        for item in data[section]:
            item["label"] = [item["label"][6], -1 if item["label"][1] else 0]
            for key in ("boxes", "box_labels", "mask"):
                item.pop(key, None)
    other = phantoms / "other.json"
    other.write_text(json.dumps(data))
    run(bundle, phantoms, tmp_path, "from_scratch.yaml", datalist=str(other), spatial_size=[64, 64])
    state = weights(tmp_path / "model.pt")
    assert state["bias" if "bias" in state else "head.bias"].shape == (2,)
    assert json.loads((tmp_path / "thresholds.json").read_text())["labels"] == ["Shadow", "Large heart"]


def from_imagenet(bundle, phantoms, output, **overrides):
    data = json.loads((phantoms / "datalist.json").read_text())
    for item in data["training"]:
        item["chest"] = [4, 4, 60, 60]
    datalist = phantoms / "chests.json"
    datalist.write_text(json.dumps(data))
    small = {"sampling": {"phantom": {"present": 1.0, "absent": 0.5}}, "epoch_size": 16, "datalist": str(datalist)}
    # One cycle depends on the number of epochs; without it a run that is given more of them is one that goes on.
    small["lr_scheduler"] = {"_target_": "torch.optim.lr_scheduler.ConstantLR", "optimizer": "@optimizer"}
    run(bundle, phantoms, output, "from_imagenet.yaml", **{**small, **overrides})


@pytest.mark.one_localizer
def test_the_recipe_from_imagenet_learns_and_resumes(bundle, phantoms, tmp_path):
    from_imagenet(bundle, phantoms, tmp_path / "straight")
    straight = weights(tmp_path / "straight" / "model_last.pt")
    imagenet = make_backbone("efficientnet_lite0")
    load_backbone(imagenet, "imagenet")
    own = {k.removeprefix("backbone."): v for k, v in straight.items() if k.startswith("backbone.")}
    changed = {
        k
        for k, v in imagenet.state_dict().items()
        if not torch.allclose(own[k].float(), v.float(), atol=1e-3, rtol=1e-3)
    }
    # From the first stage to the last the backbone has moved from where ImageNet left it.
    assert all(any(k.startswith(part) for k in changed) for part in ("blocks.0.", "blocks.3.", "blocks.6.", "head."))
    checkpoint = torch.load(tmp_path / "straight" / "checkpoint.pt", weights_only=True)
    assert int(checkpoint["average"]["n_averaged"]) == checkpoint["iteration"] == 2 * 16 // 8
    # model.pt holds the average, not the trained network.
    trained = checkpoint["network"]["backbone.head.conv.weight"]
    assert not torch.allclose(straight["backbone.head.conv.weight"].float(), trained, atol=1e-7, rtol=1e-3)

    from_imagenet(bundle, phantoms, tmp_path / "resumed", max_epochs=1)
    from_imagenet(bundle, phantoms, tmp_path / "resumed")
    resumed = weights(tmp_path / "resumed" / "model_last.pt")
    assert all(torch.equal(straight[k], resumed[k]) for k in straight)


@pytest.mark.slow
def test_two_processes_train_together(bundle, phantoms, tmp_path):
    """The multi-GPU overlay under torchrun, on two CPU processes (gloo)."""
    settings = {"dataset_dir": phantoms, "spatial_size": [64, 64], "batch_size": 8, "max_epochs": 2}
    checkpoint = train_in_two_processes(bundle, ("train.yaml", "multi_gpu_train.yaml"), tmp_path, **settings)
    assert checkpoint["epoch"] == 2
    assert checkpoint["iteration"] == 2 * 32 // (2 * 8)  # each process sees half of the images
