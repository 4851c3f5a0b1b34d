"""The network of the picture test, and its weights, which lie beside this module."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cxr_common.data.picture_test.thumbnail import SIDE

#: What a thumbnail can show; the first is what is wanted.
KINDS = ("upright", "upside down", "head left", "head right", "inverted", "lateral", "other")
WEIGHTS = Path(__file__).with_name("weights.npz")
#: In the weights' file, beside the parameters: the probability of "upright" below which the test doubts.
THRESHOLD = "threshold"
_WIDTHS = (16, 32, 64, 64)


class KindNetwork(nn.Sequential):
    """Four convolutions of stride 2, and a linear layer that depends on positions.

    Maps standardised thumbnails (N, 1, `SIDE`, `SIDE`) to logits (N, kinds) in the order of `KINDS`.
    """

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for before, width in zip((1, *_WIDTHS), _WIDTHS, strict=False):
            convolution = nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
        side = SIDE >> len(_WIDTHS)
        super().__init__(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(_WIDTHS[-1] * side * side, len(KINDS)))


def save_network(network: KindNetwork, threshold: float, path: Path) -> None:
    """Write parameters, halved in precision, and threshold."""
    arrays = {k: v.numpy().astype(np.float16) for k, v in network.state_dict().items() if v.is_floating_point()}
    np.savez_compressed(path, allow_pickle=False, **arrays, **{THRESHOLD: np.float64(threshold)})


@lru_cache(maxsize=2)
def load_network(path: Path = WEIGHTS) -> tuple[KindNetwork, float]:
    """The network, ready for use, and the threshold of its first kind."""
    with np.load(path, allow_pickle=False) as file:
        state = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    threshold = float(state.pop(THRESHOLD))
    network = KindNetwork()
    counters = {k: v for k, v in network.state_dict().items() if not v.is_floating_point()}
    network.load_state_dict(state | counters)
    return network.eval(), threshold
