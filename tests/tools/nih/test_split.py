from __future__ import annotations

import csv
from collections import Counter

import pytest

from cxr_common.errors import InputError
from tests.golden import SHARED
from tools.nih.split import IMAGES, SIZES, draw_split, image_name, list_images, read_boxed, read_split, split_items

SMALL = {"training": 4, "validation": 2, "testing": 6}


def boxed(patients, learned=()):
    return [
        {"image": f"boxed/{patient}_{n}.jpg", "patient": patient, "patient_in_cxr_train": int(patient in learned)}
        for patient, count in patients.items()
        for n in range(count)
    ]


def test_patients_stay_together_and_sections_have_their_sizes():
    items = boxed({"a": 2, **dict.fromkeys("bcdefghijk", 1)}, learned="ci")
    for seed in range(8):
        drawn = draw_split(items, SMALL, seed)
        assert {section: len(names) for section, names in drawn.items()} == SMALL
        sections = {section: {name[0] for name in names} for section, names in drawn.items()}
        assert Counter(p for patients in sections.values() for p in patients).most_common(1)[0][1] == 1
        assert {"c", "i"} <= sections["training"]
    assert drawn == draw_split(items[::-1], SMALL, seed)


def test_patients_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="fit into no section"):
        draw_split(boxed({"a": 7, "b": 5}), SMALL)


def test_the_file_names_every_image_once():
    split = read_split()
    assert {section: len(names) for section, names in split.items()} == SIZES
    assert all(name.count("_") == 1 for names in split.values() for name in names)


def test_the_list_of_images_names_each_once_and_the_split_has_its_boxed_ones():
    with IMAGES.open(encoding="utf-8", newline="") as file:
        sections = [(row["image"], row["section"]) for row in csv.DictReader(file)]
    assert len(dict(sections)) == len(sections)
    boxed_ones = {name for name, section in sections if section == "localisation"}
    assert boxed_ones == {name for names in read_split().values() for name in names}


def test_a_file_that_names_an_image_twice_is_refused(tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("image,section\na,training\nb,testing\na,testing\n", encoding="utf-8")
    with pytest.raises(InputError, match="twice"):
        read_split(path)


def test_an_image_that_is_not_there_is_named():
    with pytest.raises(InputError, match="1 images of the split are not there, b_0"):
        split_items(boxed({"a": 1}), {"training": ["a_0"], "testing": ["b_0"]})


@pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images with boxes (../shared/nih) are not here")
def test_no_patient_is_in_two_sections_nor_among_those_that_train_or_choose():
    split, items = read_split(), read_boxed(SHARED / "nih")
    sections = split_items(items, split)
    assert {name for names in split.values() for name in names} == {image_name(item) for item in items}
    where: dict[str, set[str]] = {}
    with (SHARED / "nih" / "images.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] != "localisation":
                where.setdefault(row["patient"], set()).add(row["split"])
    assert {name for names in where.values() for name in names} == {"training", "validation", "testing"}
    for name, part in sections.items():
        for item in part:
            where.setdefault(item["patient"], set()).add(f"boxed {name}")
    assert [patient for patient, names in where.items() if len(names) > 1] == []
    learned = {name: sum(item["patient_in_cxr_train"] for item in part) for name, part in sections.items()}
    assert learned == {"training": 28, "validation": 0, "testing": 0}
    assert draw_split(items) == split
    assert IMAGES.read_text(encoding="utf-8") == list_images(SHARED / "nih")
