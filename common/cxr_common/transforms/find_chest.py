"""The lung gate of a radiograph, by the segmenter bundle's lung model."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from torch import nn

from cxr_common.axes import tensor_to_picture
from cxr_common.data.chest import chest_gate
from cxr_common.errors import InputError
from cxr_common.findings.thresholds import Thresholds
from cxr_common.findings.thresholds_file import load_map_thresholds
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.networks.weights import load_weights
from cxr_common.plain_inferer import plain_tensor
from cxr_common.transforms.original import original_size

CONFIG = Path("configs") / "inference.json"
NO_LUNGS = "the lung model found no two whole lungs, so the lung gate has left the heatmaps as they are"


class FindChestd(MapTransform):
    """Look for the chest in a network's input, and say outside of what no finding can be.

    Put it behind the transform that normalises the image. Heatmaps are not changed here: whoever makes findings of them
    looks at the gate, see :func:`~cxr_common.data.chest.inside_gate`. Where the lung model finds no two whole lungs,
    the gate lets everything pass, and the image gets a warning.

    Args:
        keys: the image (C, X, Y), a MetaTensor.
        weights: the lung model's, ``models/lungs/model.pt`` in the folder of the segmenter bundle; see
            :func:`read_lung_model`.
        mean: what was subtracted from the image.
        std: what it was divided by.
        gate_key: where the gate (5,) goes.

    Raises:
        InputError: there are no such weights, or something about them does not fit.
    """

    def __init__(
        self,
        keys: KeysCollection,
        weights: str | Path,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        gate_key: str = "gate",
    ) -> None:
        super().__init__(keys)
        if not Path(weights).is_file():
            action = "fetch the bundle cxr_chexseg_segmentation and give --lung_weights its models/lungs/model.pt"
            raise InputError("there are no weights of the lung model, which the lung gate needs", weights, action)
        parser, network, self.thresholds = read_lung_model(Path(weights))
        self.network, self.gate_key = network.eval(), gate_key
        self.own_mean, self.own_std = parser["intensity_mean"], parser["intensity_std"]
        self.mean, self.std = (torch.as_tensor(values).reshape(-1, 1, 1) for values in (mean, std))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the gate to one item."""
        d = dict(data)
        for key in self.keys:
            image = d[key]
            meta = image.meta if isinstance(image, MetaTensor) else {}
            size = original_size(image, meta.get("filename_or_obj", "image"))
            d[self.gate_key] = gate = chest_gate(self._lungs(plain_tensor(image)), size)
            if gate.isnan().any():
                meta["warnings"] = "\n".join(filter(None, (meta.get("warnings"), NO_LUNGS)))
        return d

    @torch.no_grad()
    def _lungs(self, image: torch.Tensor) -> np.ndarray:
        """Bool picture [row, column] at the lung model's input size."""
        size, least = self.thresholds.input_size, self.thresholds.mask[self.thresholds.labels[0]]
        grey = (image.float().cpu() * self.std + self.mean).mean(0, keepdim=True)
        small = nn.functional.interpolate(grey[None], size=size, mode="area")
        maps = self.network((small - self.own_mean) / self.own_std)
        return tensor_to_picture(upsample_heatmaps(maps, size)[0, 0]).numpy() >= least


def read_lung_model(weights: Path) -> tuple[ConfigParser, nn.Module, Thresholds]:
    """The lung model, as the configs of the segmenter bundle say that its weights lie in.

    Args:
        weights: the file, at any depth in the bundle's folder; thresholds.json must be beside it.

    Returns:
        The bundle's inference.json with the overlay for lungs, the network, and the thresholds.

    Raises:
        InputError: the file lies in no bundle, or something in it does not fit.
    """
    root = next((folder for folder in weights.absolute().parents if (folder / CONFIG).is_file()), None)
    if root is None:
        action = f"leave them in the segmenter bundle's folder, whose {CONFIG} says what network they are of"
        raise InputError("the lung model's weights lie in no bundle", weights, action)
    thresholds = load_map_thresholds(weights.with_name("thresholds.json"), None, weights)
    if (folder := str(root.resolve())) not in sys.path:
        sys.path.append(folder)  # a packed bundle carries its own code
    parser = ConfigParser()
    # Bundles before 0.4.0 have no overlay: their lung model is the main network with one class.
    overlay = (root / CONFIG).with_name("inference_lungs.json")
    parser.read_config([root / CONFIG, *([overlay] if overlay.is_file() else [])])
    parser.update({"bundle_root": str(root), "weights": str(weights), "network_def#num_classes": 1})
    network = parser.get_parsed_content("network_def")
    load_weights(network, weights)
    return parser, network, thresholds
