from __future__ import annotations

from datetime import date

from cxr_tools.archive.parts import NO_DATE, Part, by_date, by_hash


def test_a_day_has_a_folder_and_parts_of_at_most_so_many():
    day = date(2026, 3, 1)
    parts = by_date([("a", day), ("b", None), ("c", day), ("d", day)], rows=2)
    assert parts == [
        Part("date=2026-03-01", ("a", "c")),
        Part("date=2026-03-01", ("d",)),
        Part(f"date={NO_DATE}", ("b",)),
    ]


def test_a_bucket_depends_on_the_image_alone():
    images = [f"/archive/{number}.dcm" for number in range(300)]
    parts = by_hash(images, buckets=12, rows=1000)
    assert sorted(image for part in parts for image in part.images) == sorted(images)
    assert [part.folder for part in parts] == [f"bucket={number:02d}" for number in range(12)]
    few = by_hash(images[:7], buckets=12, rows=1000)
    assert all(set(part.images) <= set(other.images) for part in few for other in parts if part.folder == other.folder)


def test_names_that_are_not_utf8_have_a_bucket():
    assert by_hash(["/a/\udcff.dcm"], buckets=1, rows=1) == [Part("bucket=0", ("/a/\udcff.dcm",))]
