"""SIIM-ACR in its DICOM tree, small; and the genuine table."""

from __future__ import annotations

import numpy as np
import pytest

from cxr_common.data import read_datalist
from cxr_common.data.masks import read_mask
from cxr_tools.prepare.run_lengths import encode_siim
from tests.golden import SHARED, needs_radiographs
from tests.image_files import dicom_dataset, save_dicom

ONE, TWO, NONE = "1.2.276.0.1", "1.2.276.0.2", "1.2.276.0.3"


@pytest.fixture
def masks():
    masks = np.zeros((2, 8, 6), dtype=bool)
    masks[0, 1:3, 2:4] = masks[1, 6, 5] = True
    return masks


@pytest.fixture
def root(table, tmp_path, masks):
    rows = [(ONE, encode_siim(masks[0])), (NONE, "-1"), (TWO, encode_siim(masks[0])), (TWO, encode_siim(masks[1]))]
    table("train-rle.csv", "ImageId, EncodedPixels\n" + "".join(f"{name}, {runs}\n" for name, runs in rows))
    for number, name in enumerate((ONE, TWO, NONE)):
        pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
        path = tmp_path / "root" / "dicom-images-train" / f"study{number}" / "series" / f"{name}.dcm"
        path.parent.mkdir(parents=True)
        save_dicom(path, dicom_dataset(pixels, PatientID=f"p{number}", ViewPosition="AP"))


@pytest.mark.usefixtures("root")
def test_masks_of_one_or_several_rows_and_patients_of_the_headers(prepare, tmp_path, masks):
    data, printed, _ = prepare("siim", "--fractions", "0,0")
    one, none, two = data["training"]
    assert (
        one["image"] == f"dicom-images-train/study0/series/{ONE}.dcm" and one["patient"] == "p0" and one["view"] == "AP"
    )
    assert none["mask"] == {"Pneumothorax": None} and [i["label"] for i in (one, none, two)] == [[1], [0], [1]]
    read = [read_mask(tmp_path / "root" / item["mask"]["Pneumothorax"]) for item in (one, two)]
    assert np.array_equal(read[0], masks[0]) and np.array_equal(read[1], masks.any(0))
    assert "read: 4 rows of train-rle.csv" in printed


@pytest.mark.usefixtures("root")
def test_masks_of_some_sections_only(prepare, tmp_path):
    data, printed, _ = prepare("siim", "--fractions", "0.34,0", "--masks-in", "validation")
    assert not any("mask" in item for item in data["training"]) and all("mask" in item for item in data["validation"])
    named = {path.rpartition("/")[2] for item in data["validation"] for path in item["mask"].values() if path}
    assert {path.name for path in (tmp_path / "out" / "datalist_masks").glob("*")} == named
    assert "--masks-in: 'val'" not in printed and "'val' is not a section" in prepare("siim", "--masks-in", "val")[2]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("row", "error"),
    [
        (f"{NONE},1 2", "line 6 column 'EncodedPixels': the image has both -1, no mask, and outlines: see line 3"),
        (f"{ONE},1 2 3", "line 6 column 'EncodedPixels': is not a mask: is not a list of pairs"),
        (f"{ONE},47 2", "line 6 column 'EncodedPixels': is not a mask: leaves the image of 8 x 6 pixels"),
        (f"{ONE},a b", "line 6 column 'EncodedPixels': is not a mask: invalid literal"),
    ],
)
def test_bad_rows(prepare, tmp_path, row, error):
    with (tmp_path / "root" / "train-rle.csv").open("a", encoding="utf-8") as file:
        file.write(row + "\n")
    assert error in prepare("siim")[2] and not list((tmp_path / "out").glob("*"))


@needs_radiographs
def test_the_genuine_table(prepare, tmp_path):
    _, printed, _ = prepare("siim", "--no-check-files", "--limit", "300", root=SHARED / "cxr" / "annotations" / "siim")
    assert "read: 12954 rows of train-rle.csv.gz" in printed
    data = read_datalist(tmp_path / "out" / "datalist.json")
    items = [item for section in ("training", "validation", "testing") for item in data[section]]
    assert len(items) == 300 and all((item["label"] == [1]) == bool(item["mask"]["Pneumothorax"]) for item in items)
