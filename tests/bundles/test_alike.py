"""Localiser bundles differ in network and heatmap lines only, so that a comparison of them compares just that."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.bundles.conftest import LOCALIZERS
from tests.golden import REPOSITORY

REFERENCE = REPOSITORY / "bundles" / "cxr_pylon_localization"
OTHERS = [REPOSITORY / "bundles" / name for name in LOCALIZERS if name != REFERENCE.name]
FILES = ("LICENSE", "docs/data_license.txt", "configs/logging.conf", "configs/evaluate.yaml")


def train(bundle):
    """train.yaml without network and heatmap lines."""
    config = yaml.safe_load((bundle / "configs" / "train.yaml").read_text())
    for key in ("network_def", "heatmap_inferer"):
        assert config.pop(key)
    handlers = config["validate"]["handlers"]
    config["validate"]["handlers"] = [h for h in handlers if not h["_target_"].endswith(".TensorBoardRelevance")]
    return config


def inference(bundle):
    """inference.json without network and heatmap lines."""
    config = json.loads((bundle / "configs" / "inference.json").read_text())
    for key in ("network_def", "inferer"):
        assert config.pop(key)
    assert config["findings_writer"].pop("bundle") == bundle.name
    return config


def overlay(bundle, name):
    config = yaml.safe_load((bundle / "configs" / name).read_text())
    return {key: value for key, value in config.items() if not key.startswith("network_def#")}


@pytest.mark.parametrize("other", OTHERS, ids=lambda b: b.name)
def test_only_network_and_heatmap_lines_differ(other):
    assert train(other) == train(REFERENCE)
    assert inference(other) == inference(REFERENCE)
    for name in ("evaluate.yaml", "from_imagenet.yaml", "from_scratch.yaml", "multi_gpu_train.yaml"):
        assert overlay(other, name) == overlay(REFERENCE, name), name


@pytest.mark.parametrize("other", OTHERS, ids=lambda b: b.name)
@pytest.mark.parametrize("file", FILES)
def test_files_that_say_the_same_are_the_same(other, file):
    assert (other / file).read_bytes() == (REFERENCE / file).read_bytes()


@pytest.mark.parametrize("bundle", LOCALIZERS)
def test_heatmaps_are_pooled_by_their_maximum(bundle):
    """PYLON's are so by nature, the others' by SaliencyInferer: the largest pixel is the class probability."""
    config = json.loads((REPOSITORY / "bundles" / bundle / "configs" / "inference.json").read_text())
    assert config["postprocessing"]["transforms"][0]["pool"] == "max"
    inferer = config["inferer"]["_target_"]
    assert inferer == ("SimpleInferer" if bundle == REFERENCE.name else "cxr_common.saliency.SaliencyInferer")
