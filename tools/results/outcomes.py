"""What trained networks did on the test images, kept beside the result file, so that figures need no training again.

Weights of a run take 22 MB, what it did on the test images some 50 KB. With these files a clean clone scores in minutes
what took hours to train, and one more seed or method is trained without all the others. That is, where the same data
can be made: pixels of phantoms differ in the last bit between kinds of processors, and the real images must be at
hand.
"""

from __future__ import annotations

import json
import zlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from zipfile import BadZipFile

import numpy as np

from cxr_common.errors import InputError
from cxr_common.files import replacing
from tools.moved_code import without_modules
from tools.results.experiment import Experiment
from tools.results.plan import Runs
from tools.results.settings import Settings
from tools.trainings import Run

Predictions = TypeVar("Predictions")
SomeOutcome = TypeVar("SomeOutcome", bound="Outcome")
Arrays = dict[str, np.ndarray]
#: What numpy and zipfile raise at a file that is cut off, changed or something else.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Outcome:
    """What one network did.

    Attributes:
        about: "weights_sha256" of the network; "minutes" and "machine" of its training, and what else pages say of it.
    """

    about: dict[str, Any]


class KeptExperiment(Experiment, Generic[SomeOutcome, Predictions]):
    """An experiment that scores outcomes, of networks that are trained here and of those whose outcome is kept.

    Attributes:
        measured: method -> seed -> outcome, while a result file is written.
    """

    measured: dict[str, dict[int, SomeOutcome]]

    @abstractmethod
    def predict(self, run: Run, made_with: Settings, test: str) -> Predictions:
        """What a network says of a test set, in the way that :meth:`shows` describes."""

    @abstractmethod
    def pack(self, found: Mapping[str, Predictions]) -> Arrays:
        """What is kept of the predictions for each test set; a name begins with ``<test set>/`` where it is of one."""

    @abstractmethod
    def unpack(self, about: dict[str, Any], arrays: Arrays) -> SomeOutcome:
        """What :meth:`pack` made, read again."""

    def shows(self, run: Run) -> dict[str, Settings]:
        """The methods that show a run's network -> all that each one's outcome depends on besides weights."""
        made_with = {"recipe": run.recipe(self.source(run)[1]), "test_sha256": self.test_sha256}
        return {run.method.removeprefix(self.prefix): made_with}

    def outcome_file(self, name: str) -> Path:
        """Where the outcome of a method and seed lies."""
        return self.options.output / "outcomes" / self.options.experiment.stem / f"{name}.npz"

    def load(self, name: str, made_with: Settings) -> SomeOutcome | None:
        """An outcome, if there is one of the same test images that was made in the same way."""
        kept = read_kept(self.outcome_file(name), made_with)
        return kept and self.unpack(*kept)

    def is_known(self, run: Run) -> bool:
        """Whether outcomes of all methods that show it are kept, even where its weights are gone."""
        return all(self.load(f"{name}-seed{run.seed}", key) for name, key in self.shows(run).items())

    def write(self, file: str, names: Sequence[str], done: Runs) -> None:
        """Measure what is not known, then write."""
        measured: dict[str, dict[int, SomeOutcome]] = {name: {} for name in self.methods}
        for run in (run for seeds in done.values() for run in seeds.values()):
            best = run.best_cycle() if run.is_done(self.source(run)[1]) else None
            for name, made_with in self.shows(run).items():
                measured[name][run.seed] = self.measure(f"{name}-seed{run.seed}", made_with, best)
        self.measured = {name: seeds for name, seeds in measured.items() if seeds}
        super().write(file, names, done)

    def measure(self, name: str, made_with: Settings, best: Run | None) -> SomeOutcome:
        """The outcome that is kept; a new one where there is none of these weights."""
        outcome, about = self.load(name, made_with), self.facts(best) if best else {}
        if best and (outcome is None or outcome.about["weights_sha256"] != about["weights_sha256"]):
            arrays = self.pack({test: self.predict(best, made_with, test) for test in self.data.tests})
            write_kept(self.outcome_file(name), made_with, about, arrays)
            outcome = self.load(name, made_with)
        assert outcome is not None  # of a run that is trained or known
        return outcome

    def facts(self, run: Run) -> Settings:
        """What is said of a network besides its scores."""
        return super().about(run)

    def about(self, run: Run) -> Settings:
        """The same, of a network that may be gone."""
        return self.measured[run.method.removeprefix(self.prefix)][run.seed].about

    def missing(self, names: Sequence[str], done: Runs) -> list[str]:
        """Runs that are planned and not done."""
        return [run.name for run in self.runs if run.seed not in done.get(run.method.removeprefix(self.prefix), {})]


def read_kept(path: Path, made_with: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], Arrays] | None:
    """What :func:`write_kept` wrote: what is reported, and arrays; None where it is not there or of something else.

    Args:
        path: the file.
        made_with: what it must have been made with; None: anything, which is then reported too, as "made_with".

    Raises:
        InputError: the file is damaged, or not one that :func:`write_kept` wrote.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if made_with is not None and without_modules(about.pop("made_with")) != without_modules(made_with):
                return None
            return about, {key: file[key] for key in file.files if key != "about"}
    except _UNREADABLE as error:
        reason = f"is damaged, or holds no outcome ({type(error).__name__})"
        raise InputError(reason, path, "restore it by git checkout, or delete it to train and score again") from error


def write_kept(
    path: Path, made_with: Mapping[str, Any], about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Keep arrays, what is reported of them, and what they were made with."""
    text = json.dumps({**about, "made_with": without_modules(made_with)}, sort_keys=True)
    kept: dict[str, Any] = {"about": np.array(text), **arrays}
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **kept)


def arrays_of(arrays: Mapping[str, np.ndarray], test: str) -> dict[str, np.ndarray]:
    """The arrays of one test set, by their own names."""
    return {key.removeprefix(f"{test}/"): array for key, array in arrays.items() if key.startswith(f"{test}/")}
