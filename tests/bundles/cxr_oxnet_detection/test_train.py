"""The detector's training: every kind of supervision and each absent, every term off, resume, evaluation, processes."""

from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow, ckpt_export

from cxr_common.labels import LABELS
from cxr_common.networks import load_weights
from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pretrained import load_backbone
from tests.bundles.networks import make_network
from tests.bundles.training import train, train_in_two_processes, weights
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_oxnet_detection"
SMALL = "from_classifier.yaml"
TERMS = ("box", "label", "prototype", "soft_focal", "pseudo_box", "consistency")
#: Settings of the overlay that a test of a minute can afford.
TINY = {"spatial_size": [64, 64], "width": 16, "boxes_per_batch": 4, "labels_per_batch": 2, "unlabelled_per_batch": 2}


def run(data, output, *overlays, **overrides):
    given = {"dataset_dir": str(data), "datalist": str(data / "omni.json"), "max_epochs": 2}
    given["pseudo_box_score"] = 0.005  # an untrained teacher is sure of nothing
    return train(BUNDLE, ("train.yaml", SMALL, *overlays), output, **{**given, **TINY, **overrides})


def write_datalist(phantoms, name, keep):
    """A datalist whose n-th training item keeps what keep(n) names: boxes, label."""
    content = json.loads((phantoms / "datalist.json").read_text())
    for n, item in enumerate(content["training"]):
        gone = {"mask", *({"boxes", "box_labels"} if "boxes" not in keep(n) else ())}
        gone |= {"label"} if "label" not in keep(n) else set()
        for key in gone & item.keys():
            del item[key]
    (phantoms / name).write_text(json.dumps(content))


#: The network of that training, as inference is told of it.
TRAINED = {"backbone": "resnet18", "levels": [3, 4, 5, 6, 7], "width": TINY["width"]}


@pytest.fixture(scope="module")
def data(phantoms):
    """Eight images with boxes, twelve with a label only, twelve with nothing."""
    write_datalist(phantoms, "omni.json", lambda n: ("boxes", "label") if n < 8 else ("label",) if n < 20 else ())
    return phantoms


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    flow = run(data, output)
    terms = {
        k: float(v) for k, v in flow.parser.get_parsed_content("train#trainer").state.output.items() if k != "image"
    }
    return output, terms


def test_training_leaves_weights_thresholds_checkpoint_and_events(trained):
    output, terms = trained
    names = {p.name for p in output.iterdir()}
    assert {"model.pt", "model_last.pt", "checkpoint.pt", "thresholds.json", "events"} <= names
    assert json.loads((output / "thresholds.json").read_text())["tuned_on"]["n_images"] == 8
    assert set(terms) == {"loss", "boxes", "label", "prototypes", "soft_focal", "pseudo_boxes"}
    assert all(value > 0 for value in terms.values()), terms
    checkpoint = weights(output / "checkpoint.pt")
    assert checkpoint["iteration"] == 2 * 2  # an epoch is one pass over the images with boxes
    assert int(checkpoint["teacher"]["n_averaged"]) == 4
    assert checkpoint["prototypes"]["seen"].any()


def test_the_teacher_is_what_is_kept(trained):
    output, _ = trained
    checkpoint, kept = weights(output / "checkpoint.pt"), weights(output / "model_last.pt")
    key = "class_head.0.weight"
    assert torch.equal(kept[key], checkpoint["teacher"][f"module.{key}"].half())
    assert not torch.equal(kept[key], checkpoint["network"][key].half())


@pytest.mark.parametrize("start", ["imagenet", "localiser"])
def test_the_recipe_from_imagenet_starts_from_weights_of_an_efficientnet(data, tmp_path, start):
    localizer = REPOSITORY / "bundles" / "cxr_gradcam_classification" / "models" / "model.pt"
    given = {"backbone_weights": str(localizer)} if start == "localiser" else {}
    settings = {"dataset_dir": str(data), "datalist": str(data / "omni.json"), "max_epochs": 1, "learning_rate": 1e-9}
    train(BUNDLE, ("train.yaml", "from_imagenet.yaml"), tmp_path, **{**settings, **TINY, **given})
    expected = make_backbone("efficientnet_lite0")
    load_backbone(expected, given.get("backbone_weights", "imagenet"))
    found = weights(tmp_path / "model_last.pt")
    for key in ("conv_stem.conv.weight", "conv_stem.norm.running_var"):
        torch.testing.assert_close(
            found[f"backbone.{key}"].float(), expected.state_dict()[key], rtol=1e-3, atol=1e-5, msg=key
        )


def test_a_resumed_run_is_bit_identical(data, trained, tmp_path):
    run(data, tmp_path, max_epochs=1, **{"lr_scheduler#total_steps": "$2 * len(@train#dataloader) + 1"})
    run(data, tmp_path)
    straight, resumed = weights(trained[0] / "checkpoint.pt"), weights(tmp_path / "checkpoint.pt")
    for part in ("network", "teacher", "prototypes"):
        assert all(torch.equal(straight[part][k], resumed[part][k]) for k in straight[part]), part


def test_evaluation_writes_every_figure_with_its_interval(data, trained, tmp_path):
    run(data, tmp_path, "evaluate.yaml", weights=str(trained[0] / "model.pt"))
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    precision = metrics["average_precision"]["all"]["AP40"]
    assert precision["low"] <= precision["value"] <= precision["high"]
    assert metrics["n_annotated"] == 8
    assert metrics["image_auroc_global_head"]["macro"]["value"] is not None
    assert len(metrics["weights_sha256"]) == len(metrics["data_sha256"]) == 64


