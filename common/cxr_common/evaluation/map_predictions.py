"""Predictions of networks that make maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from monai.networks import eval_mode

from cxr_common.data.chest import inside_gate
from cxr_common.evaluation.predictions import Pass, Predictions
from cxr_common.heatmaps import upsample_heatmaps


@dataclass(kw_only=True)
class MapPredictions(Predictions, ABC):
    """Predictions with a map for each class.

    Attributes:
        maps: (N, C, x, y) float16 logit maps, axes x then y.
        gate: (N, 5), outside of what heatmaps are 0: :func:`~cxr_common.data.chest.chest_gate`; None: there is no gate.
    """

    by_image = (*Predictions.by_image, "maps", "gate")

    maps: np.ndarray
    gate: np.ndarray | None = None

    @abstractmethod
    def decided(self, decision: Mapping[str, float]) -> np.ndarray:
        """(N, C) bool: which classes count as present, given class -> smallest probability of a present one."""

    def heatmaps(self) -> torch.Tensor:
        """(N, C, X, Y) probability maps at network-input size, as published: sigmoid, then bilinear; then the gate."""
        return self._heatmaps(slice(None))

    def each_heatmap(self) -> Iterator[torch.Tensor]:
        """Image by image the (C, X, Y) probability maps of :meth:`heatmaps`, which need not all fit into memory."""
        for n in range(len(self.maps)):
            yield self._heatmaps(slice(n, n + 1))[0]

    def _heatmaps(self, images: slice) -> torch.Tensor:
        heatmaps = upsample_heatmaps(torch.from_numpy(self.maps[images]).float(), self.input_size)
        if self.gate is None:
            return heatmaps
        gates = torch.from_numpy(self.gate[images])
        return heatmaps * torch.stack([inside_gate(gate, self.labels, self.input_size) for gate in gates])


@dataclass(kw_only=True)
class NetworkMaps(MapPredictions):
    """What a localiser or segmenter says: maps, and logits of the classes.

    Attributes:
        logits: (N, C) class logits.
    """

    by_image = (*MapPredictions.by_image, "logits")

    logits: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """(N, C) class probabilities."""
        return 1 / (1 + np.exp(-self.logits.astype(np.float64)))

    def decided(self, decision: Mapping[str, float]) -> np.ndarray:
        """(N, C) bool: where the class probability reaches its threshold."""
        return self.probabilities >= [decision[label] for label in self.labels]


def predict(
    network: Any,
    dataset: Dataset,
    labels: list[str],
    device: torch.device | str = "cpu",
    batch_size: int = 32,
    inferer: Any = None,
) -> NetworkMaps:
    """Run a localiser or segmenter over a data set, in evaluation mode and in order.

    Args:
        network: with ``forward(image) -> maps`` and ``pool(maps) -> logits``; its training state is restored.
        dataset: as :class:`~cxr_common.evaluation.predictions.Pass` takes it.
        labels: class names.
        device: where to run.
        batch_size: images at a time.
        inferer: makes the maps, ``inferer(image, network)``, where they are not the network's own; if they pool to
            class logits in another way than the network's, it has its own ``pool``.
    """
    pool = getattr(inferer, "pool", network.pool)
    logits, maps = [], []
    batches = Pass(dataset, labels, batch_size, "predict")
    with eval_mode(network):
        for image, _ in batches:
            image = image.to(device)
            out = network(image) if inferer is None else inferer(image, network)
            logits.append(pool(out).float().cpu().numpy())
            maps.append(out.half().cpu().numpy())
    return NetworkMaps(**batches.known(), logits=np.concatenate(logits), maps=np.concatenate(maps))
