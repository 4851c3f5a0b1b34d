"""How the masks of an image become files: one class a file format, which FindingsWriter is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.class_names import class_slug
from cxr_common.findings.nifti_file import save_mask


class MaskWriter(Protocol):
    """Writes the masks of one image at a time.

    Attributes:
        kind: under which the record's ``files`` lists what it wrote. One of a run's writers has the kind ``masks``
            (class -> file), which reports and datalists read.
    """

    kind: str

    def write(self, case: str, found: Mapping[str, Any], masks: Mapping[str, np.ndarray], folder: Path) -> Any:
        """Write the masks of an image.

        Args:
            case: what every file's name starts with.
            found: the image's record as docs/findings.md describes it, ``path`` being that of the source image.
            masks: class -> bool (width, height) upright, in channel order; the classes decided present.
            folder: where the files go; they move to the output folder when all of the image is written.

        Returns:
            The names of the files, as the record shall hold them.
        """

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """Every file that :meth:`write` may make for a case of these classes, so that a later run can remove it."""


class _FileAClass:
    """One file a class, ``<case>_<class>.<suffix>``."""

    suffix: str

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def name(self, case: str, label: str) -> str:
        """The file of one class."""
        return f"{case}_{class_slug(label)}.{self.suffix}"

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The files of all classes."""
        return [self.name(case, label) for label in labels]

    def write(
        self, case: str, found: Mapping[str, Any], masks: Mapping[str, np.ndarray], folder: Path
    ) -> dict[str, str]:
        """Write a file for each mask; returns class -> name."""
        files = {label: self.name(case, label) for label in masks}
        for label, name in files.items():
            self.save(masks[label], folder / name, found)
        return files

    def save(self, mask: np.ndarray, path: Path, found: Mapping[str, Any]) -> None:
        """Write one mask."""
        raise NotImplementedError


class NiftiMasks(_FileAClass):
    """One uint8 NIfTI a class with the original's spacing, see :func:`cxr_common.findings.save_mask`."""

    suffix = "nii.gz"

    def __init__(self, kind: str = "masks") -> None:
        super().__init__(kind)

    def save(self, mask: np.ndarray, path: Path, found: Mapping[str, Any]) -> None:
        """Write one mask."""
        save_mask(mask, path, found["spacing_mm"])


class PngMasks(_FileAClass):
    """One PNG of 1 bit a pixel a class, white inside, in rows and columns of the original; a PNG knows no spacing."""

    suffix = "png"

    def __init__(self, kind: str = "masks_png") -> None:
        super().__init__(kind)

    def save(self, mask: np.ndarray, path: Path, found: Mapping[str, Any]) -> None:
        """Write one mask."""
        Image.fromarray(np.ascontiguousarray(tensor_to_picture(np.asarray(mask) != 0))).save(path)
