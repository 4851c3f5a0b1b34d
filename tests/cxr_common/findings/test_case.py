from pathlib import Path

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized

from cxr_common.data import boxes_to_stored, read_picture
from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.errors import InputError
from cxr_common.findings import RunModel, Thresholds
from cxr_common.findings.case import CaseKeys, decode_case
from cxr_common.transforms import LoadRadiographd, LocalizeFindingsd
from tests.cxr_common.findings.test_findings_writer import LABELS, localized, save_image

MODEL = RunModel("bundle", "1.0", LABELS, "ab12")


def decoded(item, path, keys=None, read=read_picture):
    return decode_case(item, keys or CaseKeys(), "a", Path(path), MODEL, read)


def test_a_picture_file(tmp_path):
    path = save_image(tmp_path / "a.png")
    case = decoded(localized(path), path)
    assert (case.name, case.source, case.dicom, case.size) == ("a", path, None, (90, 60))
    assert [finding.label for finding in case.findings] == list(LABELS)
    assert [finding.label for finding in case.present] == ["Mass"]
    assert case.present[0].boxes[0].box[2] == 90
    assert case.heatmap.shape == (2, 32, 32)
    assert list(case.masks) == ["Mass"]
    assert case.masks["Mass"].shape == (90, 60)
    assert case.affine.diagonal().tolist() == [-1, -1, 1, 1]
    assert np.array_equal(case.picture, read_picture(path))


def test_a_dicom_file_says_how_it_is_stored(tmp_path):
    path = tmp_path / "a.dcm"
    write_dicom(make_phantom(1, 0, PhantomConfig(size=64), ()), path)
    item = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])({"image": str(path)})
    item = LocalizeFindingsd(thresholds=Thresholds.default(LABELS))({**item, "pred": torch.zeros(2, 8, 8)})
    case = decoded(item, path)
    assert case.dicom == path
    assert case.found.sop_instance_uid
    spacing = case.found.spacing_mm
    assert case.affine.diagonal().tolist() == [-spacing[0], -spacing[1], 1, 1]
    assert boxes_to_stored([[1, 2, 3, 4]], case.size, case.stored_axes).tolist() == [[1, 2, 3, 4]]


def test_the_picture_is_read_once_and_only_when_asked_for(tmp_path):
    path, reads = save_image(tmp_path / "a.png"), []

    def read(name):
        reads.append(name)
        return read_picture(name)

    case = decoded(localized(path), path, read=read)
    assert reads == []
    assert case.picture is case.picture
    assert reads == [str(path)]


def test_without_a_reader_the_networks_input_is_the_picture(tmp_path):
    path = save_image(tmp_path / "a.png")
    picture = decoded(localized(path), path, read=None).picture
    assert picture.shape == (32, 32)
    assert (picture.min(), picture.max()) == (0, 1)


def test_a_bundle_of_boxes_has_no_heatmap_and_no_masks(tmp_path):
    path = save_image(tmp_path / "a.png")
    item = {key: value for key, value in localized(path).items() if key not in ("heatmap", "masks")}
    case = decoded(item, path, CaseKeys(heatmap=None, masks=None))
    assert case.heatmap is None
    assert case.masks == {}


@pytest.mark.parametrize(
    ("change", "reason"), [({"size": [0, 3]}, "size"), ({"findings": [{"label": "Mass"}]}, "findings")]
)
def test_findings_of_another_shape_are_refused(tmp_path, change, reason):
    path = save_image(tmp_path / "a.png")
    item = localized(path)
    with pytest.raises(InputError, match=reason):
        decoded({**item, "findings": item["findings"] | change}, path)
