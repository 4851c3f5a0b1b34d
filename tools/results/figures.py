"""Methods compared on the same images: intervals by patient, paired differences, and claims about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from cxr_common.errors import InputError
from cxr_common.metrics import bootstrap_ci, paired_difference, paired_miss_reduction
from cxr_common.metrics.bootstrap import IntervalValues, Statistic
from tools.results.record import ClaimRecord, FigureRecord, SetRecord

After = TypeVar("After")
#: What points by themselves come to; listed beside the methods and compared with none.
CHANCE = ("random pixel", "centre pixel")


class Measured(Protocol):
    """What one network did on a set of images."""

    def statistic(self, figure: str, of: str) -> Statistic:
        """A figure of one class, or of an average over classes, as a function of image weights."""


def mapped(methods: Mapping[str, Mapping[int, Any]], change: Callable[..., After]) -> dict[str, dict[int, After]]:
    """Method -> seed -> what is there now, each changed."""
    return {name: {seed: change(one) for seed, one in seeds.items()} for name, seeds in methods.items()}


def first(methods: Mapping[str, Mapping[int, After]]) -> After:
    """The first seed of the first method; the images are the same in all."""
    return next(iter(next(iter(methods.values())).values()))


@dataclass(frozen=True)
class Figure:
    """One figure of one class, subset or average, of every method.

    Attributes:
        name: "auroc", say.
        of: the class, the subset, or the average over classes.
        methods: method -> seed -> the figure itself, as a function of image weights.
        compared: whether methods are compared with the baseline.
        misses: whether misses that the baseline has and a method avoids are counted too; of rates.
        by_seed: whether each seed's own value is given, to show how far apart they lie.
        patients: of each image, where it is of other images than its test set.
    """

    name: str
    of: str
    methods: Mapping[str, Mapping[int, Statistic]]
    compared: bool = True
    misses: bool = False
    by_seed: bool = False
    patients: Sequence[str] | None = None

    @classmethod
    def measured(cls, methods: Mapping[str, Mapping[int, Measured]], name: str, of: str, **how: Any) -> Figure:
        """A figure that what was measured knows by its name; `how` are the fields that say how it is shown."""
        return cls(name, of, mapped(methods, lambda one: one.statistic(name, of)), **how)


@dataclass(frozen=True)
class ScoredSet:
    """Figures of the same images.

    Attributes:
        name: of the test set.
        patients: of each image, what the bootstrap draws.
        figures: the first one, and of a name the first one, is what a claim means that names none.
        baseline: what every method is compared with; None for no comparison.
        counts: see :class:`~tools.results.record.SetRecord`.
        n_images: number of images that are scored, where some of those of `patients` are not.
    """

    name: str
    patients: Sequence[str]
    figures: list[Figure]
    baseline: str | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    n_images: int | None = None

    def find(self, name: str | None, of: str | None) -> Figure:
        """The first figure of a name, and of a class.

        Raises:
            InputError: there is none.
        """
        for figure in self.figures:
            if name in (None, figure.name) and of in (None, figure.of):
                return figure
        raise InputError(f"there is no figure {name!r} of {of!r}", f"claims about {self.name}", "see the other claims")

    def record(self) -> SetRecord:
        """All that is said of them."""
        figures: dict[str, dict[str, FigureRecord]] = {}
        for figure in self.figures:
            of_name = figures.setdefault(figure.name, {})
            of_name[figure.of] = compare(figure, figure.patients or self.patients, self.baseline)
        images, patients = len(self.patients) if self.n_images is None else self.n_images, len(set(self.patients))
        return SetRecord(n_images=images, n_patients=patients, counts=dict(self.counts), figures=figures)


def compare(figure: Figure, patients: Sequence[str], baseline: str | None = None) -> FigureRecord:
    """Every method's interval, and where it is wanted and the baseline is there, what each adds to it."""
    own = {name: [*seeds.values()] for name, seeds in figure.methods.items()}
    base = own.get(baseline or "") if figure.compared else None
    others = {name: seeds for name, seeds in own.items() if base and name not in (baseline, *CHANCE)}

    def against(measure: Any) -> dict[str, IntervalValues]:
        return {name: measure(seeds, base, patients).to_dict() for name, seeds in others.items()}

    def alone(seeds: list[Statistic]) -> list[float | None]:
        return [bootstrap_ci(one, patients, n_resamples=1).to_dict()["value"] for one in seeds]

    return FigureRecord(
        methods={name: bootstrap_ci(seeds, patients).to_dict() for name, seeds in own.items()},
        difference=against(paired_difference),
        fewer_misses=against(paired_miss_reduction) if figure.misses else {},
        by_seed={name: alone(seeds) for name, seeds in own.items() if name not in CHANCE} if figure.by_seed else {},
    )


def check_claims(claims: Sequence[Mapping[str, Any]], tests: Sequence[ScoredSet]) -> Iterator[ClaimRecord]:
    """Test every claim as a paired difference, first less second, on the seeds that both its methods were trained with.

    Args:
        claims: each with "first" and "second"; "test", "figure" and "class" where they are not the first ones; and
            where it says that the first is no worse rather than better, "margin": what still counts as no worse.
        tests: what was measured.
    """
    for claim in claims:
        test = next((one for one in tests if claim.get("test", one.name) == one.name), None)
        if test is None:  # of a method that is not trained
            yield ClaimRecord(**{"figure": "", **claim, "verdict": "not measured"})
            continue
        figure = test.find(claim.get("figure"), claim.get("class"))
        first, second = (figure.methods.get(claim[key], {}) for key in ("first", "second"))
        seeds, difference = sorted(first.keys() & second.keys()), None
        if seeds:
            pairs = [first[s] for s in seeds], [second[s] for s in seeds]
            difference = paired_difference(*pairs, figure.patients or test.patients).to_dict()
        found = {"test": test.name, "figure": figure.name, "difference": difference}
        yield ClaimRecord(**{**claim, **found, "verdict": verdict(difference, claim.get("margin", 0.0))})


def verdict(
    difference: IntervalValues | None, margin: float = 0.0
) -> Literal["holds", "fails", "undecided", "not measured"]:
    """What an interval says about the claim that a difference lies above -`margin`.

    Returns:
        "holds" where all of it does, "fails" where nothing of it does, else "undecided"; "not measured" without one.
    """
    if difference is None or difference["low"] is None or difference["high"] is None:
        return "not measured"
    if difference["high"] < -margin:
        return "fails"
    return "holds" if difference["low"] > -margin else "undecided"
