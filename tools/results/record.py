"""What a result file holds, the same for every experiment; written once for the same inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_common.json_files import Record, read_json
from cxr_common.metrics.bootstrap import IntervalValues
from tools.moved_code import without_modules


class Part(Record):
    """A part of a result file: it has these fields and no others."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class FigureRecord(Part):
    """One figure of one class, subset or average: method -> interval; differences are those from the baseline."""

    methods: dict[str, IntervalValues]
    difference: dict[str, IntervalValues] = {}
    fewer_misses: dict[str, IntervalValues] = {}
    by_seed: dict[str, list[float | None]] = {}


class SetRecord(Part):
    """A test set: what it counts by class (or present and absent by subset), and figure -> class or average."""

    n_images: int
    n_patients: int
    counts: dict[str, int | list[int]] = {}
    figures: dict[str, dict[str, FigureRecord]]


class ClaimRecord(Part):
    """A claim and what came of it."""

    paper: str = ""
    claim: str = ""
    first: str
    second: str
    test: str
    figure: str
    class_: str | None = Field(None, alias="class")
    margin: float = 0.0
    difference: IntervalValues | None = None
    verdict: Literal["holds", "fails", "undecided", "not measured"]


class Inputs(Part):
    """All that figures depend on: hashes by name mostly."""

    experiment: str
    quick: bool
    recipe: dict[str, Any]
    trained_on: dict[str, str]
    images: dict[str, int] = {}
    weights_sha256: dict[str, str]
    missing: list[str] = []
    test_sha256: dict[str, str]

    def digest(self) -> str:
        """Hash of it all; in which module a name is defined does not count."""
        plain = without_modules(self.model_dump())
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


class Figures(Part):
    """What was measured."""

    training_minutes: dict[str, float] = {}
    training_machine: str | None = None
    training_machines: dict[str, str] = {}
    tests: dict[str, SetRecord]
    claims: list[ClaimRecord] = []
    notes: dict[str, Any] = {}


class Result(Inputs, Figures):
    """A result file."""

    inputs_sha256: str
    date: str
    device: str
    python: str
    versions: dict[str, str]


def read_result(path: Path) -> dict[str, Any]:
    """The plain content of a result file, defaults filled in.

    Raises:
        InputError: it is not one.
    """
    return Result(**read_json(path, "run the experiment again", Result)).model_dump(by_alias=True)


def write_once(inputs: Inputs, target: Path, score: Callable[[], Figures]) -> dict[str, Any]:
    """Write inputs, figures and provenance into a result file, unless it has figures of the same inputs.

    Returns:
        The content of the file.
    """
    if not target.exists() or read_result(target)["inputs_sha256"] != inputs.digest():
        parts = {**dict(inputs), **dict(score()), **provenance(), "inputs_sha256": inputs.digest()}
        write_json(Result(**parts).model_dump(by_alias=True, exclude_defaults=True), target)
    return read_result(target)
