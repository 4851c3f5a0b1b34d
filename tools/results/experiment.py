"""The frame of every experiment: plan, train, keep, score, test claims, write, ship. A part supplies what differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.networks import weights_sha256
from tools.results.data import Items
from tools.results.figures import ScoredSet, check_claims, mapped
from tools.results.plan import Runs, by_method, chosen, plan_runs, ship
from tools.results.record import Figures, Inputs, write_once
from tools.results.settings import Options, Settings, load_settings
from tools.trainings import Run, train_all, training_hash


@dataclass(frozen=True)
class Data:
    """What an experiment learns from and is scored on.

    Attributes:
        datalists: method -> what it learns from; "training" stands for all that are not named.
        tests: test set -> datalist items with absolute paths.
        masks: whether masks are learned from and scored, so that hashes are of them too.
        images: counts for the result file.
        hashes: of what is in the datalists, by the same names; default :func:`~tools.trainings.training_hash`.
        trained_on: hashes for the result file, where they are not those above.
        weights: hashes of other networks that are looked at.
    """

    datalists: Mapping[str, Path]
    tests: Mapping[str, Items]
    masks: bool = False
    images: Mapping[str, int] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    trained_on: Mapping[str, str] | None = None
    weights: Mapping[str, str] = field(default_factory=dict)


class Experiment(ABC):
    """Methods trained with one or more seeds each, and scored on the same test sets.

    Args:
        options: the command line.

    Raises:
        InputError: what it learns from is not there.
    """

    #: Sections of the experiment that "data" names, whose data this one shares.
    shares: ClassVar[Sequence[str]] = ("phantoms",)
    #: Of the names of runs; and the folder below the work folder for them.
    prefix: ClassVar[str] = ""
    home: ClassVar[str] = ""
    #: Folder below a bundle for weights that ship.
    into: ClassVar[str] = "models"
    #: Folder of the real radiographs in ../shared.
    radiographs: ClassVar[str] = "cxr"
    #: Why it cannot do without real radiographs, if so.
    needs: ClassVar[str | None] = None

    def __init__(self, options: Options) -> None:
        self.options, self.work = options, options.work
        self.settings = load_settings(options.experiment, options.quick, self.shares)
        if self.needs and not options.shared.is_dir():
            raise InputError("the real radiographs are not there", options.shared, self.needs)
        self.methods = self.plan_methods()
        self.runs = plan_runs(self.settings, self.work / self.home, self.methods, self.prefix)
        self.data = data = self.make_data()
        self.hashes = data.hashes or {name: training_hash(path, data.masks) for name, path in data.datalists.items()}
        self.test_sha256 = {name: data_sha256(items, data.masks) for name, items in data.tests.items()}

    # What a part supplies.

    @abstractmethod
    def make_data(self) -> Data:
        """Make what is learned from and the test sets; what is there and fits is used again."""

    @abstractmethod
    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Figures of the runs that are done (a claim without a test set means the first), and notes beside them."""

    def plan_methods(self) -> Settings:
        """Method -> its settings."""
        methods: Settings = self.settings.get("methods", {})
        return methods

    def files(self) -> dict[str, Sequence[str]]:
        """Result files, and the methods in each; the first has the claims."""
        return {self.options.experiment.stem: list(self.methods)}

    def before_training(self) -> None:  # noqa: B027
        """Make what is learned from, where that takes long and nothing else needs it."""

    def is_known(self, run: Run) -> bool:
        """Whether all that is shown of a run is kept, so that it need not be trained."""
        return False

    def about(self, run: Run) -> Settings:
        """Hash of a run's weights; minutes and machine of its training, as far as they are known."""
        known: Settings = {"weights_sha256": weights_sha256(run.weights)}
        if (run.folder / "run.json").exists():
            known |= {"minutes": run.minutes(), "machine": run.machine()}
        return known

    def missing(self, names: Sequence[str], done: Runs) -> list[str]:
        """What the result file says is planned and not trained."""
        return [name for name in names if name not in done]

    def draw(self, file: str, record: Settings) -> None:  # noqa: B027
        """Draw what is shown of a result file, if anything is."""

    # What is the same for all.

    def run(self) -> None:
        """Do what the options say.

        Raises:
            InputError: `only` names no such method or run, a training failed, or nothing is trained.
        """
        if self.options.train:
            wanted = chosen(self.runs, self.prefix, self.options.only, self.options.experiment)
            if jobs := [(run, *self.source(run)) for run in wanted if not self.is_known(run)]:
                self.before_training()
            train_all(jobs, self.options.parallel)
        if not self.options.score:
            return
        trained, written = self.trained(known=True), False
        for file, names in self.files().items():
            done = {name: trained[name] for name in names if name in trained}
            if done or not names:
                self.write(file, names, done)
                written = True
        if not written:
            raise InputError("nothing is trained yet", self.work, "run without --trained-only")
        if self.options.ship:
            ship(mapped(self.trained(), Run.best_cycle), self.methods, self.into)

    def trained(self, known: bool = False) -> Runs:
        """Runs that were trained to the end; with `known`, also those that need not be."""
        done = [run for run in self.runs if run.is_done(self.source(run)[1]) or (known and self.is_known(run))]
        return by_method(done, self.prefix)

    def source(self, run: Run) -> tuple[Path, str]:
        """What a run learns from, and the hash of what is in it."""
        name = run.method.removeprefix(self.prefix)
        key = name if name in self.data.datalists else "training"
        return self.data.datalists[key], self.hashes[key]

    def write(self, file: str, names: Sequence[str], done: Runs) -> None:
        """Write a result file, unless it is of the same inputs, and draw it."""
        data, listed = self.data, [run for seeds in done.values() for run in seeds.values()]
        about = {run.name: self.about(run) for run in sorted(listed, key=lambda run: run.seed)}
        hashes = {name: value for name, value in self.hashes.items() if name in (*names, "training")}
        inputs = Inputs(
            experiment=file,
            quick=self.options.quick,
            recipe=self.settings,
            trained_on=dict(data.trained_on or hashes),
            images=dict(data.images),
            weights_sha256={name: one["weights_sha256"] for name, one in about.items()} | dict(data.weights),
            missing=self.missing(names, done),
            test_sha256=self.test_sha256,
        )
        claims = self.settings.get("claims", []) if file == next(iter(self.files())) else []

        def figures() -> Figures:
            (tests, notes), logged = self.score(file, done), {name: a for name, a in about.items() if "minutes" in a}
            return Figures(
                training_minutes={name: one["minutes"] for name, one in logged.items()},
                training_machine="; ".join(sorted({one["machine"] for one in logged.values()})) or None,
                training_machines={name: one["machine"] for name, one in logged.items()},
                tests={test.name: test.record() for test in tests},
                claims=list(check_claims(claims, tests)),
                notes=notes,
            )

        self.draw(file, write_once(inputs, self.options.output / f"{file}.json", figures))
