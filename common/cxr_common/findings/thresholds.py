"""Per-class thresholds: tuned on validation, stored beside the weights they belong to."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from cxr_common.errors import InputError
from cxr_common.findings.walk import Walk

DEFAULT_DECISION = 0.5
DEFAULT_MASK = 0.5
#: "relative": a pixel belongs to a finding above `mask` times the largest probability of that class's heatmap, as
#: PYLON's published evaluation has it (map / max > .5). "absolute": above the probability `mask` itself.
MASK_MODES = ("relative", "absolute")

RETUNE = "tune them again on validation, or take the defaults as docs/reference/findings.md says"


@dataclass(frozen=True)
class ClassThresholds(ABC):
    """What makes a probability a decision, class by class; a kind for maps and one for boxes add what they need.

    Args:
        labels: class names in the order of the network's channels.
        decision: class -> probability from which on the class counts as present.
        tuned_on: how they were tuned (data hash, n, criterion); None for the defaults.
        weights_sha256: weights they were tuned for, if known.
        source: name of the file they were read from, or "default".

    Raises:
        InputError: a class is missing or unknown, or a value is not in [0, 1].
    """

    #: `kind` in thresholds.json.
    kind: ClassVar[str]
    #: Names of the fields that hold one value for each class.
    by_class: ClassVar[tuple[str, ...]] = ("decision",)

    labels: tuple[str, ...]
    decision: Mapping[str, float]
    tuned_on: Mapping[str, Any] | None = field(default=None, kw_only=True)
    weights_sha256: str | None = field(default=None, kw_only=True)
    source: str = field(default="default", compare=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise InputError("class names are missing or repeated", f"{self.source}: labels", "name every class once")
        for name in self.by_class:
            values = getattr(self, name)
            if set(values) != set(self.labels):
                missing, unknown = sorted(set(self.labels) - set(values)), sorted(set(values) - set(self.labels))
                reason = f"missing classes {missing}, unknown classes {unknown}"
                raise InputError(reason, f"{self.source}: {name}", RETUNE)
            for label, value in values.items():
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not number or not (math.isfinite(value) and 0 <= value <= 1):
                    raise InputError(f"{value!r} is not a number in [0, 1]", f"{self.source}: {name}: {label}", RETUNE)
            object.__setattr__(self, name, {label: float(values[label]) for label in self.labels})

    @classmethod
    @abstractmethod
    def default(cls, labels: Sequence[str]) -> ClassThresholds:
        """Decision at probability .5."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The content of thresholds.json, except for its kind."""

    @property
    def input_size(self) -> list[int]:
        """X, Y of the network input that they were tuned at; 256 x 256, the paper's, where that is not known."""
        return [int(side) for side in ((self.tuned_on or {}).get("input_size") or (256, 256))]

    def check_intensity(self, mean: Any, std: Any) -> None:
        """Refuse grey values of another scale than the weights learned from, where that is known.

        Args:
            mean: ``intensity_mean`` of a run, one number or one for each channel.
            std: its ``intensity_std``.

        Raises:
            InputError: names the options to give.
        """
        learned, given = (self.tuned_on or {}).get("intensity") or {}, {"mean": mean, "std": std}
        if other := {name: learned[name] for name in given if name in learned and learned[name] != given[name]}:
            options = " ".join(f"--intensity_{name} {value}" for name, value in other.items())
            where = " ".join(f"--intensity_{name} {given[name]}" for name in other)
            raise InputError(
                f"the weights learned from images with {options}", where, "give that to this run too, or their recipe"
            )

    def with_weights(self, sha256: str) -> Self:
        """The same thresholds, recorded as those of the weights with this hash."""
        return replace(self, weights_sha256=sha256)

    def _origin(self) -> dict[str, Any]:
        tuned_on = None if self.tuned_on is None else dict(self.tuned_on)
        return {"tuned_on": tuned_on, "weights_sha256": self.weights_sha256}


@dataclass(frozen=True)
class BoxThresholds(ClassThresholds):
    """Of a network that gives boxes: the score from which on a box is one, and its class present."""

    kind = "boxes"

    @classmethod
    def default(cls, labels: Sequence[str]) -> BoxThresholds:
        """Boxes from score .5 on."""
        return cls(tuple(labels), dict.fromkeys(labels, DEFAULT_DECISION))

    def as_dict(self) -> dict[str, Any]:
        """The content of thresholds.json, except for its kind."""
        return {"labels": list(self.labels), "decision": dict(self.decision), **self._origin()}


