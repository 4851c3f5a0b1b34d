from __future__ import annotations

import pytest

from cxr_common.errors import InputError
from cxr_common.findings.class_names import check_class_names, class_slug

SCRIPTS = [
    "胸水",
    "気胸",
    "흉수",
    "Пневмоторакс",
    "Ατελεκτασία",
    "استرواح",
    "หัวใจโต",
    "हृदय वृद्धि",
    "Épanchement",
    "Mass",
]


@pytest.mark.parametrize("label", SCRIPTS)
def test_a_name_of_any_script_stays_readable(label):
    assert class_slug(label) == label.replace(" ", "-")


@pytest.mark.parametrize(
    ("one", "other"),
    [("A/B", "A-B"), ("Mass (left)", "Mass [left]"), ("肺炎?", "肺炎!"), ("🙂", "🙁"), ("x" * 300, "x" * 301)],
)
def test_what_had_to_go_leaves_a_difference(one, other):
    assert class_slug(one) != class_slug(other)
    check_class_names([one, other])


@pytest.mark.fault("a class name is a path", "it becomes one part of a file name")
@pytest.mark.parametrize(
    "label", ["../../etc/passwd", "..", "/", "a\tb", "x" * 300, "\u80f8" * 99, "🙂", "CON/", ".hidden"]
)
def test_a_name_is_one_part_of_a_path(label):
    name = class_slug(label)
    assert 0 < len(name.encode()) < 80
    assert not set(name) & set('/\\:*?"<>|\0\n\t ')
    assert not name.startswith(".")


def test_the_same_text_in_two_forms_is_one_name():
    assert class_slug("E\u0301panchement") == class_slug("\u00c9panchement")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["Mass", "mass"], "'Mass' and 'mass' give the same file name; rename"),
        (["Lung Opacity", "Lung-Opacity"], "give the same file name"),
        (["Mass", " "], "is not a class name"),
        (["Mass", 3], "is not a class name"),
        (["Mass\n"], "control characters"),
        (["\ud800"], "control characters"),
    ],
)
def test_names_that_cannot_be_told_apart_or_written(labels, reason):
    with pytest.raises(InputError, match=reason):
        check_class_names(labels)


def test_names_of_all_scripts_together():
    check_class_names(SCRIPTS)
