"""The overlay cache.yaml: the same pictures as without, and the same training."""

from __future__ import annotations

import pytest
import torch
from monai.bundle import ConfigParser

from tests.bundles.training import train, weights
from tests.golden import REPOSITORY

CACHES = sorted((REPOSITORY / "bundles").glob("*/configs/cache.yaml"))
PYLON = REPOSITORY / "bundles" / "cxr_pylon_localization"
SMALL = {"spatial_size": [64, 64], "batch_size": 16, "max_epochs": 1, "backbone": "resnet18"}


def items_of(configs, phantoms, cache):
    parser = ConfigParser()
    parser.read_config([str(path) for path in configs])
    more = {"bundle_root": str(configs[0].parents[1]), "dataset_dir": str(phantoms), "spatial_size": [64, 64]}
    more |= {"supervision": "expert"} if "supervision" in parser else {}  # phantoms have experts' masks
    parser.update({**more, "cache_dir": str(cache), "cache_rate": 0.0, "cache_dtype": "float32"})
    for section in ("train", "validate"):
        dataset = parser.get_parsed_content(f"{section}#dataset")
        yield dataset[1]
        yield dataset[1]


@pytest.mark.parametrize("config", CACHES, ids=lambda path: path.parts[-3])
def test_items_are_those_of_train_yaml(config, phantoms, tmp_path):
    train_yaml = config.with_name("train.yaml")
    pairs = zip(items_of([train_yaml], phantoms, ""), items_of([train_yaml, config], phantoms, tmp_path), strict=True)
    for plain, kept in pairs:
        assert plain.keys() == kept.keys()
        for key, value in plain.items():
            assert torch.equal(torch.as_tensor(value).nan_to_num(9), torch.as_tensor(kept[key]).nan_to_num(9)), key
    assert len(list(tmp_path.glob("*.bin"))) == 2


@pytest.mark.slow
def test_weights_are_those_without_a_cache(phantoms, tmp_path):
    def trained(name, *overlays, **options):
        given = {**SMALL, "dataset_dir": str(phantoms), **options}
        train(PYLON, ("train.yaml", *overlays), tmp_path / name, **given)
        return weights(tmp_path / name / "model.pt")

    plain = trained("plain")
    kept = {"cache_dir": str(tmp_path / "cache"), "cache_dtype": "float32"}
    runs = [trained("filled", "cache.yaml", **kept), trained("read", "cache.yaml", **kept)]
    runs.append(trained("files", "cache.yaml", **kept, image_cache="persistent"))
    for state in runs:
        assert all(torch.equal(state[name], value) for name, value in plain.items())
