"""The MONAI transforms around the reader."""

import copy
import io
import pickle
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, PILReader
from monai.transforms import Compose, Invertd, LoadImaged, Resized, ResizeWithPadOrCropd
from PIL import Image

from cxr_common.errors import InputError, find_input_error
from cxr_common.transforms import LoadRadiograph, LoadRadiographd
from tests.image_files import MARKER_BOX, marker_corner, marker_picture, write_dicom


@pytest.fixture
def path(tmp_path):
    return write_dicom(tmp_path / "image.dcm", marker_picture(), PixelSpacing=[0.3, 0.2])


def test_default_is_a_meta_tensor_with_channel(path):
    record = LoadRadiographd("image")({"image": path, "other": 1})
    image = record["image"]
    assert isinstance(image, MetaTensor) and image.shape == (1, 60, 40) and image.dtype == torch.float32
    assert marker_corner(image[0].numpy()) == MARKER_BOX
    assert image.meta["spacing"].tolist() == [0.2, 0.3] and image.meta["filename_or_obj"] == str(path)
    assert np.diag(image.affine).tolist() == [-0.2, -0.3, 1, 1]
    assert set(record) == {"image", "other"}


def test_image_only_switched_off(path):
    for load in (LoadRadiographd("image", image_only=False), LoadRadiographd("image")):
        load._loader.image_only = False  # as MONAI Label does
        record = load({"image": str(path)})
        assert isinstance(record["image"], MetaTensor) and record["image"].shape == (1, 60, 40)
        assert record["image_meta_dict"]["patient_id"] == "case-1"


def test_options(path, tmp_path):
    assert LoadRadiograph(ensure_channel_first=False)(path).shape == (60, 40)
    assert LoadRadiograph(dtype=torch.float16)(path).dtype == torch.float16
    assert LoadRadiograph(channels=3)(path).shape == (3, 60, 40)
    lateral = write_dicom(tmp_path / "lateral.dcm", marker_picture(), ViewPosition="LL")
    assert LoadRadiograph(any_view=True)(lateral).shape == (1, 60, 40)
    record = LoadRadiographd(["image", "prior"], allow_missing_keys=True)({"image": path})
    assert record["image"].shape == (1, 60, 40)


def test_it_is_a_load_imaged_with_one_reader(path):
    load = LoadRadiographd("image")
    assert isinstance(load, LoadImaged)
    assert [type(r).__name__ for r in load._loader.readers] == ["RadiographReader"]
    with pytest.raises(InputError, match="no other reader"):
        load({"image": path}, reader=PILReader())


def test_the_error_arrives_as_it_was_raised(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"hello")
    with pytest.raises(InputError) as caught:
        LoadRadiographd("image")({"image": tmp_path / "a.dcm"})
    assert caught.value.where == str(tmp_path / "a.dcm") and caught.value.reason and caught.value.action
    with pytest.raises(RuntimeError) as wrapped:
        Compose([LoadRadiographd("image")])({"image": tmp_path / "a.dcm"})
    found = find_input_error(wrapped.value)
    assert found is not None and found.where == str(tmp_path / "a.dcm")


def test_geometry_survives_and_inverts(path):
    forward = Compose(
        [LoadRadiographd("image"), Resized("image", 32, size_mode="longest"), ResizeWithPadOrCropd("image", (32, 32))]
    )
    record = forward({"image": path})
    record["pred"] = record["image"].clone()
    assert record["pred"].shape == (1, 32, 32)
    restored = Invertd("pred", forward, orig_keys="image", nearest_interp=True)(record)["pred"]
    assert restored.shape == (1, 60, 40)
    np.testing.assert_allclose(np.diag(restored.affine), [-0.2, -0.3, 1, 1], atol=1e-9)
    x0, y0, x1, y1 = marker_corner(restored[0].numpy())
    assert abs(x0 - 45) <= 2 and abs(y0 - 2) <= 2 and abs(x1 - 55) <= 2 and abs(y1 - 10) <= 2


def test_making_it_says_nothing(recwarn, caplog):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        LoadRadiographd("image")
    assert (out.getvalue(), err.getvalue(), len(recwarn), caplog.records) == ("", "", 0, [])


def test_it_can_be_copied_and_sent_to_workers(path):
    load = LoadRadiographd("image")
    for other in (copy.deepcopy(load), pickle.loads(pickle.dumps(load))):
        assert other({"image": path})["image"].shape == (1, 60, 40)


def test_png(tmp_path):
    Image.fromarray(marker_picture()).save(tmp_path / "a.png")
    image = LoadRadiograph()(tmp_path / "a.png")
    np.testing.assert_allclose(image[0].numpy(), marker_picture().T / 255, atol=1e-6)
