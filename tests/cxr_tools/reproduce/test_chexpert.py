"""CheXseg on a miniature of CheXpert + CheXlocalize: prepared, walked, scored by CheXlocalize's protocol."""

from __future__ import annotations

import json

import pytest

from cxr_common.data import read_datalist
from cxr_tools.prepare.__main__ import main as prepare
from cxr_tools.reproduce.__main__ import main
from tests.cxr_tools.reproduce.miniatures import write_chexpert

LABELS = "Cardiomegaly,Lung Opacity,Pleural Effusion"
TINY = ("backbone=resnet18", "spatial_size=[64, 64]", "max_epochs=1", "batch_size=4")


@pytest.fixture(scope="module")
def datalist(tmp_path_factory):
    root = tmp_path_factory.mktemp("chexpert")
    write_chexpert(root)
    options = ["--labels", LABELS, "--learn-valid", "0.5", "--output", str(root / "datalist.json")]
    assert prepare(["chexpert", "--root", str(root), *options]) == 0
    return root / "datalist.json"


def test_experts_masks_are_in_training_validation_and_testing(datalist):
    data = read_datalist(datalist)
    masked = {
        section: sum("mask" in item for item in data[section]) for section in ("training", "validation", "testing")
    }
    assert masked == {"training": 3, "validation": 3, "testing": 4} and len(data["training"]) == 11


@pytest.mark.slow
def test_a_miniature_goes_the_whole_road(datalist, tmp_path, capsys):
    options = [part for text in TINY for part in ("--set", text)]
    options += ["--set", "relation_network.spatial_size=[96, 96]"]
    given = ["--datalist", str(datalist), "--output", str(tmp_path / "out")]
    assert main(["chexpert_chexseg", *given, *options]) == 0
    assert "This is not the data of the paper" in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "reproduce.json").read_text(encoding="utf-8"))
    rows = {row["figure"]: row for row in record["rows"]}
    hits = rows["hit rate of the localiser's heatmaps, macro"]
    assert (
        0 <= hits["measured"]["value"] <= 1
        and hits["published"] == [".801", ".599"]
        and "2509.18015" in hits["sources"][0]
    )
    assert rows["hit rate of the segmenter, macro"]["measured"]["n_patients"] == 4
    assert rows["mIoU of the segmenter, CheXseg's (data set, network resolution), macro"]["measured"] is not None
