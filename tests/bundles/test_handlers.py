"""Overlays change a training's handlers without losing one of them."""

from __future__ import annotations

from itertools import chain

import pytest
from monai.bundle import ConfigParser

from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY


def overlays(bundle):
    """Every way the bundle is trained: train.yaml alone and with each overlay that is a recipe."""
    configs = REPOSITORY / "bundles" / bundle / "configs"
    names = sorted(path.name for path in configs.glob("*.yaml"))
    others = ("train.yaml", "evaluate.yaml", "tune.yaml")
    return [(bundle, None), *((bundle, name) for name in names if name not in others)]


@pytest.mark.parametrize(("bundle", "overlay"), [*chain.from_iterable(map(overlays, BUNDLES))])
def test_every_recipe_validates_steps_its_schedule_and_keeps_checkpoints(bundle, overlay):
    configs = REPOSITORY / "bundles" / bundle / "configs"
    parser = ConfigParser()
    parser.read_config([configs / "train.yaml", *([configs / overlay] if overlay else [])])
    # Written out, each of them: MONAI's check of a bundle's properties follows no reference to a handler.
    kinds = [handler["_target_"].rsplit(".", 1)[-1] for handler in parser["train"]["handlers"]]
    for kind in ("FiniteBatches", "ValidationHandler", "LrScheduleHandler", "TrainingCheckpoint"):
        assert kinds.count(kind) == 1, kinds
    # The checkpoint goes last: it holds what validation and schedule have done.
    assert kinds[-1] == "TrainingCheckpoint"
