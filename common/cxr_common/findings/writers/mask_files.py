"""The outputs "nifti" and "mask_png": one file for each class decided present."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.case import Case
from cxr_common.findings.case_writer import CaseWriter
from cxr_common.findings.class_names import class_slug
from cxr_common.findings.nifti_file import save_mask


class MaskFiles(CaseWriter):
    """One file for each mask, ``<case>_<class>.<suffix>``; a subclass says in which format."""

    needs = frozenset({"masks"})
    suffix: str

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def name(self, case: str, label: str) -> str:
        """The file of one class."""
        return f"{case}_{class_slug(label)}.{self.suffix}"

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The files of all classes."""
        return [self.name(case, label) for label in labels]

    def write(self, case: Case, folder: Path) -> dict[str, str]:
        """Write a file for each mask; returns class -> name."""
        files = {label: self.name(case.name, label) for label in case.masks}
        for label, name in files.items():
            self.save(case.masks[label], folder / name, case)
        return files

    @abstractmethod
    def save(self, mask: np.ndarray, path: Path, case: Case) -> None:
        """Write one mask (width, height)."""


class NiftiMasks(MaskFiles):
    """One uint8 NIfTI for each class with the original's spacing, see :func:`cxr_common.findings.save_mask`."""

    suffix = "nii.gz"

    def __init__(self, kind: str = "masks") -> None:
        super().__init__(kind)

    def save(self, mask: np.ndarray, path: Path, case: Case) -> None:
        """Write one mask."""
        save_mask(mask, path, case.found.spacing_mm)


class PngMasks(MaskFiles):
    """One PNG per class, 1 bit per pixel, white inside, in rows and columns of the original; it has no spacing."""

    suffix = "png"

    def __init__(self, kind: str = "masks_png") -> None:
        super().__init__(kind)

    def save(self, mask: np.ndarray, path: Path, case: Case) -> None:
        """Write one mask."""
        Image.fromarray(np.ascontiguousarray(tensor_to_picture(np.asarray(mask) != 0))).save(path)
