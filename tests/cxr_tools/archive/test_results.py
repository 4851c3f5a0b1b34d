from __future__ import annotations

import pytest

pytest.importorskip("pyarrow", reason="needs the extra ray")
import pyarrow as pa
import pyarrow.parquet as pq

from cxr_common import files
from cxr_common.errors import InputError
from cxr_tools.archive.parts import Part
from cxr_tools.archive.results import PartWriter, Results
from cxr_tools.archive.rows import schema

SCHEMA = schema(["Mass", "Pleural effusion"])
PARTS = [Part("bucket=0", ("a", "b")), Part("bucket=1", ("c", "d"))]


def row(image, **columns):
    return {"image": image, **columns}


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "results")


def test_a_part_appears_when_it_is_complete(results):
    writer = PartWriter(results, PARTS, SCHEMA)
    assert writer.add(0, row("b")) and writer.add(1, row("c"))
    assert results.done() == set()
    assert writer.add(0, row("a"))
    assert results.done() == {"a", "b"}
    writer.flush()
    assert results.done() == {"a", "b", "c"}
    assert sorted(file.parent.name for file in results.files()) == ["bucket=0", "bucket=1"]


def test_a_row_that_comes_twice_counts_once(results):
    writer = PartWriter(results, PARTS[:1], SCHEMA)
    assert [writer.add(0, row(image)) for image in "aabba"] == [True, False, True, False, False]
    writer.flush()
    assert len(list(results.files())) == 1


def test_columns_come_back_as_they_were(results):
    boxes = {"Mass": [{"x0": 1.5, "y0": 2.0, "x1": 3.0, "y1": 4.0, "score": 0.123456}], "Pleural effusion": []}
    results.add("bucket=0", [row("a", probability={"Mass": 0.123456}, boxes=boxes, error=None)], SCHEMA)
    (found,) = pa.parquet.read_table(next(results.files()), partitioning=None).to_pylist()
    assert found["probability"] == {"Mass": 0.123456, "Pleural effusion": None}
    assert found["boxes"] == boxes


def test_images_with_an_error_are_forgotten(results):
    results.add("bucket=0", [row("a"), row("b", error="broken")], SCHEMA)
    results.add("bucket=1", [row("c", error="broken")], SCHEMA)
    assert results.forget_errors() == 2
    assert results.done() == {"a"}
    assert len(list(results.files())) == 1
    assert results.forget_errors() == 0


def test_a_kill_leaves_no_file_that_a_query_finds(results, monkeypatch):
    def killed(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.Path, "unlink", lambda *_, **__: None)  # nor is anything tidied up
    monkeypatch.setattr(files.Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        results.add("bucket=0", [row("a")], SCHEMA)
    left = [path.name for path in results.folder.rglob("*") if path.is_file()]
    assert len(left) == 1 and not left[0].endswith(".parquet")


def test_a_damaged_file_is_named(results):
    results.add("bucket=0", [row("a")], SCHEMA)
    path = next(results.files())
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=r"is no whole Parquet file .* remove it"):
        results.done()


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"a": ["a"]}),
        pa.table({"image": [1]}),
        pa.table({"image": pa.array([b"\xff"]).view(pa.string())}),
    ],
)
def test_a_file_of_others_is_named_and_kept(results, table):
    results.add("bucket=0", [row("a")], SCHEMA)
    path = results.folder / "bucket=0" / "x.parquet"
    pq.write_table(table, path)
    for step in (results.done, results.forget_errors):
        with pytest.raises(InputError, match=r"x\.parquet: is (no whole|not what)"):
            step()
    assert path.exists()


def test_a_copy_of_a_file_is_named(results):
    writer = PartWriter(results, PARTS, SCHEMA)
    for number, part in enumerate(PARTS):
        for image in part.images:
            writer.add(number, row(image))
    first, second = results.files()
    (second.parent / "copy.parquet").write_bytes(first.read_bytes())
    with pytest.raises(InputError, match="another file has too"):
        results.done()


def test_names_that_are_not_utf8_are_written(results):
    results.add("bucket=0", [row("/a/\udcff.dcm")], SCHEMA)
    assert results.done() == {"/a/\\xff.dcm"}
