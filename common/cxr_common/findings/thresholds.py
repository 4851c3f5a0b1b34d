"""Per-class thresholds: tuned on validation, stored beside the weights they belong to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_common.files import write_json
from cxr_common.findings.record_models import ThresholdsRecord
from cxr_common.findings.walk import Walk
from cxr_common.json_files import read_json
from cxr_common.networks.weights import weights_sha256

DEFAULT_DECISION = 0.5
DEFAULT_MASK = 0.5
#: "relative": a pixel belongs to a finding above `mask` times the largest probability of that class's heatmap, as
#: PYLON's published evaluation has it (map / max > .5). "absolute": above the probability `mask` itself.
MASK_MODES = ("relative", "absolute")

_RETUNE = "tune them again on validation, or take the defaults as docs/findings.md says"


@dataclass(frozen=True)
class Thresholds:
    """What makes a probability a decision, and a heatmap a mask.

    Args:
        labels: class names in the order of the network's channels.
        decision: class -> probability from which on the class counts as present.
        mask: class -> threshold on the heatmap, in the unit `mask_mode` names.
        mask_mode: one of :data:`MASK_MODES`.
        tuned_on: how they were tuned (data hash, n, criterion); None for the defaults.
        weights_sha256: weights they were tuned for, if known.
        walk: random walk that the heatmaps went through; None for a localiser's own.
        source: name of the file they were read from, or "default".

    Raises:
        InputError: a class is missing or unknown, or a value is not in [0, 1].

    Example:
        >>> thresholds = Thresholds.default(["Effusion", "Nodule"])
        >>> thresholds.decision, thresholds.mask_mode
        ({'Effusion': 0.5, 'Nodule': 0.5}, 'relative')
    """

    labels: tuple[str, ...]
    decision: Mapping[str, float]
    mask: Mapping[str, float]
    mask_mode: str = "relative"
    tuned_on: Mapping[str, Any] | None = None
    weights_sha256: str | None = None
    walk: Walk | None = None
    source: str = field(default="default", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(self.labels))
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise InputError("class names are missing or repeated", f"{self.source}: labels", "name every class once")
        if self.mask_mode not in MASK_MODES:
            raise InputError(f"unknown mask_mode {self.mask_mode!r}", self.source, f"use {' or '.join(MASK_MODES)}")
        for name in ("decision", "mask"):
            values = getattr(self, name)
            if set(values) != set(self.labels):
                missing, unknown = sorted(set(self.labels) - set(values)), sorted(set(values) - set(self.labels))
                reason = f"missing classes {missing}, unknown classes {unknown}"
                raise InputError(reason, f"{self.source}: {name}", _RETUNE)
            for label, value in values.items():
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if not number or not (math.isfinite(value) and 0 <= value <= 1):
                    raise InputError(f"{value!r} is not a number in [0, 1]", f"{self.source}: {name}: {label}", _RETUNE)
            object.__setattr__(self, name, {label: float(values[label]) for label in self.labels})
        if self.walk is not None:
            try:
                self.walk.steps_of(self.labels)
            except ValueError as error:
                raise InputError(str(error), f"{self.source}: walk", _RETUNE) from error

    @classmethod
    def default(cls, labels: Sequence[str], mask_mode: str = "relative") -> Thresholds:
        """Decision at probability .5, masks above half of the map's largest value, or above .5 in "absolute" mode."""
        names = tuple(labels)
        return cls(names, dict.fromkeys(names, DEFAULT_DECISION), dict.fromkeys(names, DEFAULT_MASK), mask_mode)

    @property
    def input_size(self) -> list[int]:
        """X, Y of the network input that they were tuned at; 256 x 256, the paper's, where that is not known."""
        return [int(side) for side in (self.tuned_on or {}).get("input_size", (256, 256))]

    def with_weights(self, sha256: str) -> Thresholds:
        """The same thresholds, recorded as those of the weights with this hash."""
        return replace(self, weights_sha256=sha256)

    def walk_with(self, radius: int | None = None, beta: float | None = None, steps: int | None = None) -> Walk:
        """The random walk they were tuned for, with what is given in its place.

        Raises:
            InputError: they name no walk and not all is given, or a setting makes no sense.
        """
        given = {"radius": radius, "beta": beta, "steps": steps}
        known = {} if self.walk is None else self.walk.as_dict()
        known |= {name: value for name, value in given.items() if value is not None}
        if missing := [name for name in given if name not in known]:
            action = f"tune them with the random walk they are for, or give {', '.join(missing)}"
            raise InputError("name no random walk", self.source, action)
        try:
            return Walk.from_dict(known)
        except ValueError as error:
            raise InputError(str(error), "random walk") from error

    def with_walk(self, radius: int | None = None, beta: float | None = None, steps: int | None = None) -> Thresholds:
        """The same thresholds, recorded as those of :meth:`walk_with`."""
        return replace(self, walk=self.walk_with(radius, beta, steps))

    def as_dict(self) -> dict[str, Any]:
        """The content of thresholds.json."""
        return {
            "labels": list(self.labels),
            "decision": dict(self.decision),
            "mask": dict(self.mask),
            "mask_mode": self.mask_mode,
            "tuned_on": None if self.tuned_on is None else dict(self.tuned_on),
            "weights_sha256": self.weights_sha256,
        } | ({} if self.walk is None else {"walk": self.walk.as_dict()})


