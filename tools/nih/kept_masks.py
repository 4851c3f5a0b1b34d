"""What networks' masks came to on test images, as it is kept."""

from __future__ import annotations

import numpy as np

from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from cxr_common.refinement.refined_masks import Masks


def pack_masks(masks: Masks) -> np.ndarray:
    """Pixel counts (intersection, predicted, true) and boundary scores, (4, N, C)."""
    counts = masks.counts
    tables = [counts.intersection, counts.predicted, counts.true, masks.boundary]
    return np.stack(tables).astype(np.float32)


def unpack_masks(tables: np.ndarray) -> Masks:
    """The same, read again."""
    return Masks(MaskCounts(*tables[:3].astype(float)), tables[3].astype(float), LABELS)
