"""Every option of every bundle is checked, or left out for a reason that stands here."""

from __future__ import annotations

import pytest
from monai.bundle import ConfigParser

from cxr_common.errors import InputError
from cxr_common.localization import Pylon
from cxr_common.start.settings import FREE, SETTINGS
from cxr_common.start.table import CHECKS
from tests.golden import REPOSITORY

LEFT_OUT = {
    "_comment": "says that the file is generated",
    "bundle_root": "every path above it is checked",
    "localizer": "a bundle that is read when a heatmap is missing",
    "outputs": "FindingsWriter says which there are, and which do not fit together",
    "schedule_metric": "a function that an overlay gives",
    "sampling": "sampling_chances says what is wrong with it, from the datalist alone",
    "radius": "the random walk checks it, which a row of the table has made",
    "beta": "the random walk checks it, which a row of the table has made",
    "steps": "the random walk checks it, which a row of the table has made",
}
CONFIGS = sorted((REPOSITORY / "bundles").glob("*/configs/*.*"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_every_option_has_a_row(path):
    if path.suffix == ".conf" or path.name == "metadata.json":
        pytest.skip("no configuration")
    config = ConfigParser.load_config_file(path)
    checked = {id for row in CHECKS for id in row.ids} | set(LEFT_OUT)
    values = {k for k, v in config.items() if "#" not in k and not (isinstance(v, (dict, list)) and is_part(v))}
    parts = {"imports", "initialize", "run", "network", "labels", "used_thresholds", "evaluated", "walk", "kept"}
    assert sorted(values - checked - parts) == []


def is_part(value):
    """Whether a value is a component, a group, or a list of components."""
    return isinstance(value, dict) or not value or any(not isinstance(part, (int, float)) for part in value)


def test_what_may_change_is_a_setting():
    assert set(SETTINGS) >= FREE


@pytest.mark.parametrize(
    ("images", "batch_size", "processes", "works"),
    [(33, 8, 2, True), (10, 4, 1, True), (10, 4, 2, False), (1, 8, 1, False), (9, 4, 1, True)],
)
def test_batches_are_counted_as_train_yaml_makes_them(images, batch_size, processes, works):
    """Its last batch is left out where one image is left over of all, not of each process' share."""
    row = next(row for row in CHECKS if row.without == ("supervision", "epoch_size"))
    arguments = (Pylon(num_classes=1, backbone="resnet18"), (64, 64), batch_size, processes, range(images))
    if works:
        row.check(*arguments)
    else:
        with pytest.raises(InputError):
            row.check(*arguments)
