"""The whole road, tiny: killed on the way, taken up again, and walked once more with nothing to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from cxr_common.data import read_datalist, write_datalist
from cxr_tools.make_phantoms import main as make_phantoms
from cxr_tools.pipeline.__main__ import main
from tests.golden import REPOSITORY

TINY = {"spatial_size": [64, 64], "max_epochs": 1, "batch_size": 4}
BACKBONE = "$@bundle_root + '/../cxr_gradcam_classification/models/phantoms/model.pt'"
SETTINGS = {
    "title": "Tiny",
    "localizer": {"train": False},
    "relation_network": {
        "train": True,
        "configs": ["train.yaml", "from_classifier.yaml"],
        "overrides": {**TINY, "spatial_size": [96, 96]},
    },
    "segmenter": {
        "configs": ["train.yaml", "from_classifier.yaml"],
        "overrides": {**TINY, "max_epochs": 2, "backbone_weights": BACKBONE},
    },
}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Image labels in training and validation, masks in testing."""
    folder = tmp_path_factory.mktemp("road")
    counts = [
        "--training",
        "12",
        "--validation",
        "6",
        "--testing",
        "6",
        "--size",
        "64",
        "--seed",
        "3",
        "--workers",
        "1",
    ]
    make_phantoms(["--output", str(folder / "data"), *counts])
    datalist = folder / "data" / "datalist.json"
    content = read_datalist(datalist)
    for section in ("training", "validation"):
        content[section] = [{k: item[k] for k in ("image", "patient", "label")} for item in content[section]]
    write_datalist(content, datalist)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))
    options = ["--datalist", str(datalist), "--output", str(folder / "out"), "--settings", str(folder / "tiny.yaml")]
    return folder / "out", options


@pytest.mark.slow
def test_a_road_that_was_killed_is_taken_up_where_it_stopped(given, capsys):
    output, options = given
    process = subprocess.Popen(
        [sys.executable, "-m", "cxr_tools.pipeline", *options], cwd=REPOSITORY, start_new_session=True, text=True
    )
    try:
        deadline = time.monotonic() + 400
        while not (output / "relation_network" / "stage.started").exists():
            assert process.poll() is None, "it ended early"
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (output / "report.md").exists()
    before = (output / "heatmaps" / "training" / "stage.json").stat().st_mtime_ns

    assert main(options) == 0
    said = capsys.readouterr().out
    assert "heatmaps, training: done before, inputs unchanged" in said
    assert (output / "heatmaps" / "training" / "stage.json").stat().st_mtime_ns == before
    record = json.loads((output / "report.json").read_text())
    assert record["images"] == {"training": 12, "validation": 6, "testing": 6}
    assert record["learnt_from"]["experts"] == 0
    assert record["learnt_from"]["pseudo"] == 12
    assert [stage["stage"] for stage in record["stages"]][-1] == "masks of the test images"
    assert record["metrics"]["n_images"] == 6
    page = (output / "report.md").read_text()
    for name in [line.split("](")[1].rstrip(")") for line in page.splitlines() if line.startswith("![")]:
        assert (output / name).stat().st_size > 100
    assert page.count("![") >= 9

    assert main(options) == 0
    again = capsys.readouterr().out
    assert again.count("done before, inputs unchanged") == len(record["stages"])


def test_a_section_without_images_is_said_before_anything_runs(tmp_path, capsys):
    write_datalist({"labels": ["Mass"], "training": [{"image": "a.png", "label": [1]}]}, tmp_path / "datalist.json")
    assert main(["--datalist", str(tmp_path / "datalist.json"), "--output", str(tmp_path / "out")]) == 1
    assert "has no images in 'validation'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
