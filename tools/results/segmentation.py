"""The segmentation experiment: experts' masks, pseudo-masks, both, and all masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import Dataset

from cxr_common.data import load_datalist, read_datalist
from cxr_common.data.datalist import item_group
from cxr_common.evaluation import data_sha256, mask_tables, predict
from cxr_common.findings import load_map_thresholds
from cxr_common.labels import LABELS
from cxr_common.metrics import (
    MaskCounts,
    bootstrap_ci,
    dataset_iou,
    hit_rates,
    image_dice,
    image_iou,
    macro_average,
    paired_difference,
)
from cxr_common.networks import weights_sha256
from tools.results.claims import check_claims
from tools.results.data import make_phantoms
from tools.results.options import Options
from tools.results.record import write_once
from tools.results.runs import Run, chosen, finished, minutes, seed_runs, ship, train_all, training_hash
from tools.results.score import PHANTOM_SKIP
from tools.results.segmentation_masks import make_masks, refiner, step_counts
from tools.results.settings import load_experiment

Settings = dict[str, Any]


def mean_of(hits: Any) -> Any:
    """The mean over findings of a table (N, C), as a statistic of image weights."""
    return lambda w: hit_rates(hits, w).micro


#: Figure -> counts -> statistic of image weights.
FIGURES: dict[str, Any] = {
    "iou of the data set": lambda counts: lambda w: macro_average(dataset_iou(counts, w)),
    "iou of images": lambda counts: mean_of(image_iou(counts)),
    "iou where present": lambda counts: mean_of(np.where(counts.true > 0, image_iou(counts), np.nan)),
    "dice where present": lambda counts: mean_of(image_dice(counts, present_only=True)),
}
#: The figure of a claim that names none.
MAIN = "iou of the data set"


def plan(settings: Settings, work: Path) -> dict[str, list[Run]]:
    """The trainings of every method, a seed each."""
    return {
        name: seed_runs(f"segment_{name}", settings, method["overrides"], method["seeds"], work)
        for name, method in settings["methods"].items()
    }


def run_segmentation(options: Options) -> None:
    """Make pseudo-masks, train every method, score, and write ``segmentation.json``.

    Raises:
        InputError: `only` names no such method, or nothing is trained.
    """
    settings = load_experiment(options.experiment, options.quick)
    phantoms, *_ = make_phantoms(settings["phantoms"], options.work / "phantoms")
    relation = refiner(options, settings)
    datalists = make_masks(settings, phantoms, options.work / "segmentation", relation)
    kinds = {name: method["masks"] for name, method in settings["methods"].items()}
    hashes = {name: training_hash(datalists[kind], masks=True) for name, kind in kinds.items()}
    runs = plan(settings, options.work)
    if options.train:
        wanted = chosen(list(runs), options.only, options.experiment)
        train_all([(run, datalists[kinds[n]], hashes[n]) for n in wanted for run in runs[n]], options.parallel)
    if not options.score:
        return
    done = finished(runs, hashes, options.work)
    tests = load_datalist(phantoms, "testing")
    inputs: Settings = {
        "experiment": "segmentation",
        "quick": options.quick,
        "recipe": settings,
        "trained_on": hashes,
        "images": {
            "training": settings["training"],
            "experts": settings["experts"],
            "validation": len(read_datalist(datalists["irn"])["validation"]),
        },
        "weights_sha256": {run.name: weights_sha256(run.weights) for seeds in done.values() for run in seeds},
        "missing": [name for name in runs if name not in done],
        "test_sha256": data_sha256(tests, masks=True),
    }

    def score() -> Settings:
        counts = {name: [_counts(run, tests) for run in seeds] for name, seeds in done.items()}
        cut = json.loads((options.work / "segmentation" / "cut.json").read_text())["thresholds"]
        counts |= {name: [found] for name, found in step_counts(relation, tests, cut).items()}
        return {
            "thresholds of heatmaps": cut,
            "training_minutes": minutes(done),
            **_report(settings, counts, [item_group(item) for item in tests]),
        }

    write_once(inputs, options.output / "segmentation.json", score)
    if options.ship:
        ship(done, settings["methods"])


def _counts(run: Run, tests: list[Settings]) -> MaskCounts:
    """Pixels of a network's masks on the test phantoms, at their own size; one class that doubles another left out."""
    dataset = Dataset(tests, run.config().get_parsed_content("score#dataset#transform"))
    thresholds = load_map_thresholds(run.folder / "thresholds.json", LABELS, run.weights)
    counts, _ = mask_tables(predict(run.network(), dataset, list(LABELS)), thresholds)["original"]
    skip = np.array([name == PHANTOM_SKIP for name in LABELS])
    return MaskCounts(*(np.where(skip, np.nan, getattr(counts, n)) for n in ("intersection", "predicted", "true")))


def _report(settings: Settings, counts: dict[str, list[MaskCounts]], patients: list[str]) -> Settings:
    """Figures of every method, class by class, differences to the baseline and the papers' claims."""

    def compare(make: Any, pick: Any = lambda c: c) -> Settings:
        own = {name: [make(pick(c)) for c in seeds] for name, seeds in counts.items()}
        values = {name: bootstrap_ci(s, patients).to_dict() for name, s in own.items()}
        base = settings["baseline"]
        more = {
            n: paired_difference(s, own[base], patients).to_dict() for n, s in own.items() if n != base and base in own
        }
        return {"values": values, "difference": more}

    def column(c: int) -> Any:
        return lambda m: MaskCounts(m.intersection[:, [c]], m.predicted[:, [c]], m.true[:, [c]])

    present = np.nansum(next(iter(counts.values()))[0].true > 0, axis=0).astype(int)

    def of_claim(method: str, claim: Settings) -> dict[int, Any]:
        """Runs are in the order of their seeds."""
        make = FIGURES[claim.get("figure", MAIN)]
        return {seed: make(c) for seed, c in enumerate(counts.get(method, []))}

    return {
        "n_images": len(patients),
        "n_patients": len(set(patients)),
        "present": {name: int(n) for name, n in zip(LABELS, present, strict=True) if n},
        "figures": {name: compare(make) for name, make in FIGURES.items()},
        "per_class": {name: compare(FIGURES[MAIN], column(c)) for c, name in enumerate(LABELS) if present[c]},
        "claims": check_claims(settings["claims"], of_claim, patients),
    }
