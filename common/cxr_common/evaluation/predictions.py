"""What a network says about a data set, kept together with what is known about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from monai.utils import CommonKeys
from tqdm import tqdm

from cxr_common.data.datalist import item_group
from cxr_common.files import replacing
from cxr_common.heatmaps import upsample_heatmaps


@dataclass
class Predictions:
    """Raw output over a data set; everything a metric needs, nothing computed yet.

    Attributes:
        labels: class names.
        items: datalist items, one an image; "boxes" are in the image's own pixels.
        sizes: (N, 2) width and height of the original images.
        input_size: (X, Y) of the network input.
        logits: (N, C) class logits.
        maps: (N, C, x, y) float16 logit maps, axes x then y.
        label: (N, C) float32; NaN not annotated, -1 uncertain.
    """

    labels: list[str]
    items: list[dict[str, Any]]
    sizes: np.ndarray
    input_size: tuple[int, int]
    logits: np.ndarray
    maps: np.ndarray
    label: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """(N, C) class probabilities."""
        return 1 / (1 + np.exp(-self.logits.astype(np.float64)))

    @property
    def patients(self) -> list[str]:
        """N names: what the bootstrap draws: the group of an image, else its patient, else the image itself."""
        return [item_group(i) for i in self.items]

    def subset(self, keep: np.ndarray) -> Predictions:
        """The images where a (N,) bool array is true."""
        index = np.flatnonzero(keep)
        return replace(
            self,
            items=[self.items[i] for i in index],
            sizes=self.sizes[index],
            logits=self.logits[index],
            maps=self.maps[index],
            label=self.label[index],
        )

    def heatmaps(self) -> torch.Tensor:
        """(N, C, X, Y) probability maps at network-input size, as published: sigmoid, then bilinear."""
        return upsample_heatmaps(torch.from_numpy(self.maps).float(), self.input_size)

    def each_heatmap(self) -> Iterator[torch.Tensor]:
        """Image by image the (C, X, Y) probability maps of :meth:`heatmaps`, which need not all fit into memory."""
        for maps in self.maps:
            yield upsample_heatmaps(torch.from_numpy(maps[None]).float(), self.input_size)[0]

    def boxes(self) -> tuple[list[np.ndarray | None], list[list[int] | None]]:
        """Boxes (n, 4) xyxy in network-input pixels and their classes, an entry an image; None where not annotated."""
        boxes: list[np.ndarray | None] = []
        classes: list[list[int] | None] = []
        for item, size in zip(self.items, self.sizes, strict=True):
            known = item.get("boxes") is not None
            scale = np.tile(np.asarray(self.input_size) / size, 2)
            boxes.append(np.asarray(item["boxes"], dtype=np.float64).reshape(-1, 4) * scale if known else None)
            classes.append([int(c) for c in item["box_labels"]] if known else None)
        return boxes, classes

    def save(self, path: str | Path) -> None:
        """Write everything to one ``.npz`` (items as JSON text), atomically."""
        with replacing(path) as temporary:
            np.savez_compressed(
                temporary,
                labels=np.array(self.labels),
                items=np.array(json.dumps(self.items)),
                sizes=self.sizes,
                input_size=np.array(self.input_size),
                logits=self.logits,
                maps=self.maps,
                label=self.label,
            )

    @classmethod
    def load(cls, path: str | Path) -> Predictions:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as f:
            x, y = (int(v) for v in f["input_size"])
            return cls(
                [str(v) for v in f["labels"]],
                json.loads(str(f["items"])),
                f["sizes"],
                (x, y),
                f["logits"],
                f["maps"],
                f["label"],
            )


def predict(
    network: Any,
    dataset: Dataset,
    labels: list[str],
    device: torch.device | str = "cpu",
    batch_size: int = 32,
    inferer: Any = None,
) -> Predictions:
    """Run a localiser or segmenter over a data set, in evaluation mode and in order.

    Args:
        network: with ``forward(image) -> maps`` and ``pool(maps) -> logits``; its training state is restored.
        dataset: gives "image" (C, X, Y) as MetaTensor and, where they are known, "label" (C,); its ``data`` are the
            datalist items.
        labels: class names.
        device: where to run.
        batch_size: images at a time.
        inferer: makes the maps, ``inferer(image, network)``, where they are not the network's own; if they pool to
            class logits in another way than the network's, it has its own ``pool``.
    """
    pool = getattr(inferer, "pool", network.pool)
    was_training = network.training
    network.eval()
    logits, maps, label, sizes, input_size = [], [], [], [], (0, 0)
    try:
        with torch.no_grad():
            for batch in tqdm(DataLoader(dataset, batch_size=batch_size), desc="predict", leave=False):
                image = batch[CommonKeys.IMAGE]
                sizes.append(np.asarray(image.meta["spatial_shape"])[:, :2])
                input_size = (int(image.shape[-2]), int(image.shape[-1]))
                image = image.as_tensor().to(device)
                out = network(image) if inferer is None else inferer(image, network)
                logits.append(pool(out).float().cpu().numpy())
                maps.append(out.half().cpu().numpy())
                unknown = torch.full((len(image), len(labels)), torch.nan)
                label.append(torch.as_tensor(batch.get(CommonKeys.LABEL, unknown)).numpy())
    finally:
        network.train(was_training)
    return Predictions(
        list(labels),
        list(dataset.data),
        np.concatenate(sizes),
        input_size,
        np.concatenate(logits),
        np.concatenate(maps),
        np.concatenate(label),
    )