@dataclass(frozen=True)
class Thresholds(ClassThresholds):
    """Of a network that gives maps: what makes a probability a decision, and a heatmap a mask.

    Args:
        labels: see :class:`ClassThresholds`.
        decision: see there.
        mask: class -> threshold on the heatmap, in the unit `mask_mode` names.
        mask_mode: one of :data:`MASK_MODES`.
        tuned_on: see there.
        weights_sha256: see there.
        source: see there.
        walk: random walk that the heatmaps went through; None for a localiser's own.

    Raises:
        InputError: a class is missing or unknown, or a value is not in [0, 1].

    Example:
        >>> thresholds = Thresholds.default(["Effusion", "Nodule"])
        >>> thresholds.decision, thresholds.mask_mode
        ({'Effusion': 0.5, 'Nodule': 0.5}, 'relative')
    """

    kind = "maps"
    by_class = ("decision", "mask")

    mask: Mapping[str, float]
    mask_mode: str = "relative"
    walk: Walk | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.mask_mode not in MASK_MODES:
            raise InputError(f"unknown mask_mode {self.mask_mode!r}", self.source, f"use {' or '.join(MASK_MODES)}")
        super().__post_init__()
        if self.walk is not None:
            try:
                self.walk.steps_of(self.labels)
            except ValueError as error:
                raise InputError(str(error), f"{self.source}: walk", RETUNE) from error

    @classmethod
    def default(cls, labels: Sequence[str], mask_mode: str = "relative") -> Thresholds:
        """Decision at probability .5, masks above half of the map's largest value, or above .5 in "absolute" mode."""
        names = tuple(labels)
        return cls(names, dict.fromkeys(names, DEFAULT_DECISION), dict.fromkeys(names, DEFAULT_MASK), mask_mode)

    def walk_with(self, radius: int | None = None, beta: float | None = None, steps: int | None = None) -> Walk:
        """The random walk they were tuned for, with what is given in its place.

        Raises:
            InputError: they name no walk and not all is given, or a setting makes no sense.
        """
        given = {"radius": radius, "beta": beta, "steps": steps}
        own: Mapping[str, object] = {} if self.walk is None else self.walk.as_dict()
        known = {**own, **{name: value for name, value in given.items() if value is not None}}
        if missing := [name for name in given if name not in known]:
            action = f"tune them with the random walk they are for, or give {', '.join(missing)}"
            raise InputError("there is no random walk in these thresholds", self.source, action)
        try:
            return Walk.from_dict(known)
        except ValueError as error:
            raise InputError(str(error), "random walk") from error

    def with_walk(self, radius: int | None = None, beta: float | None = None, steps: int | None = None) -> Thresholds:
        """The same thresholds, recorded as those of :meth:`walk_with`."""
        return replace(self, walk=self.walk_with(radius, beta, steps))

    def as_dict(self) -> dict[str, Any]:
        """The content of thresholds.json, except for its kind."""
        return {
            "labels": list(self.labels),
            "decision": dict(self.decision),
            "mask": dict(self.mask),
            "mask_mode": self.mask_mode,
            **self._origin(),
        } | ({} if self.walk is None else {"walk": self.walk.as_dict()})


def relative_mask(recorded: Mapping[str, Any], labels: Sequence[str]) -> dict[str, list[float]]:
    """What mask thresholds say about a localiser's heatmaps, as part of an item.

    Args:
        recorded: as :meth:`Thresholds.as_dict` and findings.json have them; may be empty.
        labels: class names, in order.

    Returns:
        "mask_threshold": fractions of a heatmap's maximum in (0, 1), one per class. Empty if they are not such, are not
        all there, or were not tuned and so say nothing about the heatmaps.
    """
    if recorded.get("mask_mode") != "relative" or recorded.get("tuned_on") is None:
        return {}
    known = recorded.get("mask") or {}
    return {"mask_threshold": [float(known[name]) for name in labels]} if set(labels) <= set(known) else {}
