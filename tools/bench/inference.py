"""What an inference run costs: beside the network, beside reading and network, and beside the same job by hand.

One case in its own process: ``python -m tools.bench.inference '{"bundle": ..., "images": ..., ...}'``. The ways take
turns, so that what else the machine does meets all of them. Times are CPU time of that process; they leave out imports,
loading of weights and a first pass over the images.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from tools.bench.images import make_inputs
from tools.bench.memory import PeakMemory
from tools.bench.turns import take_turns
from tools.bench.walk import run_case
from tools.repository import BUNDLES, REPOSITORY

Record = dict[str, Any]
#: Kinds of images: name -> width, height, whether DICOM.
INPUTS = {"512 x 512 PNG": (512, 512, False), "2,500 x 3,000 DICOM": (2500, 3000, True)}
#: What is timed, in the table's order -> what the table calls it.
WAYS = {
    "forward": "network alone",
    "read": "reading and network",
    "json": "run, `[json]`",
    "default": "run, default outputs",
    "by_hand": "by hand, MONAI",
    "captum": "by hand, captum",
    "torchcam": "by hand, torchcam",
}


def bench_inference(
    output: Path,
    bundles: Sequence[str],
    counts: dict[str, int],
    batches: Sequence[int],
    repeats: int,
    by_hand: Sequence[str],
) -> Record:
    """Measure every bundle on all kinds of images, one after another on one thread; write and return the record.

    Args:
        output: JSON file to write.
        bundles: folder names.
        counts: kind of images, of :data:`INPUTS` -> how many.
        batches: batch sizes.
        repeats: of each measurement; medians count.
        by_hand: the bundles, of those that give maps, whose job is done by hand too, one image at a time.
    """
    load = os.getloadavg()[0]
    cases: list[Record] = []
    starts = []
    with TemporaryDirectory() as folder:
        for kind, count in counts.items():
            images = make_inputs(Path(folder, kind), *INPUTS[kind], count)
            for bundle in bundles:
                for batch in batches:
                    case = {"bundle": bundle, "images": str(images), "batch": batch, "repeats": repeats}
                    case["beside"] = bundle in by_hand and batch == 1
                    cases.append({**case, "kind": kind, **run_case("tools.bench.inference", case, threads=1)})
                    print(kind, bundle, batch, cases[-1]["cpu_ms"], flush=True)
        for bundle in bundles:
            starts.append({"bundle": bundle, **cold_start(bundle, next(images.iterdir()), repeats)})
    record: Record = {"benchmark": "inference", "repeats": repeats, "cases": cases, "starts": starts, "device": ""}
    record |= {"load_before": load, "load_after": os.getloadavg()[0], **provenance(), "device": "CPU, 1 thread"}
    for case in cases:
        del case["images"], case["beside"]
    write_json(record, output)
    return record


def cold_start(bundle: str, image: Path, repeats: int) -> Record:
    """CPU seconds of a process that imports torch and MONAI, and of one that finds the findings of one image."""
    run = ["-m", "monai.bundle", "run", "--config_file", str(BUNDLES / bundle / "configs" / "inference.json")]
    run += ["--bundle_root", str(BUNDLES / bundle), "--dataset_dir", str(image)]
    with TemporaryDirectory() as folder:
        ways = {"import_s": ["-c", "import torch, monai"], "first_s": [*run, "--output_dir", folder]}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, options in ways.items():
                times[name].append(_of_process([sys.executable, *options]))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {**medians, "ratio": medians["first_s"] / medians["import_s"]}


def _of_process(command: list[str]) -> float:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "common"), "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(bundle: str, images: str, batch: int, repeats: int, beside: bool) -> Record:
    """CPU milliseconds for an image of each of :data:`WAYS`, their ratios, peak memory of runs."""
    import torch

    torch.set_num_threads(1)
    paths = sorted(Path(images).iterdir())
    with TemporaryDirectory() as folder:
        ways, peak = _ways(bundle, images, paths, batch, Path(folder), beside), PeakMemory()
        for way in ways.values():
            way()
        with peak:
            times = take_turns(ways, repeats)
            megabytes = peak.megabytes()
    ratios = {name: statistics.median(a / b for a, b in zip(times[name], times["read"], strict=True)) for name in ways}
    medians = {name: statistics.median(values) / len(paths) for name, values in times.items()}
    return {"count": len(paths), "cpu_ms": medians, "ratio": ratios, "megabytes": megabytes}


def _ways(
    bundle: str, images: str, paths: list[Path], batch: int, folder: Path, beside: bool
) -> dict[str, Callable[[], Any]]:
    import torch

    from tools.bench.by_hand import Cam, by_hand, captum_cam, monai_cam, torchcam_cam

    options = {"batch_size": batch, "writers": 1}
    runs = {
        "json": make_workflow(bundle, images, folder / "json", outputs=["json"], **options),
        "default": make_workflow(bundle, images, folder / "default", **options),
    }
    names = ("network_def", "inferer", "dataloader", "labels", "spatial_size", "intensity_mean", "intensity_std")
    network, inferer, loader, labels, size, mean, std = map(runs["json"].get_parsed_content, names)
    # As PyTorch makes it: what a run does to its network to be faster is its own merit.
    network = copy.deepcopy(network).eval()
    plain = torch.zeros(batch, 1, *size)
    libraries = {"by_hand": monai_cam, "captum": captum_cam, "torchcam": torchcam_cam} if beside else {}

    def forward() -> None:
        with torch.no_grad():
            for _ in range(-(-len(paths) // batch)):
                network(plain)

    def read() -> None:
        with torch.no_grad():
            for items in loader:
                inferer(items["image"], network)

    def hand(output: Path, library: Cam) -> None:
        output.mkdir(exist_ok=True)
        by_hand(paths, copy.deepcopy(network), labels, size, (mean, std), output, library)

    return {
        "forward": forward,
        "read": read,
        "json": lambda: whole_run(runs["json"]),
        "default": lambda: whole_run(runs["default"]),
        **{name: partial(hand, folder / name, library) for name, library in libraries.items()},
    }


def whole_run(parser: Any) -> None:
    """Run a bundle's inference over all its images.

    Raises:
        RuntimeError: an image failed.
    """
    parser.get_parsed_content("evaluator").run()
    if failed := parser.get_parsed_content("findings_writer").write_record()["failures"]:
        raise RuntimeError(f"the run failed at an image: {failed[0]}")


def make_workflow(bundle: str, images: str, output: Path, **options: Any) -> Any:
    """The parser of a bundle's inference, with weights."""
    from monai.bundle import ConfigWorkflow

    from cxr_common.networks import load_weights

    root = BUNDLES / bundle
    given = {"bundle_root": str(root), "dataset_dir": images, "output_dir": str(output), "device": "cpu", **options}
    config = str(root / "configs" / "inference.json")
    workflow = ConfigWorkflow(workflow_type="inference", config_file=config, logging_file=False, **given)
    workflow.initialize()
    load_weights(*map(workflow.parser.get_parsed_content, ("network_def", "weights")))
    return workflow.parser


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
