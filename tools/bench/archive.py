"""What `cxr archive run` costs: each step of an image, a whole run, and what the command's own process has to do.

From these figures docs/explanation/scale.md goes on to large archives (`tools/bench/archive_tables.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_tools.archive import worker
from cxr_tools.archive.parts import by_hash
from cxr_tools.archive.results import PartWriter, Results
from cxr_tools.archive.rows import schema
from cxr_tools.archive.source import Source
from cxr_tools.archive.worker import Artefacts, Job
from tools.bench.images import make_inputs
from tools.bench.inference import INPUTS
from tools.repository import BUNDLES, REPOSITORY

Record = dict[str, Any]
#: Files that a bundle of maps can write.
KINDS = ("npz", "png", "nifti", "dicom_seg", "dicom_sr")
#: Images of the books that the command's process keeps.
_LISTED = 200_000
_ROWS = 1000


def bench_archive(
    output: Path, bundle: str, counts: Sequence[int], images: int, repeats: int, assumed: dict[str, float]
) -> Record:
    """Measure on an idle machine; write and return the record.

    Args:
        output: JSON file to write.
        bundle: folder name.
        counts: of the images of each kind of :data:`tools.bench.inference.INPUTS` that steps are measured with.
        images: of the larger of two whole runs; the smaller one has a quarter.
        repeats: of the steps; medians count.
        assumed: what the estimates assume: prices, and images of a study.
    """
    load, torch_threads = os.getloadavg()[0], torch.get_num_threads()
    torch.set_num_threads(1)
    with TemporaryDirectory(dir=output.parent) as name:
        folder = Path(name)
        steps = {}
        for (kind, shape), count in zip(INPUTS.items(), counts, strict=True):
            inputs = make_inputs(folder / kind.split()[0], *shape, count)
            steps[kind] = _steps(Job(BUNDLES / bundle, "{}", Source(), folder, Artefacts()), inputs, repeats)
        pngs = sorted((folder / next(iter(INPUTS)).split()[0] / "images").iterdir())
        runs = [_run(bundle, pngs, number, folder / f"run-{number}") for number in (images // 4, images)]
        books = _books(bundle, pngs[0], folder)
        dicoms = sorted((folder / [*INPUTS][-1].split()[0] / "images").iterdir())
        files = _files(Job(BUNDLES / bundle, "{}", Source(), folder / "files-of", Artefacts(key=b"bench")), dicoms)
    torch.set_num_threads(torch_threads)
    seconds = runs[1]["seconds"] - runs[0]["seconds"]
    record: Record = {
        "benchmark": "archive",
        "bundle": bundle,
        "cores": len(os.sched_getaffinity(0)),
        "steps": steps,
        "runs": runs,
        "images_per_second": (runs[1]["images"] - runs[0]["images"]) / seconds,
        "books": books,
        "file_bytes": files,
        "assumed": assumed,
        "load_before": load,
        "load_after": os.getloadavg()[0],
        **provenance(),
    }
    write_json(record, output)
    return record


def _steps(job: Job, inputs: Path, repeats: int) -> Record:
    """Milliseconds of CPU time of one image in each step, on one thread, and bytes between the first two steps."""
    paths = [str(path) for path in sorted(inputs.iterdir())]
    turns: list[list[float]] = []
    for turn in range(repeats + 1):  # the first one warms up
        marks = [time.process_time()]
        states = [worker.read(job, path) for path in paths]
        marks.append(time.process_time())
        states = [state for one in states for state in worker.predict(job, [one], "cpu")]
        marks.append(time.process_time())
        states = [worker.conclude(job, state) for state in states]
        marks.append(time.process_time())
        if errors := [state for state in states if "row" not in state or state["row"].get("error")]:
            raise RuntimeError(f"an image cannot be used: {errors[0]}")
        if turn:
            turns.append([1000 * (b - a) / len(paths) for a, b in zip(marks, marks[1:], strict=False)])
    names = ("read_ms", "network_ms", "find_ms")
    return {name: median(turn[n] for turn in turns) for n, name in enumerate(names)} | {"images": len(paths)}


def _run(bundle: str, originals: Sequence[Path], images: int, output: Path) -> Record:
    """Seconds of a whole command over a list that names a few files again and again by links."""
    links = output.with_name(output.name + "-links")
    links.mkdir()
    for number in range(images):
        os.link(originals[number % len(originals)], links / f"{number:06d}.png")
    command = [sys.executable, "-m", "cxr_tools.archive", "run", "--bundle", str(BUNDLES / bundle)]
    command += ["--input", str(links), "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'common'}"}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"the run ended with status {done.returncode}: {done.stderr[-500:]}")
    return {"images": images, "seconds": seconds}


def _books(bundle: str, image: Path, folder: Path) -> Record:
    """What the command's own process needs for each image: memory for its name, time and disk for its row."""
    tracemalloc.start()
    names = [f"/archive/2026/03/study-{number:08d}/image.dcm" for number in range(_LISTED)]
    parts = by_hash(names, _LISTED // _ROWS, _ROWS)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    job = Job(BUNDLES / bundle, "{}", Source(), folder, Artefacts())
    (state,) = (worker.conclude(job, one) for one in worker.predict(job, [worker.read(job, str(image))], "cpu"))
    uid = "1.2.826.0.1.3680043.8.498.12345678901234567890123456789012345"
    uids = {"study_uid": uid, "series_uid": uid, "instance_uid": uid, "study_date": date(2026, 3, 1)}
    results, some = Results(folder / "books"), parts[:20]
    writer = PartWriter(results, some, schema(worker.bundle_of(job).labels))
    start, count = time.process_time(), 0
    for number, part in enumerate(some):
        for name in part.images:
            probabilities = {k: hash((name, k)) % 10**6 / 1e6 for k in state["row"]["probability"]}
            writer.add(number, {**state["row"], **uids, "image": name, "probability": probabilities})
            count += 1
    seconds = time.process_time() - start
    size = sum(file.stat().st_size for file in results.files())
    return {"name_bytes": held / _LISTED, "row_ms": 1000 * seconds / count, "row_bytes": size / count}


def _files(job: Job, images: Sequence[Path]) -> Record:
    """Bytes of an image's files, by kind."""
    sizes: Record = {}
    for kind in KINDS:
        one = replace(job, output=job.output / kind, artefacts=replace(job.artefacts, kinds=(kind,), of="all"))
        for image in images:
            (state,) = worker.predict(one, [worker.read(one, str(image))], "cpu")
            worker.conclude(one, state)
        written = [file.stat().st_size for file in (one.output / "files").rglob("*") if file.is_file()]
        sizes[kind] = sum(written) / len(images)
    return sizes