def thresholds_beside(weights: str | Path) -> Path:
    """The thresholds.json that lies beside a weights file.

    Raises:
        InputError: there are no such weights, or no thresholds beside them.
    """
    if not Path(weights).is_file():
        raise InputError("no such weights file", weights, "train the bundle first, or restore models/model.pt")
    path = Path(weights).with_name("thresholds.json")
    if not path.is_file():
        raise InputError(
            f"there is no {path.name} beside {Path(weights).name}", path.parent, f"restore it, or {_RETUNE}"
        )
    return path


def save_thresholds(thresholds: Thresholds, path: str | Path) -> None:
    """Write thresholds.json (see docs/findings.md)."""
    write_json(thresholds.as_dict(), path)


def load_thresholds(
    path: str | Path | None, labels: Sequence[str] | None = None, weights: str | Path | None = None
) -> Thresholds:
    """Read thresholds.json and check that it fits.

    Args:
        path: the file; None gives :meth:`Thresholds.default` of `labels`.
        labels: class names the network has, in channel order; None accepts the file's.
        weights: weights file the thresholds must have been tuned for; None skips that check.

    Raises:
        InputError: no such file, not readable, other classes or another order, or tuned for other weights.
    """
    if path is None:
        if labels is None:
            raise InputError("neither a thresholds file nor class names given", "thresholds", "pass labels")
        return Thresholds.default(labels)
    raw = read_json(path, _RETUNE, ThresholdsRecord)
    if labels is not None and list(raw["labels"]) != list(labels):
        raise InputError(f"is for the classes {raw['labels']}, the network has {list(labels)}", path, _RETUNE)
    recorded = raw.get("weights_sha256")
    if weights is not None and recorded is not None and recorded != weights_sha256(weights):
        raise InputError(f"was tuned for other weights than {Path(weights).name}", path, _RETUNE)
    keys = ("labels", "decision", "mask", "mask_mode", "tuned_on", "weights_sha256")
    try:
        walk = Walk.from_dict(raw["walk"]) if raw.get("walk") else None
    except ValueError as error:
        raise InputError(str(error), f"{path}: walk", _RETUNE) from error
    return Thresholds(**{key: raw[key] for key in keys if key in raw}, walk=walk, source=Path(path).name)


def relative_mask(recorded: Mapping[str, Any], labels: Sequence[str]) -> dict[str, list[float]]:
    """What mask thresholds say about a localiser's heatmaps, as part of an item.

    Args:
        recorded: as :meth:`Thresholds.as_dict` and findings.json have them; may be empty.
        labels: class names, in order.

    Returns:
        "mask_threshold": shares of a heatmap's maximum in (0, 1), one a class. Empty where they are not such, are not
        all there, or were not tuned and so say nothing about the heatmaps.
    """
    if recorded.get("mask_mode") != "relative" or recorded.get("tuned_on") is None:
        return {}
    known = recorded.get("mask") or {}
    return {"mask_threshold": [float(known[name]) for name in labels]} if set(labels) <= set(known) else {}
