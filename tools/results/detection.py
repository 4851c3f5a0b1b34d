"""The detection experiment: few boxes, what labels and unlabelled images add, term by term, and boxes on all images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import Dataset

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.detection import DetectorPredictions, detect
from cxr_common.detection.omni_sampler import SUPERVISION
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.labels import LABELS
from cxr_common.metrics import (
    FROC_RATES,
    IOU_LEVELS,
    Detections,
    auroc,
    average_precisions,
    bootstrap_ci,
    box_image_scores,
    coco_hits,
    froc_sensitivity,
    lesion_hits,
    macro_average,
    paired_difference,
    per_class,
)
from cxr_common.metrics.ranked_boxes import RankedHits, of_known_classes
from cxr_common.networks import weights_sha256
from tools.results.claims import check_claims
from tools.results.data import make_phantoms
from tools.results.options import Options
from tools.results.record import write_once
from tools.results.runs import Run, chosen, finished, minutes, seed_runs, ship, train_all, training_hash
from tools.results.score import PHANTOM_SKIP
from tools.results.settings import load_experiment

Settings = dict[str, Any]
Statistic = Callable[[Any], Any]
MAIN = "AP40"
#: Keys of an item that no detector reads.
UNREAD = ("heatmap", "mask")
#: Kind of annotation -> what an item keeps.
KEYS: dict[str, tuple[str, ...]] = {"boxes": ("boxes", "box_labels", "label"), "label": ("label",), "unlabelled": ()}
#: Kind of annotation -> the config entry with its images in a batch.
PLACES = {"boxes": "boxes_per_batch", "label": "labels_per_batch", "unlabelled": "unlabelled_per_batch"}


def with_curves(settings: Settings) -> dict[str, Settings]:
    """The methods, and one more for each point of a curve: the method it is of, with other numbers of images."""
    curves, methods = settings["curves"], dict(settings["methods"])
    for kind, counts in curves["images"].items():
        for count in counts:
            point = {**methods[curves["of"]], "images": {kind: count}, "seeds": curves["seeds"], "ships": False}
            if count == 0:  # else its places in a batch would go to the other kinds
                point["overrides"] = {**point["overrides"], PLACES[kind]: 0}
            methods[f"{curves['of']}_{kind}_{count}"] = point
    return methods


def make_annotations(settings: Settings, phantoms: Path, folder: Path) -> dict[str, Path]:
    """A datalist for each method, which differ in what is annotated.

    The training images are shuffled once and cut into a pool for each kind of annotation, as large as any method needs;
    a method takes the first of each pool. So what one method has fewer of is part of what another has.

    Args:
        settings: of the experiment.
        phantoms: the phantoms' datalist.
        folder: for the datalists; paths in them are relative to it.

    Raises:
        InputError: there are fewer phantoms.
    """
    folder.mkdir(parents=True, exist_ok=True)
    methods = with_curves(settings)
    counts = {name: {**settings["images"], **method.get("images", {})} for name, method in methods.items()}
    sizes = [max(count[kind] for count in counts.values()) for kind in SUPERVISION]
    training = load_datalist(phantoms, "training")
    if sum(sizes) > len(training):
        raise InputError(f"{sum(sizes)} training images are wanted, there are {len(training)}", phantoms)
    order = np.random.default_rng(0).permutation(len(training))
    pools = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
    validation = [
        relative_item(item, folder, UNREAD) for item in load_datalist(phantoms, "validation")[: settings["validation"]]
    ]
    out = {}
    for name, method in methods.items():
        items = []
        for kind, pool in zip(SUPERVISION, pools, strict=True):
            known = KEYS["boxes" if method.get("fully") else kind]
            for index in pool[: counts[name][kind]]:
                item = relative_item(training[index], folder, UNREAD)
                items.append({key: item[key] for key in ("image", "patient", *known) if key in item})
        out[name] = folder / f"{name}.json"
        write_datalist({"labels": list(LABELS), "training": items, "validation": validation}, out[name])
    return out


def plan(settings: Settings, work: Path) -> dict[str, list[Run]]:
    """The trainings of every method, a seed each."""
    return {
        name: seed_runs(f"detect_{name}", settings, method["overrides"], method["seeds"], work)
        for name, method in with_curves(settings).items()
    }


def run_detection(options: Options) -> None:
    """Train every method, score, and write ``detection.json``; everything is synthetic.

    Curves have a result file of their own, :mod:`tools.results.detection_curves`, so that a point can be added without
    the other methods' weights.

    Raises:
        InputError: `only` names no such method, or nothing is trained.
    """
    from tools.results.detection_curves import points_of, score_curves

    settings = load_experiment(options.experiment, options.quick)
    phantoms, *_ = make_phantoms(settings["phantoms"], options.work / "phantoms")
    datalists = make_annotations(settings, phantoms, options.work / "detection")
    hashes = {name: training_hash(path) for name, path in datalists.items()}
    runs = plan(settings, options.work)
    if options.train:
        wanted = chosen(list(runs), options.only, options.experiment)
        train_all([(run, datalists[n], hashes[n]) for n in wanted for run in runs[n]], options.parallel)
    if not options.score:
        return
    trained = finished(runs, hashes, options.work)
    tests = load_datalist(phantoms, "testing")
    score_curves(settings, runs, {n: s for n, s in trained.items() if n in points_of(settings)}, hashes, tests, options)
    done = {name: seeds for name, seeds in trained.items() if name in settings["methods"]}
    if not done:
        return
    inputs: Settings = {
        "experiment": "detection",
        "quick": options.quick,
        "recipe": settings,
        "trained_on": {name: hashes[name] for name in settings["methods"]},
        "weights_sha256": {run.name: weights_sha256(run.weights) for seeds in done.values() for run in seeds},
        "missing": [name for name in settings["methods"] if name not in done],
        "test_sha256": data_sha256(tests),
    }

    def score() -> Settings:
        found = {name: [predictions(run, tests) for run in seeds] for name, seeds in done.items()}
        return {"training_minutes": minutes(done), **_report(settings, found)}

    write_once(inputs, options.output / "detection.json", score)
    if options.ship:
        ship(done, settings["methods"])


def predictions(run: Run, tests: list[Settings]) -> DetectorPredictions:
    """What the network of a run detects on the test images."""
    config = run.config()
    dataset = Dataset(tests, config.get_parsed_content("validate#preprocessing"))
    return detect(run.network(), dataset, list(LABELS), config.get_parsed_content("validate#inferer"))


def scored(found: DetectorPredictions) -> tuple[list[Detections], list[Any], list[Any]]:
    """Detections, true boxes and their classes, without the class that doubles another on phantoms."""
    kept = np.array([name != PHANTOM_SKIP for name in LABELS])
    return of_known_classes(found.detections, *found.truth(), np.tile(kept, (len(found.items), 1)))


def statistics(found: DetectorPredictions) -> dict[str, Statistic]:
    """Figure -> statistic of image weights: AP40, AP over all levels, mean sensitivity of FROC, image-level AUROC."""
    detected, boxes, classes = scored(found)
    hits = coco_hits(detected, boxes, classes, len(LABELS))
    lesions = lesion_hits(detected, boxes, classes, rule="iou", iou=0.4)
    scores = box_image_scores(detected, len(LABELS))
    label = np.where(np.array(LABELS) == PHANTOM_SKIP, np.nan, found.label)
    return {
        MAIN: lambda w: macro_average(average_precisions(hits, w)[..., IOU_LEVELS.index(0.4), :]),
        "AP": lambda w: macro_average(average_precisions(hits, w).mean(-2)),
        "FROC": lambda w: froc_sensitivity(lesions, FROC_RATES, w).mean(-1),
        "AUROC": lambda w: macro_average(per_class(auroc, scores, label, w)),
    }


def _report(settings: Settings, found: dict[str, list[DetectorPredictions]]) -> Settings:
    """Figures of every method, AP40 class by class, differences to the baseline, curves and the paper's claims."""
    first = next(iter(found.values()))[0]
    patients = first.patients
    made = {name: [statistics(one) for one in seeds] for name, seeds in found.items()}

    def compare(own: dict[str, list[Statistic]]) -> Settings:
        values = {name: bootstrap_ci(seeds, patients).to_dict() for name, seeds in own.items()}
        base = settings["baseline"]
        others = [name for name in own if name != base and base in own]
        return {"values": values, "difference": {name: _difference(own[name], own[base], patients) for name in others}}

    matched = {
        name: [coco_hits(*scored(one), num_classes=len(LABELS))[IOU_LEVELS.index(0.4)] for one in seeds]
        for name, seeds in found.items()
    }

    def precision(hits: RankedHits) -> Statistic:
        return lambda w: average_precisions([[hits]], w)[..., 0, 0]

    def of_class(c: int) -> dict[str, list[Statistic]]:
        return {name: [precision(level[c]) for level in seeds] for name, seeds in matched.items()}

    boxed = np.bincount([c for names in scored(first)[2] for c in names or ()], minlength=len(LABELS))
    main = {name: [seed[MAIN] for seed in seeds] for name, seeds in made.items()}
    return {
        "n_images": len(patients),
        "n_patients": len(set(patients)),
        "boxes": {name: int(n) for name, n in zip(LABELS, boxed, strict=True) if n},
        "figures": {
            name: compare({method: [seed[name] for seed in seeds] for method, seeds in made.items()})
            for name in next(iter(made.values()))[0]
        },
        "per_class": {name: compare(of_class(c)) for c, name in enumerate(LABELS) if boxed[c]},
        # Runs are in the order of their seeds.
        "claims": check_claims(settings["claims"], lambda m, _: dict(enumerate(main.get(m, []))), patients),
    }


def _difference(first: list[Statistic], second: list[Statistic], patients: list[str]) -> Settings:
    seeds = min(len(first), len(second))
    return paired_difference(first[:seeds], second[:seeds], patients).to_dict()
