"""What a localiser in 8-bit whole numbers costs in points and AUROC, and how much faster it is.

ONNX Runtime quantises the network of a bundle as it ships: weights for each channel, activations by their range on
images of NIH's validation section (:mod:`cxr_tools.export.int8`). Network and quantised network then look at the same
scored images of the experiment `nih`. Nothing was chosen on those.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from monai.data import Dataset
from torch import nn

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import predict, provenance
from cxr_common.evaluation.scored import Scored
from cxr_common.exports import OnnxFile, write_onnx
from cxr_common.files import write_json
from cxr_common.labels import LABELS
from cxr_tools.export.int8 import write_int8
from tools.bench.turns import take_turns
from tools.nih.nih import BOX_FINDINGS, BOXED, scored_images
from tools.results.data import Items, prepare
from tools.results.figures import Figure, ScoredSet, mapped
from tools.results.localizers import label_figures, relabelled
from tools.results.plan import plan_runs, shipped
from tools.results.settings import load_settings
from tools.trainings import Run

Record = dict[str, Any]
EXPERIMENT = Path(__file__).with_name("nih") / "nih.yaml"
#: Ways to run a network, the one that others are compared with first.
WAYS = ("float32", "int8")


class OnnxLocalizer(nn.Module):
    """An ONNX file of a localiser's network in its place.

    Args:
        file: logit maps of images.
        network: whose rule of pooling is used.
    """

    def __init__(self, file: OnnxFile, network: nn.Module) -> None:
        super().__init__()
        self.file, self.pool = file, network.pool

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logit maps (N, C, x, y) of images (N, 1, X, Y)."""
        return self.file(image.as_subclass(torch.Tensor).float().contiguous())[0]


def bench_int8(output: Path, shared: Path, work: Path, methods: Sequence[str], images: int, repeats: int) -> Record:
    """Measure shipped localisers; write and return the record.

    Args:
        output: JSON file to write.
        shared: NIH's images, ../shared/nih.
        work: folder for the datalist.
        methods: of the experiment `nih`, those that ship.
        images: how many calibrate.
        repeats: of the timing; medians count.

    Raises:
        InputError: the images are not there, or a method does not ship.
    """
    if not shared.is_dir():
        raise InputError("the real radiographs are not there", shared, "give --shared the folder with NIH's images")
    load = os.getloadavg()[0]
    datalist = prepare("shared_nih", shared, work / "nih14.json")
    tests = scored_images(datalist, shared)
    order = np.random.default_rng(0).permutation
    validation = load_datalist(datalist, "validation", shared)
    calibration = [validation[i] for i in order(len(validation))[:images]]
    settings = load_settings(EXPERIMENT, False, ())
    runs = {run.method: run for run in plan_runs(settings, work) if run.seed == 0 and run.method in methods}
    cases = []
    for name in methods:
        held = shipped(runs[name]) if name in runs and settings["methods"][name].get("ships") else []
        if not held:
            raise InputError(f"{name} does not ship", "--methods", f"see {EXPERIMENT}")
        cases.append(measure(held[0], calibration, tests, repeats))
        print(f"{name}: {cases[-1]['milliseconds']}", flush=True)
    record: Record = {"benchmark": "int8", "calibration": images, "repeats": repeats, "load_before": load}
    record |= {"cases": cases, **provenance(), "device": "CPU, 1 thread"}
    write_json(record, output)
    return record


def measure(run: Run, calibration: Items, tests: dict[str, Items], repeats: int) -> Record:
    """Size, time, and figures of one localiser in both ways."""
    torch.set_num_threads(1)
    network, config = run.network().eval(), run.config()
    prepared = partial(Dataset, transform=config.get_parsed_content("validate#preprocessing"))
    pictures = [
        item["image"].as_tensor()[None].contiguous()
        for item in map(prepared(calibration).__getitem__, range(len(calibration)))
    ]
    with TemporaryDirectory() as folder:
        files = quantised(network, pictures, Path(folder))
        sizes = {way: path.stat().st_size / 1e6 for way, path in files.items()}
        runners = {way: OnnxFile(path) for way, path in files.items()}
    looks = {way: partial(runners[way], pictures[0]) for way in WAYS}
    for look in looks.values():
        for _ in range(3):
            look()
    times = take_turns(looks, repeats, time.process_time)
    seen: dict[str, dict[str, dict[int, Scored]]] = {test: {} for test in tests}
    for way in WAYS:
        localizer = network if way == "float32" else OnnxLocalizer(runners[way], network)
        for test, items in tests.items():
            found = predict(localizer, prepared(items), list(LABELS))
            seen[test][way] = {0: Scored.of(relabelled(found, BOX_FINDINGS) if test == "boxes" else found)}
    patients = {test: next(iter(ways.values()))[0].predictions.patients for test, ways in seen.items()}
    labelled = mapped(seen["nih"], lambda one: one.of_labels(BOXED))
    figures = {"boxes": Figure.measured(seen["boxes"], "point", "micro"), "nih": label_figures(labelled)[0]}
    sets = {test: ScoredSet(test, patients[test], [one], WAYS[0]) for test, one in figures.items()}
    return {
        "bundle": run.bundle.name,
        "megabytes": sizes,
        "milliseconds": {way: statistics.median(values) for way, values in times.items()},
        "tests": {test: one.record().model_dump() for test, one in sets.items()},
    }


def quantised(network: nn.Module, pictures: Sequence[torch.Tensor], folder: Path) -> dict[str, Path]:
    """A network's ONNX file in both ways."""
    paths = {way: folder / f"{way}.onnx" for way in WAYS}
    write_onnx(network, pictures[0].repeat(2, 1, 1, 1), paths["float32"], ["pred"])
    write_int8(paths["float32"], paths["int8"], pictures)
    return paths
