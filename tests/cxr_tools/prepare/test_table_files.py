"""Tables that are packed, and what can be wrong with that."""

from __future__ import annotations

import gzip
from zipfile import ZIP_LZMA, ZipFile

import pytest

from cxr_common.errors import InputError
from cxr_tools.prepare.table_files import count_lines
from cxr_tools.prepare.tables import read_table

TABLE = b"a,b\r\n1,2\r\n\r\n"


@pytest.mark.parametrize("suffix", ["", ".gz", ".zip"])
def test_the_same_rows_however_packed(tmp_path, suffix):
    path = tmp_path / f"t.csv{suffix}"
    if suffix == ".zip":
        with ZipFile(path, "w", ZIP_LZMA) as archive:
            archive.writestr("folder/t.csv", TABLE)
    else:
        path.write_bytes(gzip.compress(TABLE) if suffix else TABLE)
    assert [row.cells for row in read_table(path)] == [{"a": "1", "b": "2"}] and count_lines(path) == 2


def encrypted(path):
    """A zip file whose headers say that a password is needed."""
    with ZipFile(path, "w") as archive:
        archive.writestr("t.csv", TABLE)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.find(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)


def unknown_packing(path):
    with ZipFile(path, "w") as archive:
        archive.writestr("t.csv", TABLE)
    content = bytearray(path.read_bytes())
    content[8] = content[content.find(b"PK\1\2") + 10] = 97
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("t.csv.gz", lambda path: path.write_bytes(gzip.compress(TABLE * 999)[:-20]), "cannot be unpacked"),
        ("t.csv.gz", lambda path: path.write_bytes(TABLE), "cannot be unpacked"),
        ("t.csv.zip", lambda path: path.write_bytes(TABLE), "cannot be unpacked"),
        ("t.csv.zip", encrypted, "cannot be unpacked (File 't.csv' is encrypted, password required for extraction)"),
        ("t.csv.zip", unknown_packing, "cannot be unpacked (That compression method is not supported); unpack it"),
        ("t.csv", lambda path: path.write_bytes(b"\xff"), "not UTF-8 text; save it as csv, UTF-8"),
        ("t.csv", lambda path: path.write_bytes("a,b".encode("utf-16")), "not UTF-8 text"),
        ("t.csv", lambda path: None, "no such file or directory; check the path and its rights"),
    ],
)
@pytest.mark.parametrize("read", [count_lines, read_table])
def test_one_error_whoever_reads_it(tmp_path, name, make, said, read):
    path = tmp_path / name
    make(path)
    with pytest.raises(InputError) as caught:
        read(path)
    assert said in str(caught.value) and name in str(caught.value)


def test_lzma_without_end(tmp_path):
    path = tmp_path / "t.csv.zip"
    with ZipFile(path, "w", ZIP_LZMA) as archive:
        archive.writestr("t.csv", TABLE * 99)
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_table(path)
