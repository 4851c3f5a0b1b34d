"""Image-level logits are read where the detection head sees each class."""

from __future__ import annotations

import torch

from cxr_common.detection import AlignedLogits, AnchorGrid, DetectorOutput

SIZE, GRID = (128, 64), AnchorGrid(levels=(4, 5), side=2)


def test_the_logit_is_the_class_maps_where_the_detector_is_sure():
    """Class 0 is seen at the right end, (x, y) = (3, 0); class 1 nowhere in particular."""
    anchors = GRID.boxes(SIZE)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    logits = torch.full((1, len(anchors), 2), -12.0)
    coarse = torch.arange(len(anchors)) >= GRID.counts(SIZE)[0]
    logits[0, coarse & (centres[:, 0] > 96) & (centres[:, 1] < 32), 0] = 3.0
    maps = torch.arange(8.0).reshape(1, 1, 4, 2).repeat(1, 2, 1, 1)
    output = DetectorOutput(logits, torch.zeros(1, len(anchors), 4), maps, torch.zeros(1, 3, 4, 2))
    aligned = AlignedLogits(GRID)
    attention = aligned.attention(output)
    assert attention.shape == (1, 2, 4, 2)
    torch.testing.assert_close(attention.sum((2, 3)), torch.ones(1, 2))
    found = aligned(output)[0]
    assert abs(found[0] - maps[0, 0, 3, 0]) < 0.01
    assert abs(found[1] - maps.mean()) < 0.01
