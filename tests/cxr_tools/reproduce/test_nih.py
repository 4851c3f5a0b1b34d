"""The NIH recipes on a miniature in the genuine layout: prepared, trained, scored, reported, and not run twice."""

from __future__ import annotations

import json

import pytest

from cxr_common.networks.backbones import make_backbone
from cxr_tools.prepare.__main__ import main as prepare
from cxr_tools.reproduce.__main__ import main
from tests.cxr_common.networks.test_pretrained import torchvision_file
from tests.cxr_tools.reproduce.miniatures import write_nih

TINY = ("spatial_size=[64, 64]", "max_epochs=1", "batch_size=4", "num_workers=0")


@pytest.fixture(scope="module")
def datalist(tmp_path_factory):
    root = tmp_path_factory.mktemp("nih")
    write_nih(root)
    assert prepare(["nih", "--root", str(root), "--output", str(root / "datalist.json"), "--fractions", "0.25,0"]) == 0
    return root / "datalist.json"


def run(recipe, datalist, output, weights, *sets):
    options = [part for text in (*TINY, *sets) for part in ("--set", text)]
    given = ["--datalist", str(datalist), "--output", str(output), "--weights", str(weights)]
    return main([recipe, *given, *options])


@pytest.mark.parametrize(
    ("recipe", "backbone"),
    [
        pytest.param("nih_pylon", "resnet18", marks=pytest.mark.slow),
        pytest.param("nih_multiscale", "densenet121", marks=pytest.mark.slow),
    ],
)
def test_a_miniature_is_trained_scored_and_reported(recipe, backbone, datalist, tmp_path, capsys):
    torchvision_file(make_backbone(backbone), tmp_path / "imagenet.pth")
    assert run(recipe, datalist, tmp_path / "out", tmp_path / "imagenet.pth", f"backbone={backbone}") == 0
    printed = capsys.readouterr().out
    assert "6 in testing (25,596 in the full data set)" in printed
    assert "This is not the data of the paper" in printed
    record = json.loads((tmp_path / "out" / "reproduce.json").read_text(encoding="utf-8"))
    rows = {row["figure"]: row for row in record["rows"]}
    point = rows["point accuracy on the official boxes, micro"]
    assert 0 <= point["measured"]["value"] <= 1 and point["measured"]["n_images"] == 6
    assert rows["T(IoBB) > .1, box level, macro"]["published"] == [".681"]
    if recipe == "nih_pylon":
        assert point["published"] == [".616"] and "79fcb36" in point["sources"][0]
        assert rows["AUROC, Hernia"]["measured"]["value"] is None and rows["AUROC, Hernia"]["published"] == [".9115"]
    page = (tmp_path / "out" / "reproduce.md").read_text(encoding="utf-8")
    assert "| point accuracy on the official boxes, micro |" in page and "\n[1] " in page
    assert run(recipe, datalist, tmp_path / "out", tmp_path / "imagenet.pth", f"backbone={backbone}") == 0
    assert capsys.readouterr().out.count("done before, inputs unchanged") == 2


@pytest.mark.parametrize(
    ("recipe", "sets", "error"),
    [
        ("nih_pylom", (), "there is no recipe 'nih_pylom'; recipes are"),
        ("nih_pylon", ("max_epoch=1",), "step train: max_epoch: there is no such entry; did you mean max_epochs?"),
        ("nih_pylon", ("max_epochs",), "--set: 'max_epochs' is not of the form KEY=VALUE; steps are train, evaluate"),
    ],
)
def test_bad_input(recipe, sets, error, datalist, tmp_path, capsys):
    (tmp_path / "w.pth").touch()
    assert run(recipe, datalist, tmp_path / "out", tmp_path / "w.pth", *sets) == 1
    assert error in capsys.readouterr().err
    assert run("nih_pylon", datalist, tmp_path / "out", tmp_path / "gone.pth") == 1
    assert "gone.pth: no such file; fetch resnet50-0676ba61.pth first" in capsys.readouterr().err
