"""Labels of a data set over another list."""

from __future__ import annotations

import pytest

from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from cxr_tools.prepare.datasets.base import Reading
from cxr_tools.prepare.shared_labels import choose_labels

OWN = ["Mass", "Edema", "Infiltration"]
READING = Reading(
    OWN, [], shared={"Mass": "Mass", "Nodule": "Nodule", "Opacity": ("Edema", "Infiltration", "Pneumonia")}
)


def shared(values):
    return dict(zip(LABELS, choose_labels(READING, "shared").label(values)))


@pytest.mark.parametrize(
    ("values", "opacity"),
    [([1, 0, 0], None), ([0, 1, 0], 1), ([0, 0, 0], 0), ([0, -1, 0], -1), ([0, None, 0], None), ([None] * 3, None)],
)
def test_an_umbrella_is_ruled_out_only_where_nothing_is_found(values, opacity):
    assert shared(values)["Opacity"] == opacity


def test_labels_that_a_release_lacks_are_not_annotated():
    assert shared([1, 0, 0])["Nodule"] is None and shared([1, 0, 0])["Mass"] == 1


def test_boxes_go_to_a_label_of_their_own_before_an_umbrella():
    item = {"boxes": [[0, 0, 1, 1], [0, 0, 2, 2]], "box_labels": [2, 0]}
    found = choose_labels(READING, "shared").boxes(item)
    assert [LABELS[i] for i in found["box_labels"]] == ["Opacity", "Mass"]
    assert found["box_findings"] == ["Infiltration", "Mass"]
    assert choose_labels(READING, "Mass").boxes(item) == {"boxes": [[0, 0, 2, 2]], "box_labels": [0]}


def test_names_that_are_none():
    with pytest.raises(InputError, match=r"'Mas' is none of the data set's labels; did you mean Mass\?"):
        choose_labels(READING, "Edema,Mas")
    with pytest.raises(InputError, match="has none of the shared labels"):
        choose_labels(Reading(OWN, []), "shared")
