"""What MONAI Label can pass on of a bundle's findings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from cxr_common.errors import InputError

#: What MONAI Label takes a bundle for, by its folder's name; anything else is "segmentation".
_TASKS = ("detection", "segmentation", "classification")


class MonaiLabelResultd(MapTransform):
    """The last transform of an inference: shapes its result as MONAI Label 0.8.5 needs it.

    MONAI Label chooses a task by the bundle's folder name.

    * Classification: ``keys`` becomes scores (1 + C,), 0 for the background and a probability for each class.
    * Segmentation: the label mask (width, height) becomes (width, height, 1) with an affine of 4 x 4, for the affine
      of two dimensions is left out when the mask is written.
    * Detection: the boxes are as they are wanted.

    MONAI Deploy, which gives images in memory, gets the label mask as (1, width, height).

    The record of all findings goes under ``result``, of which clients get all. Where nobody but this bundle's own
    evaluator runs it, which is told by the lack of ``<image_key>_meta_dict``, only the scores are made.

    Args:
        keys: the label mask, or the detector's output.
        bundle_root: the bundle's folder.
        image_key: the network's input.
        findings_key: the findings' record.
        task: one of "classification", "segmentation" and "detection"; default by the folder's name.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        bundle_root: str | Path = ".",
        image_key: str = "image",
        findings_key: str = "findings",
        task: str | None = None,
    ) -> None:
        super().__init__(keys)
        name = Path(str(bundle_root)).resolve().name.lower()
        self.task = task or next((kind for kind in _TASKS if kind in name), "segmentation")
        self.image_key, self.findings_key = image_key, findings_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Shape the result of one image.

        Raises:
            InputError: the image has no findings, and MONAI Label is to say why.
        """
        item, record = dict(data), data[self.findings_key]
        asked_by_server = f"{self.image_key}_meta_dict" in item
        if "failure" in record:
            if not asked_by_server:
                return item
            failure = record["failure"]
            raise InputError(failure["reason"], failure["path"] or None, failure["action"])
        if asked_by_server:
            item["result"] = {key: value for key, value in record.items() if key != "path"}
        for key in self.keys if self.task != "detection" else ():
            if self.task == "classification":
                item[key] = MetaTensor(torch.tensor([0.0, *(finding["probability"] for finding in record["findings"])]))
            elif getattr(item.get(self.image_key), "meta", {}).get("in_memory"):  # MONAI Deploy takes a channel off
                item[key] = item[key][None]
            elif asked_by_server:
                item[key], item[self.image_key] = _in_space(item[key], item[self.image_key])
        if asked_by_server and self.task == "classification":  # to whose size the scores would be brought
            del item[self.image_key], item[f"{self.image_key}_meta_dict"]
        return item


def _in_space(mask: MetaTensor, image: MetaTensor) -> tuple[MetaTensor, MetaTensor]:
    """A mask (width, height) as a volume of one slice, and the image with the place of that volume in its meta."""
    flat = np.asarray(mask.affine, dtype=np.float64)
    affine = np.eye(4)
    affine[:2, :2], affine[:2, 3] = flat[:2, :2], flat[:2, -1]
    volume = MetaTensor(mask.as_tensor()[..., None], affine=torch.from_numpy(affine))
    place = {"spatial_shape": list(volume.shape), "original_affine": affine}
    return volume, MetaTensor(image.as_tensor(), meta={**image.meta, **place})
