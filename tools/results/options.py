"""What every experiment is asked: which files, and what of it to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The command line of an experiment.

    Attributes:
        experiment: YAML file as those beside this module.
        work: folder for data and runs; what is there and fits is used again. Experiments may share one.
        shared: folder of the real radiographs; where it is absent, training and scoring go without them.
        output: folder of the result file and plots.
        parallel: trainings at a time; they share the cores.
        only: what of it to train: methods, or names of runs; None for all.
        train: train what is missing.
        score: score what is trained, unless the result file is of the same inputs.
        ship: put weights and thresholds of the methods that say so, first seed, into their bundles.
        quick: a fraction of everything, marked.
    """

    experiment: Path
    work: Path
    shared: Path
    output: Path
    parallel: int = 2
    only: Sequence[str] | None = None
    train: bool = True
    score: bool = True
    ship: bool = False
    quick: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "work", self.work.resolve())
        object.__setattr__(self, "shared", self.shared.resolve())
