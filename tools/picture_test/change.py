"""What happens to pictures: harmless changes that must pass, and those that the test looks for. Batches, on torch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn.functional import affine_grid, grid_sample

from cxr_common.data.picture_test.kind_network import KINDS
from cxr_common.data.picture_test.thumbnail import SIDE

Changes = dict[str, Callable[[torch.Tensor], torch.Tensor]]
#: Kind -> how an upright picture (..., rows, columns) becomes of this kind.
TURNS: Changes = {
    "upright": lambda x: x,
    "upside down": lambda x: x.flip(-2),  # the generator mirrors half of the pictures, which makes it a half turn
    "head left": lambda x: x.rot90(1, (-2, -1)),
    "head right": lambda x: x.rot90(-1, (-2, -1)),
    "inverted": lambda x: 1 - x,
}
assert set(TURNS) < set(KINDS)


class Varied:
    """Random harmless changes: a turn of a few degrees, cropping, borders, exposure, markers, implants, wires, noise.

    Args:
        seed: of the changes.
        degrees: largest turn.
        zoom: smallest and largest factor; above 1 the picture is cropped, below 1 it gets a border.
    """

    def __init__(self, seed: int, degrees: float = 10, zoom: tuple[float, float] = (0.82, 1.28)) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.degrees, self.zoom = degrees, zoom

    def uniform(self, n: int, low: float, high: float) -> torch.Tensor:
        """(n, 1, 1) of a uniform distribution."""
        return low + (high - low) * torch.rand((n, 1, 1), generator=self.random)

    def chance(self, n: int, probability: float) -> torch.Tensor:
        """(n, 1, 1) bool."""
        return self.uniform(n, 0, 1) < probability

    def __call__(self, pictures: torch.Tensor, zoom: tuple[float, float] | None = None) -> torch.Tensor:
        """Change pictures (N, rows, columns) uint8; returns float32 (N, `SIDE`, `SIDE`) in [0, 1]."""
        x = self._moved(pictures.float() / 255, zoom or self.zoom)
        return self._noisy(self._framed(self._marked(self._exposed(x)))).clamp(0, 1)

    def _moved(self, x: torch.Tensor, zoom: tuple[float, float]) -> torch.Tensor:
        n = len(x)
        angle = self.uniform(n, -self.degrees, self.degrees) * math.pi / 180
        scale = torch.exp(self.uniform(n, math.log(zoom[0]), math.log(zoom[1])))
        wide = torch.exp(self.uniform(n, -0.12, 0.12))
        mirror = 1 - 2 * self.chance(n, 0.5).float()
        room = (1 - 1 / scale).clamp_min(0.08)
        dx, dy = self.uniform(n, -1, 1) * room, self.uniform(n, -1, 1) * room
        cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
        rows = [
            torch.cat([cos * mirror * wide, -sin * wide, dx], 2),
            torch.cat([sin * mirror / wide, cos / wide, dy], 2),
        ]
        grid = affine_grid(torch.cat(rows, 1), [n, 1, SIDE, SIDE], align_corners=False)
        fill = torch.where(self.chance(n, 0.75), 0.0, 1.0)
        return grid_sample((x - fill)[:, None], grid, align_corners=False)[:, 0] + fill

    def _exposed(self, x: torch.Tensor) -> torch.Tensor:
        n = len(x)
        low, high = self.uniform(n, -0.15, 0.15), self.uniform(n, 0.75, 1.25)
        x = ((x - low) / (high - low)).clamp(0, 1)
        return x ** torch.exp(self.uniform(n, -0.6, 0.6))

    def _marked(self, x: torch.Tensor) -> torch.Tensor:
        n = len(x)
        place = torch.linspace(-1, 1, SIDE)
        across, down = place[None, None, :], place[None, :, None]
        for probability, size in ((0.4, 0.08), (0.3, 0.12), (0.15, 0.3)):  # letters and labels
            far = (across - self.uniform(n, -1, 1)).abs() / self.uniform(n, 0.02, size)
            tall = (down - self.uniform(n, -1, 1)).abs() / self.uniform(n, 0.02, 0.08)
            x = torch.where((far < 1) & (tall < 1) & self.chance(n, probability), self.uniform(n, 0.85, 1), x)
        far = (across - self.uniform(n, -0.6, 0.6)) ** 2 + (down - self.uniform(n, -0.7, 0.5)) ** 2  # a device
        x = torch.where((far < self.uniform(n, 0.05, 0.17) ** 2) & self.chance(n, 0.15), self.uniform(n, 0.8, 1), x)
        for _ in range(2):  # wires and tubes
            angle = self.uniform(n, 0, math.pi)
            line = across * torch.cos(angle) + down * torch.sin(angle) - self.uniform(n, -0.6, 0.6)
            thin = line.abs() < self.uniform(n, 0.01, 0.04)
            x = torch.where(thin & self.chance(n, 0.15), x + self.uniform(n, 0.1, 0.5), x)
        return x

    def _framed(self, x: torch.Tensor) -> torch.Tensor:
        """The borders of portable films and of shutters, black or white, on any of the four sides."""
        n = len(x)
        place = torch.linspace(0, 1, SIDE)
        outside = torch.zeros(n, SIDE, SIDE, dtype=torch.bool)
        for axis in (place[None, None, :], place[None, :, None]):
            for edge in (axis, 1 - axis):
                outside |= (edge < self.uniform(n, 0, 0.16)) & self.chance(n, 0.5)
        fill = torch.where(self.chance(n, 0.75), self.uniform(n, 0, 0.05), self.uniform(n, 0.9, 1))
        return torch.where(outside & self.chance(n, 0.3), fill, x)

    def _noisy(self, x: torch.Tensor) -> torch.Tensor:
        n = len(x)
        strength = self.uniform(n, 0, 0.06) * self.chance(n, 0.5)
        return x + strength * torch.randn(x.shape, generator=self.random)
