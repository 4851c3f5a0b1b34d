from __future__ import annotations

import gzip
import importlib
import sys
import zipfile
import zlib

import numpy as np
import pytest

from cxr_common import deflate

DATA = np.random.default_rng(0).integers(0, 9, 70000, np.uint8).tobytes() + bytes(50000)


@pytest.fixture(params=["isal", "zlib"])
def compressor(request, monkeypatch):
    """The module as it is with and without the package isal."""
    if request.param == "isal":
        pytest.importorskip("isal")
        yield importlib.reload(deflate)
    else:
        monkeypatch.setitem(sys.modules, "isal", None)
        yield importlib.reload(deflate)
        monkeypatch.undo()
        importlib.reload(deflate)


@pytest.mark.parametrize("data", [b"", b"a", DATA])
def test_everybody_can_read_it(compressor, data):
    assert zlib.decompress(compressor.zlib_bytes(memoryview(data))) == data
    packed = compressor.gzip_bytes(data)
    assert gzip.decompress(packed) == data and packed == compressor.gzip_bytes(data)
    assert int.from_bytes(packed[4:8], "little") == 0  # no time
    assert len(packed) < len(data) / 2 or len(data) < 9


def test_members_of_a_zip(compressor, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as members, members.open("a", "w") as member:
        compressor.hasten(member)
        member.write(DATA)
    with zipfile.ZipFile(tmp_path / "a.zip") as members:
        assert members.read("a") == DATA and members.testzip() is None
        assert members.getinfo("a").compress_size < len(DATA) / 2


def test_a_zip_that_knows_no_compressor_stays_as_it_is():
    member = object()
    deflate.hasten(member)
    assert not hasattr(member, "_compressor")
