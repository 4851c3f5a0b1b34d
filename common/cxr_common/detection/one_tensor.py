"""The detector's output as one tensor, which is what MONAI's bundle commands and exported formats know of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from cxr_common.detection.network import SIZE_DIVISIBLE, DetectorOutput, RetinaNet


class OneTensorRetinaNet(RetinaNet):
    """A RetinaNet for inference that gives one tensor; the same parameters and weights.

    Its output (N, C + 4, A + X / 32 * Y / 32) has a column for each of the A anchors, then one for each cell of the
    global head's maps. A column holds C class logits, then four box deltas, which are 0 in the columns of cells.
    """

    def forward(self, image: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Detect in images (N, in_channels, X, Y); :func:`read_one_tensor` takes the output apart.

        Raises:
            ValueError: when a side is no multiple of 32.
        """
        output = self.predict(image)
        anchors = torch.cat((output.class_logits, output.box_deltas), 2).transpose(1, 2)
        cells = F.pad(output.class_maps.flatten(2), [0, 0, 0, 4])
        return torch.cat((anchors, cells), 2)


def read_one_tensor(values: torch.Tensor, size: Sequence[int]) -> DetectorOutput:
    """What :class:`OneTensorRetinaNet` gave, as a :class:`RetinaNet` gives it, without the features.

    Args:
        values: (N, C + 4, A + cells).
        size: X, Y of the network's input.
    """
    x, y = (int(side) // SIZE_DIVISIBLE for side in size)
    anchors, cells = values[..., : -x * y], values[..., -x * y :]
    logits, deltas = anchors.transpose(1, 2).split([values.shape[1] - 4, 4], 2)
    maps = cells[:, :-4].unflatten(2, (x, y))
    return DetectorOutput(logits, deltas, maps, values.new_zeros(len(values), 0, x, y))
