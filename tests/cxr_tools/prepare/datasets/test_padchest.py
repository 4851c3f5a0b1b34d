"""PadChest in its documented format, small."""

from __future__ import annotations

import numpy as np
import pytest

from cxr_common.data.reader import read_picture
from cxr_tools.prepare.datasets.padchest import parents

ROWS = [  # ImageID, ImageDir, PatientID, Projection, Labels
    ("1.png", "0", "p1", "PA", "['laminar atelectasis', ' loculated fissural effusion ']"),
    ("2.png", "0", "p1", "L", "['normal']"),
    ("3.png", "1", "p2", "AP_horizontal", "['normal']"),
    ("4.png", "1", "p3", "PA", "['unchanged']"),
    ("5.png", "1", "p4", "PA", "['exclude']"),
    ("6.png", "1", "p5", "PA", ""),
]


def csv(rows):
    head = ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,Projection,Labels\n"
    return head + "".join(f'{n},{i},{d},20100101,s,{p},{v},"{w}"\n' for n, (i, d, p, v, w) in enumerate(rows))


@pytest.fixture
def write(table, picture):
    for image, folder, *_ in ROWS:
        picture(f"{folder}/{image}", mode="I;16")
    return lambda rows: table("PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", csv(rows))


def test_findings_imply_their_parents(prepare, write):
    write(ROWS)
    data, printed, _ = prepare("padchest", "--fractions", "0,0")
    first, normal, unchanged, blank = data["training"]
    present = {name for name, value in zip(data["labels"], first["label"]) if value == 1}
    assert present == {"laminar atelectasis", "atelectasis", "loculated fissural effusion", "pleural effusion"} | {
        "fissure thickening"
    }
    assert set(normal["label"]) == {0} and normal["view"] == "AP" and first["image"] == "0/1.png"
    assert set(unchanged["label"]) == set(blank["label"]) == {None}
    assert 'left out: 1 images that PadChest calls "exclude"' in printed and "view LATERAL" in printed
    shared, _, _ = prepare("padchest", "--labels", "shared", "--fractions", "0,0")
    assert shared["training"][0]["label"] == [1, 0, 0, 1, 0, 0, None, 0]


def test_the_reader_takes_its_16_bit_pictures(prepare, write, tmp_path):
    write(ROWS[:1])
    data, _, _ = prepare("padchest")
    picture = read_picture(tmp_path / "root" / data["training"][0]["image"])
    assert picture.shape == (8, 6) and len(np.unique(picture)) == 48


def test_a_name_in_several_places_of_the_tree_has_all_their_parents():
    assert parents()["hydropneumothorax"] >= {"pneumothorax", "pleural effusion"}
    assert parents()["air bronchogram"] >= {"consolidation", "alveolar pattern", "infiltrates"}
    assert parents()["calcified adenopathy"] >= {"hilar enlargement", "calcified densities", "adenopathy"}


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ("['pleural efusion']", "'pleural efusion' is an unknown label; did you mean 'pleural effusion'?"),
        ("normal", "'normal' is not a list of names; write such as"),
    ],
)
def test_bad_labels(prepare, write, labels, error):
    write([(*ROWS[0][:4], labels)])
    assert f"line 2 column 'Labels': {error}" in prepare("padchest")[2]
