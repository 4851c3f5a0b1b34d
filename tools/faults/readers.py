"""Whatever this collection reads from users: good files of each kind, how they are changed, and what reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import JPEG2000Lossless, RLELossless

from cxr_common.data import RadiographWarning, load_datalist
from cxr_common.data.collected_warnings import ignored_warnings
from cxr_common.data.phantom.config import PhantomConfig
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.data.phantom.generate import Phantom, make_phantom
from cxr_common.findings import Heatmap, load_heatmap, load_thresholds, save_heatmap
from cxr_common.transforms import LoadRadiograph
from cxr_tools.make_phantoms import make_data_set
from tools.faults.mutations import Rng, mutate_bytes, mutate_json
from tools.repository import BUNDLES

SIDE = 64


def _image(path: Path) -> object:
    with ignored_warnings(RadiographWarning):  # a guess is no failure
        return LoadRadiograph()(path)


#: Kind -> what a bundle does with the path of such a file.
READERS: dict[str, Callable[[Path], object]] = {
    "DICOM": _image,
    "PNG and JPEG": _image,
    "NIfTI": _image,
    "datalist": load_datalist,
    "heatmap": load_heatmap,
    "thresholds": load_thresholds,
}


def mutate(kind: str, content: bytes, rng: Rng) -> bytes:
    """A changed copy of a good file's bytes."""
    return (mutate_json if kind in ("datalist", "thresholds") else mutate_bytes)(content, rng)


def write_originals(folder: Path) -> dict[str, list[Path]]:
    """Write good files of each kind of `READERS`.

    Args:
        folder: where; it is made. Changed copies must lie in it too, so that a datalist finds its images.

    Returns:
        Kind -> the files.
    """
    counts = {"training": 3, "validation": 1, "testing": 1}
    make_data_set(folder, counts, 5, PhantomConfig(size=SIDE), workers=1)
    pictures = [make_phantom(5, index, PhantomConfig(size=SIDE)) for index in range(2)]
    grey = np.rint(pictures[0].image * 65535)
    return {
        "DICOM": _write_dicoms(folder, pictures),
        "PNG and JPEG": [
            _save(Image.fromarray((grey / 257).astype(np.uint8)), folder / "grey_8.png"),
            _save(Image.fromarray(grey.astype(np.uint16)), folder / "grey_16.png"),
            _save(Image.fromarray((grey / 257).astype(np.uint8)), folder / "grey.jpg"),
        ],
        "NIfTI": [_write_nifti(grey, folder / name) for name in ("grey.nii", "grey.nii.gz")],
        "datalist": [folder / "datalist.json"],
        "heatmap": [_write_heatmap(folder / "grey_heatmap.npz")],
        "thresholds": sorted(BUNDLES.glob("cxr_*_localization/models/thresholds.json")),
    }


def _write_dicoms(folder: Path, pictures: Sequence[Phantom]) -> list[Path]:
    paths = []
    for name, phantom, syntax in zip(
        ("plain", "plain_inverse", "rle", "jpeg_2000"),
        (*pictures, *pictures),
        (None, None, RLELossless, JPEG2000Lossless),
        strict=True,
    ):
        path = folder / f"{name}.dcm"
        write_dicom(phantom, path, photometric="MONOCHROME1" if name == "plain_inverse" else "MONOCHROME2")
        if syntax:
            dataset = pydicom.dcmread(path)
            dataset.compress(syntax)
            dataset.save_as(path)
        paths.append(path)
    return paths


def _save(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def _write_nifti(grey: np.ndarray, path: Path) -> Path:
    picture = grey.astype(np.uint16).T[..., None]
    nib.save(nib.Nifti1Image(picture, np.diag([-0.2, -0.2, 1.0, 1.0])), path)
    return path


def _write_heatmap(path: Path) -> Path:
    maps = np.linspace(0, 1, 2 * 16 * 16, dtype=np.float32).reshape(2, 16, 16)
    save_heatmap(Heatmap(maps, ("Effusion", "Mass"), (SIDE, SIDE)), path)
    return path
