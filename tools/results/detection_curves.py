"""OXnet with one kind of annotation varied at a time: the curves of the detection experiment."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cxr_common.detection import DetectorPredictions
from cxr_common.evaluation import data_sha256
from cxr_common.metrics import bootstrap_ci, paired_difference
from cxr_common.networks import weights_sha256
from tools.results.detection import MAIN, predictions, statistics, with_curves
from tools.results.options import Options
from tools.results.record import write_once
from tools.results.runs import Run, minutes, shipped

Settings = dict[str, Any]


def points_of(settings: Settings) -> set[str]:
    """Names of the curves' points, but for the one where all meet."""
    return set(with_curves(settings)) - set(settings["methods"])


def score_curves(
    settings: Settings,
    runs: dict[str, list[Run]],
    trained: dict[str, list[Run]],
    hashes: dict[str, str],
    tests: list[Settings],
    options: Options,
) -> None:
    """Score the points that are trained and write ``detection-curves.{json,png}``; nothing where none is.

    Where the curves meet are the weights of the method they are of: trained here, else those its bundle has.

    Args:
        settings: of the experiment.
        runs: all its trainings.
        trained: those of points, finished ones.
        hashes: method or point -> hash of what it is trained on.
        tests: items of the test phantoms.
        options: of the experiment.
    """
    of = settings["curves"]["of"]
    meeting = [run for run in runs[of] if run.is_done(hashes[of])] or shipped(runs[of][0])
    if not trained or not meeting:
        return
    done: dict[str, list[Run]] = {of: meeting, **trained}
    inputs: Settings = {
        "experiment": "detection-curves",
        "quick": options.quick,
        "recipe": settings,
        "trained_on": {name: hashes[name] for name in (of, *points_of(settings))},
        "weights_sha256": {name: [weights_sha256(run.weights) for run in seeds] for name, seeds in done.items()},
        "missing": sorted(points_of(settings) - set(trained)),
        "test_sha256": data_sha256(tests),
    }

    def score() -> Settings:
        found = {name: [predictions(run, tests) for run in seeds] for name, seeds in done.items()}
        return {"training_minutes": minutes(trained), **report(of, found)}

    record, new = write_once(inputs, options.output / "detection-curves.json", score)
    picture = options.output / "detection-curves.png"
    if new or not picture.exists():
        curves_figure(record).savefig(picture, dpi=110, metadata={"Software": None})


def report(of: str, found: dict[str, list[DetectorPredictions]]) -> Settings:
    """AP40 of every point, and its paired difference to where the curves meet."""
    patients = found[of][0].patients
    own = {name: [statistics(one)[MAIN] for one in seeds] for name, seeds in found.items()}
    shared = {name: min(len(seeds), len(own[of])) for name, seeds in own.items()}
    return {
        "n_images": len(patients),
        "n_patients": len(set(patients)),
        "values": {name: bootstrap_ci(seeds, patients).to_dict() for name, seeds in own.items()},
        "difference": {
            name: paired_difference(seeds[: shared[name]], own[of][: shared[name]], patients).to_dict()
            for name, seeds in own.items()
            if name != of
        },
    }


def curve_points(record: Settings) -> dict[str, list[tuple[int, str]]]:
    """Kind of annotation -> (images with it, name of the point) in rising order, of what is scored."""
    recipe, out = record["recipe"], {}
    of = recipe["curves"]["of"]
    for kind, counts in recipe["curves"]["images"].items():
        names = {count: f"{of}_{kind}_{count}" for count in counts} | {recipe["images"][kind]: of}
        out[kind] = [(count, names[count]) for count in sorted(names) if names[count] in record["values"]]
    return out


def curves_figure(record: Settings) -> Figure:
    """AP40 against the number of images with each kind of annotation, the others as they are, with 95% intervals."""
    curves = curve_points(record)
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(curves), sharey=True))
    for axes, (kind, points) in zip(panels, curves.items(), strict=True):
        intervals = [record["values"][name] for _, name in points]
        value = np.array([i["value"] for i in intervals])
        below = np.maximum(value - [i["low"] for i in intervals], 0)
        above = np.maximum([i["high"] for i in intervals] - value, 0)
        x = [count for count, _ in points]
        axes.errorbar(x, value, yerr=(below, above), color="#4477aa", marker="o", capsize=3)
        axes.set_xlabel({"boxes": "images with boxes", "label": "with a label only"}.get(kind, "with neither"))
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel(f"{MAIN}, synthetic phantoms")
    mark = "QUICK RUN, says nothing about the method. " if record["quick"] else ""
    figure.suptitle(f"{mark}95% intervals by patient (and seed) bootstrap", fontsize=9)
    return figure
