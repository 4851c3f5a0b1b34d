import os
import random

import numpy as np
import pytest

from cxr_common.errors import InputError
from cxr_common.findings import Heatmap, load_heatmap, save_heatmap


@pytest.fixture
def heatmap():
    values = np.random.default_rng(0).random((2, 6, 4)).astype(np.float16)
    return Heatmap(values, ("Mass", "Nodule"), (300, 200), "bundle", "1.2", "ab", "/data/a.png")


def test_round_trip(heatmap, tmp_path):
    save_heatmap(heatmap, tmp_path / "a.npz")
    again = load_heatmap(tmp_path / "a.npz")
    assert again.heatmap.dtype == np.float16
    np.testing.assert_array_equal(again.heatmap, heatmap.heatmap)
    for name in ("labels", "size", "bundle", "version", "weights_sha256", "source"):
        assert getattr(again, name) == getattr(heatmap, name)


def test_plain_numpy_reads_it_without_pickle(heatmap, tmp_path):
    save_heatmap(heatmap, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert set(file) == {"heatmap", "axes", "labels", "size", "bundle", "version", "weights_sha256", "source"}
        assert str(file["axes"]) == "C,x,y"
        assert file["size"].tolist() == [300, 200]
        assert file["labels"].tolist() == ["Mass", "Nodule"]


def test_another_axis_order_is_refused(heatmap, tmp_path):
    save_heatmap(heatmap, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        content = dict(file)
    np.savez(tmp_path / "b.npz", **{**content, "axes": np.array("C,y,x")})
    with pytest.raises(InputError, match="axes C,y,x"):
        load_heatmap(tmp_path / "b.npz")


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04junk", b"text"])
def test_other_files_are_input_errors(tmp_path, content):
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match="a.npz"):
        load_heatmap(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"heatmap": np.full((2, 6, 4), np.nan, np.float16)}, "not all of them finite"),
        ({"heatmap": np.full((2, 6, 4), np.inf, np.float16)}, "not all of them finite"),
        ({"heatmap": np.zeros((2, 6, 4), np.int64)}, "values of int64, not all of them finite"),
        ({"heatmap": np.zeros((2, 6, 4), complex)}, "not all of them finite"),
        ({"heatmap": np.full((2, 6, 4), 1.5, np.float16)}, "from 1.5 to 1.5, not probabilities"),
        ({"heatmap": np.full((2, 6, 4), -0.5, np.float16)}, "not probabilities"),
        ({"labels": np.array([1, 2])}, "labels that are not names"),
        ({"labels": np.array([b"a", b"b"])}, "labels that are not names"),
        ({"labels": np.array(["a", "a"])}, "a label twice"),
        ({"labels": np.array(["a", ""])}, "labels that are not names"),
        ({"size": np.array([300.5, 200])}, "not a heatmap file"),
        ({"size": np.array([10**9, 10**9])}, "an image of 1000000000 x"),
        ({"heatmap": np.zeros((2, 0, 4), np.float16)}, "holds"),
        ({"heatmap": np.float16(1)}, "holds"),
        ({"heatmap": np.array(["x"])}, "holds"),
        ({"labels": np.array(5)}, "not a heatmap file"),
        ({"labels": np.array(["a", "b", "c"])}, "for 3 labels"),
        ({"labels": np.array(["a", "\ud800"])}, "not a heatmap file"),
        ({"size": np.array([300])}, "not a heatmap file"),
        ({"size": np.array([300, -200])}, "an image of 300 x -200"),
        ({"size": np.array([np.inf, 1])}, "not a heatmap file"),
        ({"size": np.array(["x", "y"])}, "not a heatmap file"),
        ({"heatmap": np.zeros((2, 9000, 9000), np.float16)}, "inflates to"),
    ],
)
def test_arrays_that_make_no_sense(heatmap, tmp_path, change, reason):
    save_heatmap(heatmap, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        content = dict(file)
    np.savez_compressed(tmp_path / "b.npz", **{**content, **change})
    with pytest.raises(InputError, match=reason):
        load_heatmap(tmp_path / "b.npz")


def test_mutated_bytes(heatmap, tmp_path):
    save_heatmap(heatmap, tmp_path / "a.npz")
    whole, draw = (tmp_path / "a.npz").read_bytes(), random.Random(0)
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 5)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        (tmp_path / "a.npz").write_bytes(content[: draw.choice([len(whole), draw.randrange(len(whole))])])
        try:
            load_heatmap(tmp_path / "a.npz")
        except InputError:
            continue


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(InputError, match="not an ordinary file"):
        load_heatmap(tmp_path / "a.npz")
