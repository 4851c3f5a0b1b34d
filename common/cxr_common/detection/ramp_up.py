"""Weights of losses that grow over a run."""

from __future__ import annotations

import math
from typing import Any


class SigmoidRampUp:
    """A loss weight that grows smoothly from almost 0 to its full value (Laine and Aila 2017, section 4).

    weight * exp(-5 (1 - t)^2) with t = epochs done / length, at most 1. It depends on the trainer's own counters alone,
    which a checkpoint restores, so there is nothing else to save. OXnet's code computes such a weight and never uses
    it; with ``length`` 0 the weight is constant, as that code trains.

    Args:
        weight: full value.
        length: epochs until it is reached; fractions count.

    Example:
        >>> weight = SigmoidRampUp(weight=2.0, length=10)
        >>> round(weight.at(0), 4), weight.at(10), weight.at(50)
        (0.0135, 2.0, 2.0)
    """

    def __init__(self, weight: float = 1.0, length: float = 0.0) -> None:
        self.weight, self.length = weight, length

    def at(self, epochs: float) -> float:
        """The weight after so many epochs."""
        t = min(max(epochs / self.length, 0.0), 1.0) if self.length > 0 else 1.0
        return self.weight * math.exp(-5 * (1 - t) ** 2)

    def __call__(self, engine: Any) -> float:
        """The weight of a trainer's current iteration; a trainer counts from 1."""
        return self.at((engine.state.iteration - 1) / engine.state.epoch_length)
