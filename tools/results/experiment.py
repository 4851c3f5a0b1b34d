"""The frame of every experiment: plan, train, keep, score, test claims, write, ship. A part supplies what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from cxr_common.errors import InputError
from cxr_common.networks import weights_sha256
from tools.results.figures import ScoredSet, check_claims
from tools.results.record import Figures, Inputs, write_once
from tools.results.runs import Run, plan_runs
from tools.results.settings import Options, Settings, load_settings
from tools.results.training import chosen, ship, shipped, train_all

Items = list[dict[str, Any]]
#: Method -> its runs.
Runs = Mapping[str, Sequence[Run]]


@dataclass(frozen=True)
class Data:
    """What an experiment learns from and is scored on.

    Attributes:
        datalists: method -> what it learns from; "training" stands for all that are not named.
        hashes: of what is in them, by the same names.
        tests: test set -> datalist items with absolute paths.
        test_sha256: test set -> hash of its content.
        images: counts for the result file.
        trained_on: hashes for the result file, where they are not those above.
    """

    datalists: Mapping[str, Path] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, Items] = field(default_factory=dict)
    test_sha256: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    trained_on: Mapping[str, str] | None = None


class Experiment(ABC):
    """Methods trained with one or more seeds each, and scored on the same test sets.

    Args:
        options: the command line.

    Raises:
        InputError: what it learns from is not there.
    """

    #: Sections of the experiment that "data" names, whose data this one shares.
    shares: ClassVar[Sequence[str]] = ("phantoms",)
    #: Of the names of runs.
    prefix: ClassVar[str] = ""
    #: Folder below a bundle for weights that ship.
    into: ClassVar[str] = "models"
    #: Why it cannot do without real radiographs, if so.
    needs: ClassVar[str | None] = None

    def __init__(self, options: Options) -> None:
        self.options, self.work = options, options.work
        self.settings = load_settings(options.experiment, options.quick, self.shares)
        if self.needs and not options.shared.is_dir():
            raise InputError("the real radiographs are not there", options.shared, self.needs)
        self.methods = self.plan_methods()
        self.runs = self.plan()
        self.data = self.make_data()

    # What a part supplies.

    @abstractmethod
    def make_data(self) -> Data:
        """Make what is learned from and the test sets; what is there and fits is used again."""

    @abstractmethod
    def score(self, file: str, done: Runs) -> list[ScoredSet]:
        """Figures of the runs that are done; the first test set is what a claim means that names none."""

    def plan_methods(self) -> Settings:
        """Method -> its settings."""
        methods: Settings = self.settings["methods"]
        return methods

    def plan(self) -> list[Run]:
        """All trainings."""
        return plan_runs(self.settings, self.work, self.methods, self.prefix)

    def files(self) -> dict[str, Sequence[str]]:
        """Result files, and the methods in each; the first has the claims."""
        return {self.options.experiment.stem: list(self.methods)}

    def stand_ins(self) -> Sequence[str]:
        """Methods whose shipped weights are scored where they are not trained here."""
        return ()

    def is_known(self, run: Run) -> bool:
        """Whether all that is shown of a run is kept, so that it need not be trained."""
        return False

    def weights(self, done: Runs) -> dict[str, str]:
        """Run -> hash of its weights."""
        return {run.name: weights_sha256(run.weights) for seeds in done.values() for run in seeds}

    def about(self, run: Run) -> dict[str, Any]:
        """Minutes and machine of a training, as far as they are known."""
        if not (run.folder / "run.json").exists():
            return {}
        return {"minutes": run.minutes(), "machine": run.machine()}

    def missing(self, names: Sequence[str], done: Runs) -> list[str]:
        """What the result file says is planned and not trained."""
        return [name for name in names if name not in done]

    def notes(self, file: str, done: Runs) -> Settings:
        """What the result file says besides figures."""
        return {}

    def draw(self, file: str, record: Settings, new: bool) -> None:  # noqa: B027
        """Draw what is shown of a result file, if anything is."""

    # What is the same for all.

    def run(self) -> None:
        """Do what the options say.

        Raises:
            InputError: `only` names no such method or run, a training failed, or nothing is trained.
        """
        if self.options.train:
            self.train()
        if not self.options.score:
            return
        found = self.found()
        for file, names in self.files().items():
            self.write(file, names, {name: found[name] for name in names if name in found})
        if self.options.ship:
            best = {name: [run.best_cycle() for run in seeds] for name, seeds in self.trained().items()}
            ship(best, self.methods, self.into)

    def train(self) -> None:
        """Train what is not known, of the runs that the options name."""
        names = {name: {name, run.name} for name in self.methods for run in self.of_method(name)}
        wanted = chosen(sorted(set().union(*names.values())), self.options.only, self.options.experiment)
        jobs = [
            (run, *self.source(name))
            for run in self.runs
            for name in [run.method.removeprefix(self.prefix)]
            if {name, run.name} & set(wanted) and not self.is_known(run)
        ]
        train_all(jobs, self.options.parallel)

    def found(self) -> Runs:
        """Runs to score: trained, known, or as shipped.

        Raises:
            InputError: there is none.
        """
        done: dict[str, Sequence[Run]] = dict(self.trained(known=True))
        for name in self.stand_ins():
            if name not in done and (held := [one for run in self.of_method(name)[:1] for one in shipped(run)]):
                done[name] = held
        if not done:
            raise InputError("nothing is trained yet", self.work, "run without --trained-only")
        return done

    def trained(self, known: bool = False) -> Runs:
        """Runs that were trained to the end; with `known`, also those that need not be."""
        done = {
            name: [r for r in self.of_method(name) if r.is_done(self.source(name)[1]) or (known and self.is_known(r))]
            for name in self.methods
        }
        return {name: seeds for name, seeds in done.items() if seeds}

    def of_method(self, name: str) -> list[Run]:
        """A method's runs."""
        return [run for run in self.runs if run.method == self.prefix + name]

    def source(self, name: str) -> tuple[Path, str]:
        """What a method learns from, and the hash of what is in it."""
        key = name if name in self.data.datalists else "training"
        return self.data.datalists[key], self.data.hashes[key]

    def write(self, file: str, names: Sequence[str], done: Runs) -> None:
        """Write a result file unless it is of the same inputs; nothing where nothing of it is done."""
        if names and not done:
            return
        hashes = {name: value for name, value in self.data.hashes.items() if name in (*names, "training")}
        inputs = Inputs(
            experiment=file,
            quick=self.options.quick,
            recipe=self.settings,
            trained_on=dict(self.data.trained_on or hashes),
            images=dict(self.data.images),
            weights_sha256=self.weights(done),
            missing=self.missing(names, done),
            test_sha256=dict(self.data.test_sha256),
        )
        record, new = write_once(inputs, self.options.output / f"{file}.json", lambda: self.figures(file, done))
        self.draw(file, record, new)

    def figures(self, file: str, done: Runs) -> Figures:
        """Everything that is measured for a result file."""
        tests = self.score(file, done)
        about = {run.name: found for seeds in done.values() for run in seeds if (found := self.about(run))}
        claims = self.settings.get("claims", []) if file == next(iter(self.files())) else []
        return Figures(
            training_minutes={name: one["minutes"] for name, one in about.items()},
            training_machine="; ".join(sorted({one["machine"] for one in about.values()})) or None,
            tests={test.name: test.record() for test in tests},
            claims=list(check_claims(claims, tests)),
            notes=self.notes(file, done),
        )
