"""Heatmap files as tensors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from cxr_common.errors import InputError
from cxr_common.findings.heatmap_file import load_heatmap


class LoadHeatmapd(MapTransform):
    """Read the heatmaps (C, X, Y) a localiser bundle wrote, float32 in [0, 1], classes in the order wanted.

    Args:
        keys: keys of the paths.
        labels: class names wanted, in order; the file may hold more.

    Raises:
        InputError: the file cannot be read or lacks a class.
    """

    def __init__(self, keys: KeysCollection = "heatmap", labels: Sequence[str] = ()) -> None:
        super().__init__(keys)
        self.labels = list(labels)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Read the files of one item; the other keys pass through."""
        d = dict(data)
        for key in self.keys:
            heatmap = load_heatmap(d[key])
            missing = [label for label in self.labels if label not in heatmap.labels]
            if missing:
                action = "make heatmaps with a localiser of these classes"
                raise InputError(f"has no heatmap of {', '.join(missing)}", d[key], action)
            order = [heatmap.labels.index(label) for label in self.labels]
            d[key] = torch.from_numpy(heatmap.heatmap[order].astype(np.float32))
        return d
