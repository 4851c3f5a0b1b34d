from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigParser

from cxr_common.data import write_datalist
from cxr_common.errors import InputError
from cxr_tools.pipeline.road import REFINEMENT, SECTIONS, SEGMENTER, Road
from cxr_tools.pipeline.settings import LOCALIZERS, load_settings
from tools.repository import REPOSITORY


def road(folder, settings, localizer="pylon", labels=("Effusion", "Mass")):
    items = {name: [{"image": f"{name}.png", "patient": name, "label": [1] * len(labels)}] for name in SECTIONS}
    content = {"labels": list(labels), **items, "testing": []}
    write_datalist(content, folder / "datalist.json")
    return Road(folder / "datalist.json", folder, localizer, folder / "out", load_settings(settings))


@pytest.mark.parametrize("settings", ["siim", "chexseg"])
@pytest.mark.parametrize("localizer", sorted(LOCALIZERS))
def test_what_infers_is_the_network_that_was_trained(tmp_path, settings, localizer):
    """Architecture, strides, dilations and classes are those of the training configs, overlays included."""
    here = road(tmp_path, settings, localizer)
    for part, bundle in (
        ("localizer", LOCALIZERS[localizer]),
        ("relation_network", REFINEMENT),
        ("segmenter", SEGMENTER),
    ):
        training = ConfigParser()
        configs = REPOSITORY / "bundles" / bundle / "configs"
        training.read_config([configs / name for name in here.settings[part]["configs"]])
        training.update({**here.settings[part]["overrides"], "labels": ["Effusion", "Mass"]})
        inference = ConfigParser()
        inference.read_config(configs / "inference.json")
        inference.update(json.loads(json.dumps(here._network(part, bundle))))
        with torch.device("meta"):
            trained, used = (parser.get_parsed_content("network_def") for parser in (training, inference))
        assert repr(trained) == repr(used)
        assert {k: v.shape for k, v in trained.state_dict().items()} == {
            k: v.shape for k, v in used.state_dict().items()
        }
        assert here.settings[part]["overrides"].get("backbone") == "resnet50" or part == "segmenter"


def test_what_infers_scales_grey_values_as_what_was_trained(tmp_path):
    here = road(tmp_path, "siim")
    here.settings["localizer"]["overrides"] |= {"intensity_mean": 0.25, "intensity_std": 0.5}
    used = here._network("localizer", LOCALIZERS["pylon"])
    assert (used["intensity_mean"], used["intensity_std"]) == (0.25, 0.5)
    for part, bundle in (("relation_network", REFINEMENT), ("segmenter", SEGMENTER)):
        assert here._network(part, bundle)["intensity_mean"] == 0.4984  # of train.yaml, not of what ships


def test_classes_that_the_shipped_localiser_does_not_know_are_named(tmp_path):
    assert road(tmp_path, "phantoms", labels=("Fracture", "Effusion")).unknown_labels() == ["Fracture"]
    assert road(tmp_path, "siim", labels=("Fracture", "Effusion")).unknown_labels() == []


def test_masks_are_walked_as_their_thresholds_were_tuned(tmp_path):
    config = road(tmp_path, "siim")._config("relation_network", REFINEMENT)
    assert [config[key] for key in ("radius", "beta", "steps")] == [5, 10, 256]
    assert road(tmp_path, "chexseg")._config("relation_network", REFINEMENT)["steps"] == 8
    inference = ConfigParser()
    inference.read_config(REPOSITORY / "bundles" / REFINEMENT / "configs" / "inference.json")
    assert [inference[key] for key in ("radius", "beta", "steps")] == [None] * 3  # those of the trained thresholds.json


def test_a_training_without_other_weights_starts_from_the_localisers(tmp_path):
    stage = road(tmp_path, "phantoms")._training(
        "relation_network", "train", REFINEMENT, {"backbone_weights": None}, {}
    )
    assert stage.overrides["backbone_weights"].endswith("cxr_pylon_localization/models/model.pt")
    overlay = road(tmp_path, "phantoms")
    overlay.settings["relation_network"] |= {"configs": ["train.yaml", "from_classifier.yaml"], "overrides": {}}
    kept = overlay._training("relation_network", "train", REFINEMENT, {}, {})
    assert "backbone_weights" not in kept.overrides  # the overlay names them
    assert len(kept.inputs["backbone"]) == 64
    own = road(tmp_path, "phantoms")._training("segmenter", "train", SEGMENTER, {}, {})
    assert "backbone_weights" not in own.overrides  # here too
    assert len(own.inputs["backbone"]) == 64
    with pytest.raises(InputError, match="backbone_weights"):
        road(tmp_path, "phantoms")._training("segmenter", "train", SEGMENTER, {"backbone_weights": "/none.pt"}, {})


def test_imagenet_weights_of_a_package_are_no_file(tmp_path):
    own = road(tmp_path, "nih")
    assert len(own._training("segmenter", "train", SEGMENTER, {}, {}).inputs["backbone"]) == 64
    del own.settings["segmenter"]["overrides"]["backbone_weights"]  # from_imagenet.yaml says "imagenet"
    assert own._training("segmenter", "train", SEGMENTER, {}, {}).inputs["backbone"] == "imagenet"
