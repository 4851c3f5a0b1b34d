"""The localisation experiment from data to result file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from monai.bundle import ConfigParser
from monai.data import Dataset

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import Predictions, data_sha256, predict, provenance, write_json
from cxr_common.labels import LABELS
from cxr_common.networks import load_weights, weights_sha256
from tools.results.data import make_nih, make_phantoms, mix
from tools.results.runs import Run, train_all
from tools.results.score import PHANTOM_SKIP, score, score_opacity

REPOSITORY = Path(__file__).resolve().parents[2]
#: Patients among whom NIH's No Finding rows lie; figures within them are free of the acquisition era.
ERA = (1280, 3970)


def run_experiment(
    experiment: Path,
    work: Path,
    shared: Path,
    output: Path,
    parallel: int = 2,
    train_only: bool = False,
    ship: bool = False,
) -> None:
    """Make data, train every method with every seed, score them and write ``output/<experiment>.json``.

    Args:
        experiment: YAML file as ``localization.yaml`` beside this module.
        work: folder for data and runs; what is there and fits is used again.
        shared: folder of the real radiographs; where it is absent, training and scoring go without.
        output: folder of the result file.
        parallel: trainings at a time.
        train_only: stop before anything is scored.
        ship: copy weights and thresholds of the bundle's own method, first seed, into the bundle.

    Raises:
        InputError: when the test phantoms are not those the experiment was fixed with.
    """
    settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    bundle = REPOSITORY / settings["bundle"]
    configs = [bundle / "configs" / name for name in settings["configs"]]
    work = work.resolve()
    phantoms = make_phantoms(settings["phantoms"], work / "phantoms")
    real = make_nih(settings["nih"], shared.resolve(), work) if shared.is_dir() else None
    sources = [(phantoms, phantoms.parent)] + ([(real["develop"], shared.resolve())] if real else [])
    training = mix(sources, work / "training.json")
    data_hash = data_sha256(load_datalist(training, "training"))
    runs = [
        Run(name, seed, method["overrides"], work / "runs" / f"{name}-seed{seed}")
        for seed in settings["seeds"]
        for name, method in settings["methods"].items()
    ]
    train_all(runs, parallel, bundle=bundle, configs=configs, datalist=training, data_hash=data_hash)
    if train_only:
        return
    if settings["phantoms"]["test_sha256"] is None:
        raise InputError("has no test_sha256", experiment, "fix the test phantoms before anything is scored")
    record: dict[str, Any] = {
        "experiment": experiment.stem,
        "recipe": settings,
        "trained_on": {"sha256": data_hash, "with_nih": real is not None, **_counts(training)},
        "weights_sha256": {f"{r.method}-seed{r.seed}": weights_sha256(r.weights) for r in runs},
        "training_minutes": {f"{r.method}-seed{r.seed}": r.minutes() for r in runs},
        "training_machine": f"{os.cpu_count()} CPU cores, {parallel} trainings at a time",
        **provenance(),
    }
    predictions = _predict_all(runs, configs, load_datalist(phantoms, "testing"), work / "predictions" / "phantoms")
    record["phantoms"] = score(predictions, settings["baseline"], PHANTOM_SKIP)
    record["phantoms"]["data_sha256"] = data_sha256(next(iter(predictions.values()))[0].items)
    if real:
        items = load_datalist(real["score"], "testing", shared.resolve())
        predictions = _predict_all(runs, configs, items, work / "predictions" / "nih")
        record["nih"] = _score_nih(predictions, settings["baseline"], items)
    write_json(record, output / f"{experiment.stem}.json")
    if ship:
        source = next(r.folder for r in runs if r.method == settings["ships"])
        for name in ("model.pt", "thresholds.json"):
            shutil.copyfile(source / name, bundle / "models" / name)


def _counts(datalist: Path) -> dict[str, int]:
    return {
        f"{section}_{source}": sum(i.get("source") == source for i in load_datalist(datalist, section))
        for section in ("training", "validation")
        for source in ("phantom", "nih")
    }


def _predict_all(
    runs: list[Run], configs: list[Path], items: list[dict[str, Any]], cache: Path
) -> dict[str, list[Predictions]]:
    """Predictions of every run on some items, kept in ``cache`` under the hashes of weights and data."""
    cache.mkdir(parents=True, exist_ok=True)
    data = data_sha256(items)
    out: dict[str, list[Predictions]] = {}
    for run in runs:
        path = cache / f"{run.method}-seed{run.seed}-{weights_sha256(run.weights)[:12]}-{data[:12]}.npz"
        if not path.exists():
            parser = ConfigParser()
            parser.read_config([*configs, run.folder / "overrides.yaml"])
            parser["labels"] = list(LABELS)
            network = parser.get_parsed_content("network_def")
            load_weights(network, run.weights)
            dataset = Dataset(items, parser.get_parsed_content("validate#preprocessing"))
            predict(network, dataset, list(LABELS), torch.device("cpu")).save(path)
        out.setdefault(run.method, []).append(Predictions.load(path))
    return out


def _score_nih(predictions: dict[str, list[Predictions]], baseline: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Opacity on Pneumonia and No Finding rows: overall, within one era, per view; and points on official boxes."""
    number = np.array([int(i["patient_number"]) for i in items])
    view = np.array([i.get("view", "") for i in items])
    era = (number >= ERA[0]) & (number <= ERA[1])
    subsets = {"all": np.ones(len(items), bool), "era": era, "PA": view == "PA", "AP": view == "AP"}
    boxed = np.array([bool(i.get("boxes")) for i in items])
    on_boxes = {name: [p.subset(boxed) for p in seeds] for name, seeds in predictions.items()}
    return {
        "data_sha256": data_sha256(items),
        "n_images": len(items),
        "opacity": {name: score_opacity(predictions, baseline, keep) for name, keep in subsets.items()},
        "boxes": score(on_boxes, baseline),
    }
