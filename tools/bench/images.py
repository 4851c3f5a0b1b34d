"""Radiographs to measure with: phantoms as PNG of 512 x 512, and at a detector's size as DICOM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from cxr_tools.make_phantoms import main as make_phantoms

_SEED = 20260101


def make_inputs(folder: Path, width: int, height: int, dicom: bool, count: int) -> Path:
    """Write phantoms; returns the folder that they lie in.

    Args:
        folder: to make.
        width: in pixels. Phantoms are square, of at most 512; they are enlarged.
        height: in pixels.
        dicom: 12 bits, uncompressed, with a window and noise; else PNG of 8 bits.
        count: how many.
    """
    side = min(width, height, 512)
    options = ["--count", str(count), "--size", str(side), "--no-masks", "--workers", "1", "--seed", str(_SEED)]
    make_phantoms(["--output", str(folder / "phantoms"), *options])
    made = folder / "images"
    made.mkdir()
    for number, path in enumerate(sorted((folder / "phantoms" / "images").iterdir())):
        with Image.open(path) as image:
            picture = image.convert("L").resize((width, height), Image.Resampling.BICUBIC)
        if dicom:
            noise = np.random.default_rng(number).normal(0, 12, (height, width))
            _dataset((np.asarray(picture) * 16.0 + noise).clip(0, 4095).astype(np.uint16)).save_as(
                made / f"{number}.dcm", enforce_file_format=True
            )
        else:
            picture.save(made / f"{number}.png")
    return made


def _dataset(pixels: np.ndarray) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.Modality, dataset.ViewPosition, dataset.BodyPartExamined = "DX", "PA", "CHEST"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelSpacing, dataset.WindowCenter, dataset.WindowWidth = [0.14, 0.14], 2048, 4096
    dataset.PixelData = pixels.tobytes()
    return dataset
