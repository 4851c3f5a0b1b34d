"""What a set of phantoms looks like: size, prevalence of findings, difficulty."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from cxr_common.errors import InputError

#: Changes whenever the same seed and index would give other pixels.
GENERATOR_VERSION = 1

#: Findings that are simulated; Opacity is the umbrella over Consolidation.
FINDINGS: tuple[str, ...] = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Effusion",
    "Mass",
    "Nodule",
    "Pneumothorax",
)


@dataclass(frozen=True)
class PhantomConfig:
    """Settings of the generator.

    Args:
        size: rows and columns of the picture.
        no_finding: part of the images without any finding.
        prevalence: finding -> relative frequency among the others.
        max_findings: most findings in one image.
        contrast: factor on what a finding adds to the attenuation; 1 is the default difficulty, less is harder.
        scale: factor on the extent of nodules, masses, consolidations and atelectasis.

    Raises:
        InputError: when a value is out of range or a finding is not known.
    """

    size: int = 256
    no_finding: float = 0.35
    prevalence: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(FINDINGS, 1.0))
    max_findings: int = 3
    contrast: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        self._check_types()
        unknown = sorted(set(self.prevalence) - set(FINDINGS))
        checks = (
            (64 <= self.size <= 4096, "size", "from 64 to 4096"),
            (0 <= self.no_finding <= 1, "no_finding", "from 0 to 1"),
            (not unknown, "prevalence", f"of {', '.join(FINDINGS)}, not {', '.join(unknown)}"),
            (all(v >= 0 for v in self.prevalence.values()), "prevalence", "not negative"),
            (self.no_finding == 1 or sum(self.prevalence.values()) > 0, "prevalence", "positive for some finding"),
            (1 <= self.max_findings <= len(FINDINGS), "max_findings", f"from 1 to {len(FINDINGS)}"),
            (0 < self.contrast <= 5, "contrast", "above 0, at most 5"),
            (0 < self.scale <= 3, "scale", "above 0, at most 3"),
        )
        for good, name, rule in checks:
            if not good:
                raise InputError(f"is {getattr(self, name)!r}", f"phantom config: {name}", f"must be {rule}")

    def _check_types(self) -> None:
        if not isinstance(self.prevalence, Mapping):
            raise InputError(f"is {self.prevalence!r}", "phantom config: prevalence", "give an object of findings")
        numbers = {f"prevalence of {name}": value for name, value in self.prevalence.items()}
        numbers |= {f.name: getattr(self, f.name) for f in fields(self) if f.name != "prevalence"}
        for name, value in numbers.items():
            kind, word = (int, "a whole number") if name in ("size", "max_findings") else ((int, float), "a number")
            if isinstance(value, bool) or not isinstance(value, kind):
                raise InputError(f"is {value!r}", f"phantom config: {name}", f"must be {word}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "prevalence": dict(self.prevalence)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhantomConfig:
        """Settings from plain values; what is absent keeps its default.

        Raises:
            InputError: when a setting is not known or out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f"unknown settings {', '.join(unknown)}", "phantom config", f"known: {', '.join(sorted(known))}"
            )
        return cls(**values)

    def sha256(self) -> str:
        """Hash of settings and generator version."""
        text = json.dumps({"version": GENERATOR_VERSION, **self.to_dict()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
