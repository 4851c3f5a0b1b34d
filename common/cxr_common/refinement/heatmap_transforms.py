"""Heatmaps as tensors: from files, or from a localiser bundle."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from cxr_common.errors import InputError
from cxr_common.findings.heatmap_file import load_heatmap


class LoadHeatmapd(MapTransform):
    """Put an image's heatmaps (C, X, Y), float32 in [0, 1], into its item, classes in the order wanted.

    An item either names a heatmap file that a localiser bundle wrote, or `localizer` makes the heatmaps of its image.
    Where the item also has what the localiser said of its "label_names", then "decision", "probability" and
    "mask_threshold" become tensors (C,) in the same order, and the decisions are the item's labels if it has none of
    its own.

    Args:
        keys: the paths.
        labels: class names wanted, in order; the localiser may know more.
        localizer: path of an image -> item, such as :class:`~cxr_common.refinement.localizer_bundle.LocalizerBundle`;
            asked for images without a heatmap file. Put this transform before the one that loads the image.
        image_key: path of the image.
        label_key: the image's labels, one value per class wanted.

    Raises:
        InputError: the file cannot be read, a class is lacking, or there is neither file nor localiser.
    """

    def __init__(
        self,
        keys: KeysCollection = "heatmap",
        labels: Sequence[str] = (),
        localizer: Callable[[str], Mapping[str, Any]] | None = None,
        image_key: str = "image",
        label_key: str = "label",
    ) -> None:
        super().__init__(keys)
        self.labels, self.localizer = list(labels), localizer
        self.image_key, self.label_key = image_key, label_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Read or make the heatmaps of one item; the other keys pass through."""
        d: dict[Hashable, Any] = dict(data)
        for key in self.keys:
            if key in d:
                file = load_heatmap(d[key])
                d[key] = torch.from_numpy(file.heatmap[self._order(file.labels, d[key])].astype(np.float32))
            elif self.localizer is not None:
                made = self.localizer(d[self.image_key])
                order = self._order(made["label_names"], d[self.image_key])
                d.update(made)
                d[key] = made["heatmap"][order]
            else:
                action = "give a heatmap file, a folder of heatmaps or a localiser bundle"
                raise InputError("has no heatmap", d.get(self.image_key, "item"), action)
        if "label_names" in d:
            order = self._order(d.pop("label_names"), d[self.image_key])
            for name in [name for name in ("decision", "probability", "mask_threshold") if name in d]:
                d[name] = torch.tensor(d[name], dtype=torch.float32)[order]
            d.setdefault(self.label_key, d["decision"])
        return d

    def _order(self, names: Sequence[str], where: object) -> list[int]:
        """Channels of the classes wanted."""
        missing = [label for label in self.labels if label not in names]
        if missing:
            action = "make heatmaps with a localiser of these classes"
            raise InputError(f"has no heatmap of {', '.join(missing)}", where, action)
        return [list(names).index(label) for label in self.labels]


class CalibrateHeatmapd(MapTransform):
    r"""Raise heatmaps to a power, class by class, so that the localiser's mask threshold becomes one level for all.

    .. math:: h' = (h / \max h)^{\gamma}, \quad \gamma = \log(level) / \log(threshold)

    The relation network takes what is above a quarter of a map's maximum for the finding and what is below a tenth for
    background. These published constants are made for class activation maps. Max pooling makes maps so peaked that most
    of a large finding lies below a hundredth, averaging so flat that half of the body lies above; the localiser's own
    threshold says which. The order of pixels stays, and so do all masks that a threshold can cut. Not published.

    Args:
        keys: heatmaps (C, X, Y), not negative.
        threshold_key: (C,) shares of a map's maximum in (0, 1); an item without it passes through.
        level: where they come to lie, in (0, 1); None leaves heatmaps as they are.
    """

    def __init__(
        self, keys: KeysCollection = "heatmap", threshold_key: str = "mask_threshold", level: float | None = 0.25
    ) -> None:
        super().__init__(keys)
        self.threshold_key, self.level = threshold_key, level

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Calibrate the heatmaps of one item; the threshold is dropped, for they have been."""
        d: dict[Hashable, Any] = dict(data)
        threshold = d.pop(self.threshold_key, None)
        if threshold is not None and self.level is not None:
            power = math.log(self.level) / torch.as_tensor(threshold).double().clamp(1e-4, 0.99).log()
            for key in self.keys:
                heat = torch.as_tensor(d[key])
                peak = heat.amax((1, 2), keepdim=True)
                relative = (heat / peak.where(peak > 0, 1)).double()
                d[key] = (peak * relative.pow(power[:, None, None])).to(heat.dtype)
        return d
