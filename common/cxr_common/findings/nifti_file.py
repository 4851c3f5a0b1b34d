"""Finding masks as 2-D NIfTI in the geometry of the original image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from cxr_common.axes import affine_from_spacing
from cxr_common.deflate import gzip_bytes


def save_mask(mask: np.ndarray, path: str | Path, spacing: Sequence[float] | None = None) -> None:
    """Write one uint8 mask.

    Args:
        mask: (width, height), nonzero inside the finding.
        path: ends in .nii or .nii.gz.
        spacing: (column mm, row mm); None (unknown) writes spacing 1 with the unit left unknown.
    """
    image = nib.Nifti1Image((np.asarray(mask) != 0).astype(np.uint8), None)
    affine = affine_from_spacing((1.0, 1.0) if spacing is None else (spacing[0], spacing[1]))
    # Both codes, since ITK prefers one and nibabel the other.
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("unknown" if spacing is None else "mm")
    data = image.to_bytes()
    # In one go: nibabel's own writing to .gz compresses a column at a time, and takes seconds for 3000 x 3000.
    Path(path).write_bytes(gzip_bytes(data) if str(path).endswith(".gz") else data)
