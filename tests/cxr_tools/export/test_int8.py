from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

import cxr_common
from cxr_common.errors import InputError
from cxr_common.exports import OnnxFile
from cxr_tools.export.__main__ import main
from cxr_tools.export.int8 import read_some
from cxr_tools.make_phantoms import main as make_phantoms

BUNDLE = "cxr_gradcam_classification"


@pytest.fixture(scope="module")
def radiographs(tmp_path_factory):
    """24 phantoms and a file that is none."""
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(["--output", str(folder), "--count", "24", "--size", "128", "--no-masks", "--workers", "1"])
    (folder / "images" / "broken.dcm").write_bytes(b"no image")
    return folder / "images"


def test_a_quantised_file_stands_beside_the_other_and_finds_nearly_the_same(radiographs, tmp_path, capsys):
    assert main([BUNDLE, "--output", str(tmp_path), "--formats", "onnx", "--int8", str(radiographs)]) == 0
    said = capsys.readouterr()
    assert "on 6 radiographs its probabilities differ by" in said.out
    assert "broken.dcm: the file is of an unknown format" in said.err
    whole, small = tmp_path / f"{BUNDLE}.onnx", tmp_path / f"{BUNDLE}_int8.onnx"
    assert sorted(tmp_path.iterdir()) == [whole, small]
    assert small.stat().st_size < whole.stat().st_size / 3
    facts = [{entry.key: entry.value for entry in onnx.load(path).metadata_props} for path in (whole, small)]
    assert facts[1] == {**facts[0], "precision": '"int8"'}

    images, left_out = read_some(cxr_common.load(BUNDLE, device="cpu"), radiographs)
    assert len(images) == 24 and len(left_out) == 1
    several = torch.cat(images[:3])
    before, after = (OnnxFile(path)(several)[1].sigmoid() for path in (whole, small))
    assert 0 < (before - after).abs().max() < 0.2
    assert np.corrcoef(before.flatten(), after.flatten())[0, 1] > 0.95


def test_few_radiographs_are_refused(radiographs, tmp_path, capsys):
    one = tmp_path / "one"
    one.mkdir()
    (one / "0.png").write_bytes(next(iter(sorted(radiographs.glob("*.png")))).read_bytes())
    out = tmp_path / "out"
    assert main([BUNDLE, "--output", str(out), "--formats", "onnx", "--int8", str(one)]) == 1
    assert "1 radiographs can be used" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == [f"{BUNDLE}.onnx"]


def test_other_outputs_are_refused(radiographs, tmp_path, capsys):
    options = ["--output", str(tmp_path), "--formats", "onnx", "--int8", str(radiographs)]
    assert main(["cxr_oxnet_detection", *options]) == 1
    assert "heatmap and logits" in capsys.readouterr().err


def test_it_needs_the_onnx_file(radiographs, tmp_path):
    with pytest.raises(InputError, match="ONNX"):
        main.__wrapped__([BUNDLE, "--output", str(tmp_path), "--formats", "torchscript", "--int8", str(radiographs)])
    assert not any(tmp_path.iterdir())
