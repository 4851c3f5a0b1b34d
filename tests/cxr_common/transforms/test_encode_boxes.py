import pytest
import torch
from ignite.engine import Engine
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.errors import InputError
from cxr_common.metrics import PointLocalization
from cxr_common.transforms import EncodeBoxesd, EncodeLabeld, LoadRadiographd


def image(size=(64, 128), original=(32, 256), **meta):
    return MetaTensor(torch.zeros(1, *size), meta={"spatial_shape": original, **meta})


def test_boxes_follow_the_resize_and_are_padded():
    item = {"image": image(), "boxes": [[1, 2, 3, 4], [0, 0, 32, 256]], "box_labels": [5, 0], "view": "PA"}
    d = EncodeBoxesd(max_boxes=3)(item)
    assert d["boxes"].tolist() == [[2, 1, 6, 2, 5], [0, 0, 64, 128, 0], [0, 0, 0, 0, -1]]
    assert "box_labels" not in d and d["view"] == "PA" and d["boxes"].dtype == torch.float32


@pytest.mark.parametrize("fields", [{}, {"boxes": []}, {"boxes": [], "box_labels": []}])
def test_no_boxes_are_padding(fields):
    assert EncodeBoxesd(max_boxes=2)({"image": image(), **fields})["boxes"][:, 4].tolist() == [-1, -1]


def test_too_many_boxes_name_the_file():
    item = {"image": image(filename_or_obj="a.png"), "boxes": [[0, 0, 1, 1]] * 2, "box_labels": [0, 0]}
    with pytest.raises(InputError, match="a.png: has 2 boxes; raise max_boxes=1"):
        EncodeBoxesd(max_boxes=1)(item)


def test_from_file_to_point_localization(tmp_path):
    """A finding at the top right of a picture file is hit there, and nowhere else, after loading and squashing."""
    items = []
    for name, box in (("a", [70, 5, 95, 15]), ("b", [70, 25, 95, 35]), ("c", None)):
        Image.linear_gradient("L").resize((100, 40)).save(tmp_path / f"{name}.png")
        annotation = {} if box is None else {"boxes": [box], "box_labels": [1]}
        items.append({"image": str(tmp_path / f"{name}.png"), "label": [0, 1], **annotation})
    transform = Compose(
        [LoadRadiographd("image"), Resized("image", (64, 64)), EncodeLabeld("label", "AB"), EncodeBoxesd(max_boxes=4)]
    )
    [batch] = DataLoader(Dataset(items, transform), batch_size=3)
    maps = torch.zeros(3, 2, 16, 16)
    maps[:, 1, 13, 4] = 5  # column 13.5 / 16, row 4.5 / 16 of the squashed picture = 84, 11 of the file's 100 x 40
    handler = PointLocalization((64, 64))
    engine = Engine(lambda engine, batch: {"pred": maps})
    handler.attach(engine, "point")
    engine.run([batch])
    assert engine.state.metric_details["point"][:, 1].tolist()[:2] == [1, 0]
    assert engine.state.metrics["point"] == 0.5
