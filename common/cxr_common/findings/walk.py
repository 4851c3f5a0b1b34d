"""A random walk's settings; how far it goes may differ from finding to finding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

#: Steps that a walk may have; more would walk for hours, and 8 to 256 are published.
MOST_STEPS = 10_000


class WalkValues(TypedDict):
    """A walk as plain values."""

    radius: int
    beta: float
    steps: int | dict[str, int]


@dataclass(frozen=True)
class Walk:
    """Settings of a random walk over the maps of named classes.

    The number of steps may be given class by class, which is ours: one number is published for all. It is the distance
    that a class's heatmap spreads: one that fills a heart from its peak carries a pneumothorax over the whole lung.

    Attributes:
        radius: of the neighbourhood, in pixels of the map; WSMIS 5, CheXseg 3.
        beta: affinities are raised to it; WSMIS 10, CheXseg 5.
        steps: WSMIS 256, CheXseg 8; or class -> steps.

    Raises:
        ValueError: a setting makes no sense.

    Example:
        >>> Walk(steps={"Effusion": 64, "Nodule": 8}).steps_of(["Nodule", "Effusion"])
        [8, 64]
    """

    radius: int = 5
    beta: float = 10
    steps: int | Mapping[str, int] = 256

    def __post_init__(self) -> None:
        steps = self.steps.values() if isinstance(self.steps, Mapping) else [self.steps]
        if not all(type(n) is int and 0 <= n <= MOST_STEPS for n in steps) or not (
            type(self.radius) is int and 2 <= self.radius <= 100
        ):
            reason = f"radius must be an integer from 2 to 100, steps integers from 0 to {MOST_STEPS}, not"
            raise ValueError(f"{reason} {self.radius}, {self.steps}")
        if isinstance(self.beta, bool) or not isinstance(self.beta, (int, float)) or not 0 < self.beta < math.inf:
            raise ValueError(f"beta must be positive and finite, not {self.beta}")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Walk:
        """Read what :meth:`as_dict` gave.

        Raises:
            ValueError: something is missing, unknown or makes no sense.
        """
        if not isinstance(raw, Mapping) or set(raw) != {"radius", "beta", "steps"}:
            raise ValueError(f"a walk has radius, beta and steps, not {raw}")
        return cls(**raw)

    def as_dict(self) -> WalkValues:
        """Plain values."""
        steps = dict(self.steps) if isinstance(self.steps, Mapping) else self.steps
        return {"radius": self.radius, "beta": self.beta, "steps": steps}

    def steps_of(self, labels: Sequence[str]) -> list[int]:
        """The number of steps of every class.

        Raises:
            ValueError: there is none for one of them.
        """
        if not isinstance(self.steps, Mapping):
            return [self.steps] * len(labels)
        if missing := [name for name in labels if name not in self.steps]:
            raise ValueError(f"no number of steps for {', '.join(missing)}")
        return [self.steps[name] for name in labels]


#: The two published settings.
WSMIS, CHEXSEG = Walk(5, 10, 256), Walk(3, 5, 8)
