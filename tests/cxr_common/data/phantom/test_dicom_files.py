"""Phantoms as DICOM: valid by the standard, and the same picture through the reader."""

import shutil
import subprocess

import numpy as np
import pydicom
import pytest

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import PHOTOMETRICS, write_dicom
from cxr_common.errors import InputError
from cxr_common.transforms import LoadRadiographd


@pytest.fixture(scope="module")
def phantoms():
    """An AP and a PA phantom; the size is odd, so that 8-bit pixel data need padding."""
    made = [make_phantom(3, index, PhantomConfig(size=65)) for index in (1, 2)]
    assert [phantom.view for phantom in made] == ["AP", "PA"]
    return made


@pytest.mark.parametrize("photometric", PHOTOMETRICS)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_reader_gives_the_phantom_back(phantoms, tmp_path, photometric, bits):
    for phantom in phantoms:
        path = tmp_path / "a.dcm"
        write_dicom(phantom, path, photometric, bits)
        image = LoadRadiographd("image")({"image": path})["image"]
        assert image.shape == (1, 65, 65)
        np.testing.assert_allclose(np.asarray(image[0]), phantom.image.T, atol=0.51 / (2**bits - 1))
        np.testing.assert_allclose(np.diag(image.affine.numpy())[:2], [-400 / 65, -400 / 65], rtol=1e-6)


def test_stored_values_of_the_two_photometrics_are_each_others_negative(phantoms, tmp_path):
    stored = {}
    for photometric in PHOTOMETRICS:
        write_dicom(phantoms[0], tmp_path / "a.dcm", photometric)
        dataset = pydicom.dcmread(tmp_path / "a.dcm")
        stored[photometric] = dataset.pixel_array.astype(int)
        inverse = photometric == "MONOCHROME1"
        assert dataset.PhotometricInterpretation == photometric
        assert dataset.PresentationLUTShape == ("INVERSE" if inverse else "IDENTITY")
        assert dataset.PixelIntensityRelationshipSign == (1 if inverse else -1)
    assert (stored["MONOCHROME1"] + stored["MONOCHROME2"] == 4095).all()
    np.testing.assert_allclose(stored["MONOCHROME2"], phantoms[0].image * 4095.0, atol=0.51)


def test_header_describes_the_phantom(phantoms, tmp_path):
    for phantom in phantoms:
        write_dicom(phantom, tmp_path / "a.dcm")
        dataset = pydicom.dcmread(tmp_path / "a.dcm")
        assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.1.1"
        assert dataset.PresentationIntentType == "FOR PRESENTATION"
        assert dataset.PatientID == f"phantom-{phantom.seed}-{phantom.index}"
        assert str(dataset.PatientName).startswith("PHANTOM^")
        assert dataset.ViewPosition == phantom.view
        assert (dataset.PatientAge, dataset.PatientSex) == (f"{phantom.age:03d}Y", phantom.sex)
        assert list(dataset.PatientOrientation) == ["L", "F"]
        assert dataset.BurnedInAnnotation == "NO"
        assert [float(v) for v in dataset.PixelSpacing] == pytest.approx([400 / 65] * 2)
        assert dataset.PixelSpacing == dataset.ImagerPixelSpacing


def test_same_phantom_gives_the_same_bytes_and_others_have_other_uids(phantoms, tmp_path):
    def written(phantom, photometric="MONOCHROME2"):
        write_dicom(phantom, tmp_path / "a.dcm", photometric)
        dataset = pydicom.dcmread(tmp_path / "a.dcm")
        return (tmp_path / "a.dcm").read_bytes(), dataset.SOPInstanceUID, dataset.StudyInstanceUID

    first = written(phantoms[0])
    assert written(phantoms[0]) == first
    for other in (phantoms[1], make_phantom(3, 1, PhantomConfig(size=64))):
        assert written(other)[1] != first[1]
    assert written(phantoms[1])[2] != first[2]
    inverted = written(phantoms[0], "MONOCHROME1")
    assert inverted[1] != first[1] and inverted[2] == first[2]
    assert all(pydicom.uid.UID(uid).is_valid for uid in first[1:])


def test_failed_write_leaves_the_old_file_and_no_other(phantoms, tmp_path, monkeypatch):
    path = tmp_path / "a.dcm"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(InputError, match=r"cannot be written \(disk\)"):
        write_dicom(phantoms[0], path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.dcm"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(("arguments", "name"), [(("RGB", 12), "photometric"), (("MONOCHROME2", 7), "bits_stored")])
def test_refuses_what_it_cannot_write(phantoms, tmp_path, arguments, name):
    with pytest.raises(InputError, match=name):
        write_dicom(phantoms[0], tmp_path / "a.dcm", *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is not installed")
@pytest.mark.parametrize("photometric", PHOTOMETRICS)
@pytest.mark.parametrize("bits", [8, 12])
def test_validator_of_the_standard_finds_no_error(phantoms, tmp_path, photometric, bits):
    for phantom in phantoms:
        write_dicom(phantom, tmp_path / "a.dcm", photometric, bits)
        done = subprocess.run(["dciodvfy", tmp_path / "a.dcm"], capture_output=True, text=True)
        report = done.stdout + done.stderr
        assert "DXImageForPresentation" in report
        assert "Error" not in report
