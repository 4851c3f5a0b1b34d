"""Write a phantom as a DX image for presentation, with every element that the standard demands of one."""

from __future__ import annotations

import hashlib
import os
import uuid

import numpy as np
from pydicom import DataElement, Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian

from cxr_common.data.phantom.config import GENERATOR_VERSION
from cxr_common.data.phantom.generate import Phantom
from cxr_common.errors import InputError
from cxr_common.files import replacing

#: Digital X-Ray Image Storage - For Presentation; its sister For Processing has one more ".1".
SOP_CLASS = "1.2.840.10008.5.1.4.1.1.1.1"
PHOTOMETRICS = ("MONOCHROME1", "MONOCHROME2")
_NAMESPACE = uuid.UUID("5f0b9a36-2f2c-5d0c-9a57-6c1f5d6e3b10")
_VIEWS = {"PA": ("272479007", "postero-anterior"), "AP": ("399348003", "antero-posterior")}


def write_dicom(
    phantom: Phantom, path: str | os.PathLike[str], photometric: str = "MONOCHROME2", bits_stored: int = 12
) -> None:
    """Write a phantom as an uncompressed DX image; the same phantom gives the same bytes.

    Args:
        phantom: image [row, column] in [0, 1], bright = dense.
        path: the file, which appears whole or not at all; an existing one is replaced.
        photometric: MONOCHROME2, or MONOCHROME1 with the stored values inverted; both show the same picture.
        bits_stored: 8 to 16; the stored values span all of them.

    Raises:
        InputError: when ``photometric`` or ``bits_stored`` is none of these.
    """
    if photometric not in PHOTOMETRICS:
        raise InputError(f"is {photometric!r}", "photometric", f"must be {' or '.join(PHOTOMETRICS)}")
    if not 8 <= bits_stored <= 16:
        raise InputError(f"is {bits_stored}", "bits_stored", "must be from 8 to 16")
    content = _encode(make_dataset(phantom, photometric, bits_stored))
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def make_dataset(phantom: Phantom, photometric: str, bits_stored: int) -> Dataset:
    """The DX image of a phantom, modules in the order of PS3.3 A.26; arguments as of :func:`write_dicom`."""
    top = (1 << bits_stored) - 1
    values = np.rint(phantom.image.astype(np.float64) * top).astype(np.uint16)
    inverse = photometric == "MONOCHROME1"
    if inverse:
        values = top - values
    pixels = values.astype("u1" if bits_stored == 8 else "<u2")
    data = pixels.tobytes()
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _identify(dataset, phantom, hashlib.sha256(f"{photometric} {bits_stored}".encode() + data).hexdigest())
    _describe_acquisition(dataset, phantom)
    # Image Pixel and DX Image. Dense is bright: where it is stored as a large value, that value means little signal.
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = photometric
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = bits_stored
    dataset.HighBit = bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if inverse else -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    # LINEAR (PS3.3 C.11.2.1.2) maps center - 0.5 -+ (width - 1) / 2 to black and white: 0 and top.
    dataset.WindowCenter, dataset.WindowWidth = str((top + 1) // 2), str(top + 1)
    dataset.VOILUTFunction = "LINEAR"
    padded = data + b"\0" * (len(data) % 2)
    dataset.add(DataElement(0x7FE00010, "OB" if pixels.itemsize == 1 else "OW", padded))
    return dataset


def _identify(dataset: Dataset, phantom: Phantom, content: str) -> None:
    """Patient, study, series and equipment; ``content`` makes UIDs of images that differ differ."""
    name = f"phantom-{phantom.seed}-{phantom.index}"
    dataset.SOPClassUID = SOP_CLASS
    dataset.SOPInstanceUID = _uid(f"{name} image {content}")
    dataset.StudyInstanceUID = _uid(f"{name} study")
    dataset.SeriesInstanceUID = _uid(f"{name} series {content}")
    dataset.PatientName = f"PHANTOM^{phantom.seed}-{phantom.index}"
    dataset.PatientID = name
    dataset.PatientBirthDate = ""
    dataset.PatientSex = phantom.sex
    dataset.PatientAge = f"{phantom.age:03d}Y"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Synthetic image: there is no patient"
    dataset.StudyDate = dataset.ContentDate = dataset.AcquisitionDate = "20000101"
    dataset.StudyTime = dataset.ContentTime = dataset.AcquisitionTime = "120000"
    dataset.StudyID, dataset.AccessionNumber = "1", ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "Synthetic chest radiograph"
    dataset.SeriesDescription = f"Chest {phantom.view}"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "cxr_common"
    dataset.ManufacturerModelName = "phantom"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = str(GENERATOR_VERSION)


def _describe_acquisition(dataset: Dataset, phantom: Phantom) -> None:
    """General image, anatomy, positioning, detector and acquisition context."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PatientOrientation = ["L", "F"]
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.ImageComments = "Phantom, not for clinical use"
    dataset.BodyPartExamined = "CHEST"
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = [_code("816094009", "Chest")]
    dataset.ViewPosition = phantom.view
    view = _code(*_VIEWS[phantom.view])
    view.ViewModifierCodeSequence = []
    dataset.ViewCodeSequence = [view]
    dataset.PositionerType = dataset.DetectorType = ""
    column, row = (f"{value:.10g}" for value in phantom.spacing)
    dataset.ImagerPixelSpacing = [row, column]
    dataset.PixelSpacing = [row, column]
    dataset.AcquisitionContextSequence = []


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", meaning
    return code


def _uid(name: str) -> UID:
    """A UID from a name, as PS3.5 B.2 makes them of UUIDs."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, f'{GENERATOR_VERSION} {name}').int}")


def _encode(dataset: Dataset) -> bytes:
    """The bytes of a DICOM file, in a way that pydicom 2.4 and 3 have in common."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid("implementation")
    meta.ImplementationVersionName = f"CXR_PHANTOM_{GENERATOR_VERSION}"  # pydicom's default differs by its version
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, meta, enforce_standard=True)
    write_dataset(buffer, dataset)
    return buffer.getvalue()