@pytest.mark.parametrize(("overlays", "size"), [((), (512, 512)), (("evaluate.yaml",), (128, 128))])
def test_what_learned_from_crops_is_scored_at_the_size_of_its_thresholds(overlays, size):
    """Whoever trains with another --image_size need not say so again."""
    parser = ConfigParser()
    names = ("train.yaml", "from_imagenet.yaml", "full_detail.yaml", *overlays)
    parser.read_config([str(BUNDLE / "configs" / name) for name in names])
    parser.update({"bundle_root": str(BUNDLE), "labels": list(LABELS)})
    assert tuple(parser.get_parsed_content("load")[1].resizer.spatial_size) == size


@pytest.mark.parametrize("lacks", ["boxes", "label", "unlabelled"])
def test_any_kind_of_supervision_may_be_absent(data, tmp_path, lacks):
    kinds = {"boxes": ("boxes",), "label": ("label",), "unlabelled": ()}
    there = [kept for name, kept in kinds.items() if name != lacks]
    write_datalist(data, f"no_{lacks}.json", lambda n: there[n % 2])
    run(data, tmp_path, datalist=str(data / f"no_{lacks}.json"), max_epochs=1)
    state = weights(tmp_path / "checkpoint.pt")["network"]
    assert all(torch.isfinite(v).all() for v in state.values() if v.is_floating_point())


@pytest.mark.parametrize("off", [(term,) for term in TERMS[:5]] + [TERMS[1:]])
def test_every_term_can_be_switched_off(data, tmp_path, off):
    """One, or all but the boxes', which is a plain RetinaNet."""
    settings = {f"{term}_weight": 0 for term in off}
    if len(off) > 1:
        settings["keep_teacher"] = False
    flow = run(data, tmp_path, max_epochs=1, cutout=[4, 8], **settings)
    names = {"box": "boxes", "prototype": "prototypes", "pseudo_box": "pseudo_boxes"}
    output = flow.parser.get_parsed_content("train#trainer").state.output
    assert not {names.get(term, term) for term in off} & set(output)
    assert torch.isfinite(output["loss"])


def test_a_class_that_is_never_seen_and_images_without_findings(data, tmp_path):
    """The last class has no box, no label; half of the images with boxes have none."""
    content = json.loads((data / "omni.json").read_text())
    content["labels"] = [*content["labels"], "Never"]
    for section in ("training", "validation", "testing"):
        for n, item in enumerate(content[section]):
            if "label" in item:
                item["label"] = [*item["label"], None]
            if section == "training" and "boxes" in item and n % 2:
                item |= {"boxes": [], "box_labels": [], "label": [0] * 8 + [None]}
    (data / "never.json").write_text(json.dumps(content))
    run(data, tmp_path, datalist=str(data / "never.json"), max_epochs=1)
    prototypes = weights(tmp_path / "checkpoint.pt")["prototypes"]
    assert not prototypes["seen"][-1]
    assert not prototypes["prototypes"][-1].any()
    assert json.loads((tmp_path / "thresholds.json").read_text())["decision"]["Never"] == 0.5


def test_inference_with_trained_weights_writes_boxes_of_every_image(data, trained, tmp_path):
    flow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs" / "inference.json"),
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        logging_file=str(BUNDLE / "configs" / "logging.conf"),
        workflow_type="infer",
        bundle_root=str(BUNDLE),
        dataset_dir=str(data / "images"),
        output_dir=str(tmp_path),
        weights=str(trained[0] / "model.pt"),
        intensity_mean=0.4984,
        intensity_std=0.2483,
        **TRAINED,
        **{"dataset#data": f"$cxr_common.data.find_radiographs({str(data / 'images')!r})[:3]"},
    )
    flow.initialize()
    assert flow.check_properties() == []
    flow.run()
    record = json.loads((tmp_path / "findings.json").read_text())
    assert record["failures"] == []
    coco = json.loads((tmp_path / "boxes_coco.json").read_text())
    found = [box for image in record["images"] for finding in image["findings"] for box in finding["boxes"]]
    assert len(coco["images"]) == len(list(tmp_path.glob("*_overlay.png"))) == 3
    assert len(coco["annotations"]) == len(found)
    assert all(0 < finding["image_probability"] < 1 for finding in record["images"][0]["findings"])


def test_the_network_exports_to_torchscript(trained, tmp_path):
    export = {**TRAINED, "config_file": str(BUNDLE / "configs" / "inference.json")}
    ckpt = str(trained[0] / "model.pt")
    meta = str(BUNDLE / "configs" / "metadata.json")
    ckpt_export("network_def", str(tmp_path / "model.ts"), ckpt, meta, bundle_root=str(BUNDLE), **export)
    network = make_network(BUNDLE, **TRAINED).eval()
    load_weights(network, ckpt)
    x = torch.rand(1, 1, 96, 64)
    with torch.no_grad():
        for exported, own in zip(torch.jit.load(tmp_path / "model.ts").eval()(x), network(x), strict=True):
            torch.testing.assert_close(exported, own)


@pytest.mark.slow
def test_two_processes_train_together(data, tmp_path):
    """The multi-GPU overlay under torchrun, on two CPU processes (gloo)."""
    given = {"dataset_dir": data, "datalist": data / "omni.json", "max_epochs": 2, "pseudo_box_score": 0.005}
    configs = ("train.yaml", SMALL, "multi_gpu_train.yaml")
    checkpoint = train_in_two_processes(BUNDLE, configs, tmp_path, **given, **TINY)
    assert checkpoint["iteration"] == 2 * 1  # two processes draw eight images with boxes at a time
