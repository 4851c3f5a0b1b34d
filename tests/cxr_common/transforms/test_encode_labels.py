import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from PIL import Image

from cxr_common.errors import InputError
from cxr_common.transforms import EncodeLabeld

LABELS = ("Mass", "Nodule", "Effusion")


def test_none_becomes_nan_and_other_keys_pass():
    d = EncodeLabeld("label", LABELS)({"label": [1, None, -1], "view": "PA"})
    assert d["label"].dtype == torch.float32 and d["view"] == "PA"
    torch.testing.assert_close(d["label"], torch.tensor([1, torch.nan, -1]), equal_nan=True)


def test_integers_alone_still_give_float():
    assert EncodeLabeld("label", LABELS)({"label": [1, 0, 1]})["label"].dtype == torch.float32


def test_a_missing_label_is_not_annotated_only_where_allowed():
    with pytest.raises(KeyError, match="label"):
        EncodeLabeld("label", LABELS)({})
    assert EncodeLabeld("label", LABELS, allow_missing_keys=True)({})["label"].isnan().tolist() == [True] * 3


def test_label_map_of_monai_label(tmp_path):
    pixels = np.zeros((6, 4), np.uint8)
    pixels[1, 2] = 3
    pixels[2:, :2] = 1
    path = tmp_path / "label.png"
    Image.fromarray(pixels).save(path)
    assert EncodeLabeld("label", LABELS)({"image": "a", "label": str(path)})["label"].tolist() == [1, 0, 1]
    with pytest.raises(InputError, match="label.png: label map holds the value 3, classes are 1 to 2"):
        EncodeLabeld("label", LABELS[:2])({"label": path})


@pytest.mark.parametrize(
    ("label", "reason"), [([1, 0], "2 values for 3 classes"), (["x", 0, 1], "not a list of numbers")]
)
def test_bad_labels_name_the_image(label, reason):
    with pytest.raises(InputError, match=rf"a.png: .*{reason}"):
        EncodeLabeld("label", LABELS)({"image": "a.png", "label": label})


def test_labels_collate():
    data = Dataset([{"label": [1, 0, None]}, {"label": [0, 0, 1]}], EncodeLabeld("label", LABELS))
    assert next(iter(DataLoader(data, batch_size=2)))["label"].shape == (2, 3)
