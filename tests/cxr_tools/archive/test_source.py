from __future__ import annotations

from datetime import date

import pydicom
import pytest

from cxr_common.errors import InputError
from cxr_tools.archive import source
from cxr_tools.archive.source import Source, dicom_facts, web_image


class Pacs:
    """A PACS of the files in a folder."""

    def __init__(self, folder):
        self.found = [pydicom.dcmread(path) for path in sorted(folder.glob("[0-9].dcm"))]

    def header(self, study, series, instance):
        return next(d for d in self.found if d.SOPInstanceUID == instance and d.StudyInstanceUID == study)

    fetch = header


@pytest.fixture
def pacs(radiographs, monkeypatch):
    pacs = Pacs(radiographs)
    monkeypatch.setattr(source, "_pacs", lambda *_: pacs)
    return pacs


def image_of(dataset):
    return web_image(dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)


def test_a_fetched_file_is_what_the_pacs_has_and_goes_afterwards(pacs):
    with Source("https://pacs").file(image_of(pacs.found[1])) as path:
        assert pydicom.dcmread(path).PixelData == pacs.found[1].PixelData
        assert "PLANTED" not in str(path) and pacs.found[1].SOPInstanceUID not in str(path)
    assert not path.exists()


def test_other_views_are_refused_by_their_header(pacs, monkeypatch):
    pacs.found[0].ViewPosition = "LL"
    monkeypatch.setattr(pacs, "fetch", None)  # so nothing is transferred
    with pytest.raises(InputError), Source("https://pacs").file(image_of(pacs.found[0])):
        pass


def test_the_name_of_an_image_holds_its_uids(pacs):
    image = pacs.found[2]
    uids = {f"{name.lower()}_uid": image[f"{name}InstanceUID"].value for name in ("Study", "Series")}
    assert Source("https://pacs").uids(image_of(image)) == {**uids, "instance_uid": image.SOPInstanceUID}
    assert Source().uids("/xrays/a.dcm") == {}


def test_study_dates(pacs, radiographs):
    assert Source("https://pacs").date(image_of(pacs.found[3])) == date(2026, 3, 31)
    assert Source().date(str(radiographs / "0.dcm")) == date(2026, 2, 28)
    assert Source().date(str(radiographs / "broken.dcm")) is None
    assert Source().date(str(radiographs / "none.dcm")) is None


@pytest.mark.parametrize(("text", "day"), [("20260131", date(2026, 1, 31)), ("20260231", None), ("", None)])
def test_impossible_dates_are_none(radiographs, tmp_path, text, day):
    dataset = pydicom.dcmread(radiographs / "0.dcm")
    dataset.StudyDate = text
    dataset.save_as(tmp_path / "a.dcm")
    facts = dicom_facts(tmp_path / "a.dcm")
    assert facts["study_date"] == day
    assert facts["instance_uid"] == dataset.SOPInstanceUID and facts["study_uid"] == dataset.StudyInstanceUID
