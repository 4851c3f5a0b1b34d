"""The detector's inference for MONAI's evaluators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.data import decollate_batch
from monai.inferers import Inferer
from torch import nn

from cxr_common.detection.anchors import AnchorGrid
from cxr_common.detection.exported import BoxNetwork, DetectorNetwork
from cxr_common.detection.global_head import AlignedLogits
from cxr_common.detection.network import DetectorOutput
from cxr_common.detection.one_tensor import read_one_tensor
from cxr_common.detection.selection import select_detections
from cxr_common.networks.pooling import average_pool
from cxr_common.plain_inferer import plain_tensor


def pooled_class_maps(output: DetectorOutput) -> torch.Tensor:
    """Image-level logits (N, C): the mean of the global head's maps."""
    return average_pool(output.class_maps)


class DetectionInferer(Inferer):
    """Run the network and select its detections; a dictionary of tensors, which decollates into one per image.

    Args:
        anchors: of the network.
        image_logits: image-level logits (N, C) of a network's output.
        settings: of :func:`~cxr_common.detection.select_detections`: thresholds and counts.
    """

    def __init__(
        self,
        anchors: AnchorGrid,
        image_logits: Callable[[DetectorOutput], torch.Tensor] = pooled_class_maps,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.anchors, self.image_logits, self.settings = anchors, image_logits, settings

    def __call__(self, inputs: torch.Tensor, network: Callable, *args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        """Detect in images (N, C, X, Y).

        Args:
            inputs: images.
            network: a RetinaNet or OneTensorRetinaNet in evaluation mode.
            args: refused.
            kwargs: refused.

        Returns:
            "detections": (N, K, 6) as :func:`~cxr_common.detection.select_detections` gives them, in pixels of the
            input; "image_logits": (N, num_classes).
        """
        if args or kwargs:
            raise TypeError("DetectionInferer takes nothing but its image")
        size = (inputs.shape[-2], inputs.shape[-1])
        values = network(plain_tensor(inputs))
        output = read_one_tensor(values, size) if isinstance(values, torch.Tensor) else DetectorOutput(*values)
        detections = select_detections(output, self.anchors, size, **self.settings)
        return {"detections": detections, "image_logits": self.image_logits(output)}

    def as_outputs(self, network: Any) -> nn.Module:
        """The network as a module of named outputs, see :mod:`cxr_common.exports.exportable`."""
        return DetectorNetwork(network, aligned=isinstance(self.image_logits, AlignedLogits))

    def as_boxes(self, network: Any) -> nn.Module:
        """The network and this inferer as one module that gives the selected boxes."""
        return BoxNetwork(self.as_outputs(network), self.anchors, **self.settings)


class LabelDetector:
    """What MONAI Label calls a detector; it puts the bundle's network, with its weights, into ``network``.

    Args:
        network: a RetinaNet.
        inferer: selects its detections.
    """

    def __init__(self, network: Any, inferer: DetectionInferer) -> None:
        self.network, self.inferer = network, inferer

    def __call__(self, inputs: torch.Tensor, use_inferer: bool = True) -> list[dict[str, Any]]:
        """Detect in images (N, C, X, Y): an item an image, with "pred" for the bundle's post-processing."""
        return [{"pred": found} for found in decollate_batch(self.inferer(inputs, self.network))]
