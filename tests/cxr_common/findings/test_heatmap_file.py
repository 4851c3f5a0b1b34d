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
