"""One step of IRNet's random walk as a stencil over shifted views of a flat layout."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from cxr_common.refinement.affinity import fill_path_maxima, pad_outside
from cxr_common.refinement.paths import half_plane_offsets

#: Elements that a thread takes at once: near its cache, and enough for PyTorch to use all threads.
_BLOCK = 65536


class Stencil:
    """D^-1 W - 1 on all maps of a batch, in one flat layout where every neighbour is at a constant distance.

    A column of Y pixels is followed by radius - 1 cells that have no weight, and serve as margin of the next one too.

    Attributes:
        values: (N, C, X, Y), the state; a view to be written to.
        state: (N, C, cells), the state with all margins.
        change: like state; what :meth:`differences` writes.
    """

    def __init__(self, boundary: torch.Tensor, channels: int, radius: int, beta: float) -> None:
        n, _, width, height = boundary.shape
        pitch = height + radius - 1
        cells, margin = width * pitch, (radius - 1) * (pitch + 1)
        weights = _weights(boundary, radius, beta).flatten(2)
        shifts = [dx * pitch + dy for dx, dy in half_plane_offsets(radius)]

        self.state = boundary.new_ones((n, channels, cells + 2 * margin))
        self.change = torch.zeros_like(self.state)
        inside = self.state[..., margin : margin + cells].unflatten(-1, (width, pitch))
        self.values = inside[..., :height]

        sums = boundary.new_ones((n, 1, cells + 2 * margin))
        for index, shift in enumerate(shifts):
            for begin in (margin, margin + shift):  # one weight serves both ends of a pair
                sums[:, 0, begin : begin + cells] += weights[:, index]
        self.inverse_sums = sums.reciprocal_()

        # All views are made once; a step is then three calls an offset and block.
        size = cells
        if boundary.device.type == "cpu":
            size = max(_BLOCK * torch.get_num_threads() // (n * channels), _BLOCK // 64)
        buffer = boundary.new_empty((n, channels, min(size, cells)))
        self._views = []
        for begin in range(0, cells, size):
            length = min(size, cells - begin)
            here = slice(margin + begin, margin + begin + length)
            for index, shift in enumerate(shifts):
                there = slice(here.start + shift, here.stop + shift)
                self._views.append(
                    (
                        self.state[..., here],
                        self.state[..., there],
                        self.change[..., here],
                        self.change[..., there],
                        weights[:, index, None, begin : begin + length],
                        buffer[..., :length],
                    )
                )

    def differences(self) -> torch.Tensor:
        """What one step adds to the state: at p the sum of w_pq (y_q - y_p) / d_p.

        Differences keep the float32 error at a few 1e-6; sum w_pq y_q / d_p drifts by 4e-4, for the weights of an
        average never add up to one exactly.
        """
        self.change.zero_()
        for here, there, change_here, change_there, weight, buffer in self._views:
            torch.sub(there, here, out=buffer)
            change_here.addcmul_(weight, buffer)
            change_there.addcmul_(weight, buffer, value=-1)
        return self.change.mul_(self.inverse_sums)


def _weights(boundary: torch.Tensor, radius: int, beta: float) -> torch.Tensor:
    """Affinity^beta, (N, number of offsets, X, Y + radius - 1), zero where the neighbour is outside the grid.

    Weights near the smallest number of the dtype become 0. As every d_p is at least 1, a weight adds no more than
    itself times the range of the state in a step: 1e-28 of it, far below an epsilon.
    """
    n, _, width, height = boundary.shape
    planes = boundary.new_zeros((n, len(half_plane_offsets(radius)), width, height + radius - 1))
    inside = planes[..., :height]
    fill_path_maxima(inside, pad_outside(boundary, radius), radius)
    floor = (1e10 * torch.finfo(boundary.dtype).tiny) ** (1 / beta)
    for plane in inside.unbind(1):
        F.threshold(plane.neg_().add_(1), floor, 0, inplace=True).pow_(beta)
    return planes
