"""What a network says about a data set, kept together with what is known about it: the part that every kind has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from monai.data import DataLoader, Dataset
from monai.utils import CommonKeys
from tqdm import tqdm

from cxr_common.boxes import Boxes, scale_boxes
from cxr_common.data.datalist import item_group
from cxr_common.files import replacing


@dataclass(kw_only=True)
class Predictions:
    """N images of a data set; a kind for maps and one for boxes add what a network says of them.

    Everything a metric needs is here, and nothing is computed yet.

    Attributes:
        labels: C class names.
        items: datalist items, one for each image; "boxes" are in the image's own pixels.
        sizes: (N, 2) width and height of the original images.
        input_size: (X, Y) of the network input.
        label: (N, C) float32; NaN not annotated, -1 uncertain.
    """

    #: Fields that hold something for each image, besides `items`; a kind adds its own.
    by_image: ClassVar[tuple[str, ...]] = ("sizes", "label")

    labels: list[str]
    items: Sequence[Mapping[str, Any]]
    sizes: np.ndarray
    input_size: tuple[int, int]
    label: np.ndarray

    @property
    def patients(self) -> list[str]:
        """N names: what the bootstrap draws: the group of an image, else its patient, else the image itself."""
        return [item_group(i) for i in self.items]

    def subset(self, keep: np.ndarray) -> Self:
        """The images where a (N,) bool array is true."""
        index = np.flatnonzero(keep)
        arrays = {name: value[index] for name in self.by_image if (value := getattr(self, name)) is not None}
        return replace(self, items=[self.items[int(i)] for i in index], **arrays)

    def boxes(self) -> tuple[list[Boxes | None], list[list[int] | None]]:
        """True boxes (n, 4) xyxy in network-input pixels and their classes, image by image; None = not annotated."""
        boxes: list[Boxes | None] = []
        classes: list[list[int] | None] = []
        for item, size in zip(self.items, self.sizes, strict=True):
            known = item.get("boxes") is not None
            boxes.append(scale_boxes(item["boxes"], size, self.input_size) if known else None)
            classes.append([int(c) for c in item["box_labels"]] if known else None)
        return boxes, classes

    def save(self, path: str | Path) -> None:
        """Write everything to one ``.npz`` (items as JSON text), atomically."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "items"}
        arrays = {name: value for name, value in values.items() if value is not None}
        with replacing(path) as temporary:
            np.savez_compressed(temporary, items=np.array(json.dumps(list(self.items))), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as f:
            arrays: dict[str, Any] = {field.name: f[field.name] for field in fields(cls) if field.name in f}
        x, y = (int(v) for v in arrays["input_size"])
        labels, items = [str(v) for v in arrays["labels"]], json.loads(str(arrays["items"]))
        return cls(**{**arrays, "labels": labels, "items": items, "input_size": (x, y)})


class Pass:
    """One pass over a data set, in order, that notes what predictions must know of it.

    Args:
        dataset: gives "image" (C, X, Y) as MetaTensor and, where they are known, "label" (C,) and "gate" (5,); its
            ``data`` are the datalist items.
        labels: class names.
        batch_size: images at a time.
        title: of the progress bar.
    """

    def __init__(self, dataset: Dataset, labels: Sequence[str], batch_size: int, title: str) -> None:
        self.dataset, self.labels, self.batch_size, self.title = dataset, list(labels), batch_size, title
        self._sizes: list[np.ndarray] = []
        self._label: list[np.ndarray] = []
        self._gate: list[np.ndarray] = []
        self._input_size = (0, 0)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, dict[str, Any]]]:
        """Images (n, C, X, Y) without metadata, and the batch they are from."""
        for batch in tqdm(DataLoader(self.dataset, batch_size=self.batch_size), desc=self.title, leave=False):
            image = batch[CommonKeys.IMAGE]
            self._sizes.append(np.asarray(image.meta["spatial_shape"])[:, :2])
            self._input_size = (int(image.shape[-2]), int(image.shape[-1]))
            unknown = torch.full((len(image), len(self.labels)), torch.nan)
            self._label.append(torch.as_tensor(batch.get(CommonKeys.LABEL, unknown)).numpy())
            if "gate" in batch:
                self._gate.append(torch.as_tensor(batch["gate"]).numpy())
            yield image.as_tensor(), batch

    def known(self) -> dict[str, Any]:
        """The fields of :class:`Predictions`, when the pass is done; and "gate", where images have one."""
        return {
            "labels": self.labels,
            "items": list(self.dataset.data),
            "sizes": np.concatenate(self._sizes),
            "input_size": self._input_size,
            "label": np.concatenate(self._label),
            **({"gate": np.concatenate(self._gate)} if self._gate else {}),
        }
