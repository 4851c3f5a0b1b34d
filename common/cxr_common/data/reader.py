"""The one MONAI image reader of the collection."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import ImageReader
from monai.utils import ensure_tuple
from monai.utils.enums import SpaceKeys

from cxr_common.axes import affine_from_spacing, picture_to_tensor, tensor_to_picture
from cxr_common.data.collected_warnings import collected_warnings, ignored_warnings
from cxr_common.data.dicom import read_dicom
from cxr_common.data.formats import sniff_format
from cxr_common.data.kept_pictures import keep_picture
from cxr_common.data.line_length import warn_of_line_length
from cxr_common.data.metaimage import read_metaimage
from cxr_common.data.nifti import read_nifti
from cxr_common.data.nrrd import read_nrrd
from cxr_common.data.orientation import to_upright
from cxr_common.data.picture_test import doubt_of
from cxr_common.data.raster import read_raster
from cxr_common.data.scan import TEXT_KEYS, RadiographWarning, Scan
from cxr_common.errors import InputError
from cxr_common.text import is_encodable, printable


class RadiographReader(ImageReader):
    r"""Read one frontal radiograph a file: DICOM, PNG, JPEG, TIFF, 2-D NIfTI, MHA / MHD or NRRD.

    Intensities are in [0, 1], bright = dense. DICOM: modality LUT, then VOI LUT or window, then the MONOCHROME1
    inversion; without a VOI the range of BitsStored after the modality LUT. Other files of integers: the range of the
    type. Float files: the 0.5 and 99.5 percentiles. A declared range that cannot be meant gives way to the one that
    the picture uses, with a warning, in all formats by one rule: `cxr_common.data.grey_range` (docs/reference/grey.md).

    The image is upright: patient left to the right of the picture, feet below (PatientOrientation ``L\F``). The
    metadata's ``stored_axes`` tells how it lies in the file; `cxr_common.data.orientation` brings results back into
    the geometry of the file, which DICOM results and boxes for a viewer need.

    Args:
        channels: 1 for grey images, where colour is refused; 3 for colour (natural images), where grey is repeated.
        any_view: whether to accept lateral and oblique views too.
        refuse_unlikely: what happens to a picture that `cxr_common.data.picture_test` doubts: None tests nothing, False
            warns, True refuses. Pictures of other views and in colour are not tested.
    """

    def __init__(self, channels: int = 1, any_view: bool = False, refuse_unlikely: bool | None = None) -> None:
        if channels not in (1, 3):
            raise InputError(f"channels must be 1 or 3, got {channels}", "RadiographReader")
        super().__init__()
        self.channels = channels
        self.any_view = any_view
        self.refuse_unlikely = None if any_view or channels == 3 else refuse_unlikely

    def verify_suffix(self, filename: Sequence[PathLike | str] | PathLike | str) -> bool:
        """Always true: the content tells the format, and no other reader may try."""
        return True

    def read(self, data: Sequence[PathLike | str] | PathLike | str, **kwargs: Any) -> Scan:
        """Read and decode a file.

        Args:
            data: the path, or a sequence of one path.
            kwargs: none are known; MONAI's signature.

        Raises:
            InputError: the file is not a radiograph that can be read; it says why, and what to do.
        """
        paths = ensure_tuple(data)
        if len(paths) != 1:
            raise InputError(f"{len(paths)} files for one image", ", ".join(map(str, paths)), "give one file per image")
        path = Path(paths[0])
        if not is_encodable(str(path)):  # no record, page or datalist could name it
            raise InputError("the name of the file or of its folder is not UTF-8", path, "rename it")
        before = _state(path)
        with collected_warnings() as texts:
            try:
                scan = self._read(path)
                if scan.file_format not in ("PNG", "JPEG"):  # whose compressed pixels have the length of lines in them
                    warn_of_line_length(scan.pixels)
                if _state(path) != before:
                    raise InputError("the file changed while it was read", path, "try again when it is whole")
            except (InputError, MemoryError):
                raise
            except FileNotFoundError as error:
                raise InputError("there is no such file", path, "check the path") from error
            except Exception as error:  # the libraries raise whatever damaged bytes lead to
                raise InputError("the file is damaged or cut off", path, "copy or export it again") from error
        if not np.isfinite(scan.pixels).all():  # no later step may take the network for the cause
            raise InputError("the grey values are not finite", path, "export the image again")
        scan.warnings.extend(texts)
        return scan

    def _read(self, path: Path) -> Scan:
        kind = sniff_format(path)
        if kind == "dicom":
            return read_dicom(path, self.channels, self.any_view)
        if kind == "raster":
            return read_raster(path, self.channels)
        if kind == "nifti":
            return read_nifti(path, self.channels, self.any_view)
        read = read_metaimage if kind == "metaimage" else read_nrrd
        return read(path, self.channels, self.any_view)

    def get_data(self, img: Scan) -> tuple[np.ndarray, dict[str, Any]]:
        """Hand over the upright image and its metadata.

        Args:
            img: what `read` returned.

        Raises:
            InputError: the picture is doubted, and ``refuse_unlikely`` is set.

        Returns:
            float32 (X, Y), or (3, X, Y) with ``channels=3``, and a dict whose keys are the same for every format, so
            that any images collate: MONAI's own (``affine``, ``original_affine``, ``space``, ``spatial_shape``,
            ``original_channel_dim``, ``filename_or_obj``), ``spacing`` (column mm, row mm; NaN unknown) and
            ``spacing_source``, ``stored_axes`` and ``stored_shape`` (X, Y of the file), ``intensity_source``,
            ``intensity_low``, ``intensity_high``, ``file_format``, ``warnings`` (one per line), and `scan.TEXT_KEYS`.
        """
        stored = np.moveaxis(img.pixels, -1, 0) if img.pixels.ndim == 3 else img.pixels
        stored = picture_to_tensor(stored)
        upright = to_upright(stored, img.stored_axes)
        keep_picture(img.path, upright)
        image = np.ascontiguousarray(upright, dtype=np.float32)
        doubts = [*img.warnings, *self._doubts(image, img.path)]
        for text in doubts:
            warnings.warn(printable(f"{img.path}: {text}"), RadiographWarning, stacklevel=2)
        spacing = (math.nan, math.nan) if img.spacing is None else img.spacing
        if img.stored_axes[1] == "y":
            spacing = spacing[::-1]
        affine = affine_from_spacing((1.0, 1.0) if img.spacing is None else spacing)
        meta: dict[str, Any] = {
            "affine": affine,
            "original_affine": affine.copy(),
            "space": SpaceKeys.RAS,
            "spatial_shape": np.asarray(image.shape[-2:]),
            "original_channel_dim": 0 if image.ndim == 3 else math.nan,
            "filename_or_obj": img.path,
            "file_format": img.file_format,
            "spacing": np.asarray(spacing, np.float64),
            "spacing_source": img.spacing_source,
            "stored_axes": img.stored_axes,
            "stored_shape": np.asarray(stored.shape[-2:]),
            "intensity_source": img.intensity_source,
            "intensity_low": float(img.intensity_range[0]),
            "intensity_high": float(img.intensity_range[1]),
            "warnings": "\n".join(doubts),
        }
        return image, meta | {key: img.text.get(key, "") for key in TEXT_KEYS}

    def _doubts(self, image: np.ndarray, path: str) -> list[str]:
        """What the picture test says of an upright image (X, Y); nothing where it was not asked for."""
        doubt = "" if self.refuse_unlikely is None else doubt_of(tensor_to_picture(image))
        if doubt and self.refuse_unlikely:
            raise InputError(doubt, path, "give an upright frontal chest radiograph, or set refuse_unlikely to false")
        return [doubt] if doubt else []


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def read_picture(path: PathLike | str) -> np.ndarray:
    """Read one radiograph upright at its full size, as a background for overlays.

    Args:
        path: the file.

    Returns:
        float32 (X, Y) in [0, 1].

    Raises:
        InputError: see `RadiographReader.read`.
    """
    reader = RadiographReader()
    with ignored_warnings(RadiographWarning):  # told when the image was loaded
        return reader.get_data(reader.read(path))[0]
