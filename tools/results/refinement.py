"""The refinement experiment: masks of thresholded heatmaps, of a CRF, and of a walk with and without boundaries."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist_io import read_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.networks import weights_sha256
from tools.repository import BUNDLES
from tools.results.data import make_nih, make_phantoms, mix
from tools.results.options import Options
from tools.results.runs import Run, chosen, seed_runs, ship, shipped, train_all, trained
from tools.results.settings import load_experiment

Settings = dict[str, Any]
#: Sections of the localisation experiment whose data this one shares.
DATA = ("phantoms", "nih")


def make_data(settings: Settings, work: Path, shared: Path) -> tuple[Path, Path]:
    """Datalists of the experiment: what is trained and tuned on, and the test phantoms.

    Returns:
        ``work/refinement.json`` (paths relative to `work`) and the phantoms' own datalist.
    """
    phantoms, *_ = make_phantoms(settings["phantoms"], work / "phantoms")
    sources = [(phantoms, phantoms.parent)]
    if shared.is_dir():
        sources.append((make_nih(settings["nih"], shared, work)["develop"], shared))
    data = read_datalist(mix(sources, work / "refinement.json"))
    for section in ("training", "validation"):
        drawn = [item for item in data[section] if item["source"] == "phantom"][: settings[section]]
        data[section] = drawn + [item for item in data[section] if item["source"] != "phantom"]
    write_datalist(data, work / "refinement.json")
    return work / "refinement.json", phantoms


def plan(settings: Settings, work: Path) -> dict[str, list[Run]]:
    """The trainings of every localiser's relation network whose localiser has weights, a seed each."""
    return {
        name: seed_runs(f"irn_{name}", settings, {"localizer": _bundle(localizer)}, localizer["seeds"], work)
        for name, localizer in settings["localizers"].items()
        if localizer_weights(localizer).exists()
    }


def _bundle(localizer: Settings) -> str:
    return f"$@bundle_root + '/../{localizer['bundle']}'"


def localizer_weights(localizer: Settings) -> Path:
    """Weights of a localiser's bundle."""
    return BUNDLES / localizer["bundle"] / "models" / "model.pt"


def inputs_hash(settings: Settings, name: str, datalist: Path) -> str:
    """Hash of what a relation network learns from: images, labels, the localiser and the backbone."""
    backbone = BUNDLES / "cxr_gradcam_classification" / "models" / "phantoms" / "model.pt"
    weights = [weights_sha256(path) for path in (localizer_weights(settings["localizers"][name]), backbone)]
    sections = [data_sha256(load_datalist(datalist, section)) for section in ("training", "validation")]
    return hashlib.sha256(json.dumps([*weights, *sections]).encode()).hexdigest()


def run_refinement(options: Options) -> None:
    """Train a relation network on every localiser's heatmaps, score, and write ``refinement.json``.

    Raises:
        InputError: `only` names no such localiser, or nothing is trained.
    """
    settings = load_experiment(options.experiment, options.quick, DATA)
    datalist, phantoms = make_data(settings, options.work, options.shared)
    runs = plan(settings, options.work)
    hashes = {name: inputs_hash(settings, name, datalist) for name in runs}
    if options.train:
        wanted = chosen(list(runs), options.only, options.experiment)
        train_all([(run, datalist, hashes[n]) for n in wanted for run in runs[n]], options.parallel)
    if not options.score:
        return
    from tools.results.refinement_score import score_refinement

    done = trained(runs, hashes)
    # The shipped network need not be trained again to be scored.
    for name, localizer in settings["localizers"].items():
        if localizer.get("ships") and name in runs and name not in done and not options.quick:
            done |= {name: seeds} if (seeds := shipped(runs[name][0])) else {}
    if not done:
        raise InputError("nothing is trained yet", options.work, "run without --trained-only")
    done = {name: done[name] for name in runs if name in done}
    score_refinement(settings, done, datalist, phantoms, options.shared, options.output)
    if options.ship:
        ship(trained(runs, hashes), settings["localizers"])
