"""What reading images costs a training, with and without a cache on disk: processor time, images per second, memory.

One kind of cache in its own process: ``python -m tools.bench.loading '{"cache": ..., "folder": ..., ...}'``. All drive
the loaders of a bundle's own ``train.yaml``, with ``cache.yaml`` over it where there is a cache.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser
from PIL import Image
from torch.utils.data import DataLoader

from cxr_common.data import write_datalist
from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from tools.bench.memory import PeakMemory
from tools.bench.walk import run_case
from tools.repository import BUNDLES

Record = dict[str, Any]

#: Cache -> settings over cache.yaml; None is train.yaml alone.
CACHES: dict[str, Record | None] = {
    "none": None,
    "persistent": {"image_cache": "persistent"},
    "packed, float16": {"image_cache": "packed", "cache_dtype": "float16"},
    "packed, uint8": {"image_cache": "packed", "cache_dtype": "uint8"},
}
BUNDLE, BATCH = "cxr_pylon_localization", 16


def bench_loading(output: Path, images: int, side: int, timed: int, steps: int, workers: int) -> Record:
    """Measure every kind of cache, one after another; write and return the record.

    Args:
        output: JSON file to write.
        images: files that are generated, and that the caches are filled with.
        side: of a file, pixels; the network's input has 256.
        timed: images that are read in a timed pass.
        steps: of the training, batches of :data:`BATCH`.
        workers: loader processes.
    """
    load = os.getloadavg()[0]
    cases: list[Record] = []
    with TemporaryDirectory(dir=output.parent) as folder:
        make_images(Path(folder), images, side)
        for name in CACHES:
            case = {"cache": name, "folder": folder, "timed": timed, "steps": steps, "workers": workers}
            cases.append({"cache": name, **run_case("tools.bench.loading", case, threads=1)})
            print(name, cases[-1], flush=True)
    record: Record = {"benchmark": "loading", "images": images, "side": side, "workers": workers, "timed": timed}
    record |= {"batch_size": BATCH, "steps": steps, "load_before": load, "load_after": os.getloadavg()[0]}
    record |= {"cases": cases, **provenance(), "device": "CPU, 1 thread"}
    write_json(record, output)
    return record


def make_images(folder: Path, count: int, side: int) -> None:
    """Write grey PNGs of smooth noise, and a datalist that trains on all and validates on all."""
    rng = np.random.default_rng(0)
    items: list[Record] = []
    for n in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8), dtype=np.uint8))
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(folder / f"{n:06d}.png", compress_level=1)
        items.append({"image": f"{n:06d}.png", "patient": str(n), "label": [n % 2]})
    write_datalist({"labels": ["Nodule"], "training": items, "validation": []}, folder / "datalist.json")


def measure(cache: str, folder: str, timed: int, steps: int, workers: int) -> Record:
    """What an image costs to fill in, read, read with augmentation and train with; peak memory; room on disk."""
    torch.manual_seed(0)
    settings, root = CACHES[cache], BUNDLES / BUNDLE
    parser = ConfigParser()
    files = ["train.yaml"] if settings is None else ["train.yaml", "cache.yaml"]
    parser.read_config([root / "configs" / file for file in files])
    with TemporaryDirectory(dir=folder) as kept:
        given = {
            "bundle_root": str(root),
            "dataset_dir": folder,
            "output_dir": kept,
            "device": "cpu",
            "batch_size": BATCH,
        }
        given |= {"cache_dir": kept, "cache_rate": 0.0, "num_workers": workers, **(settings or {})}
        parser.update({**given, "validate#dataset#data": "@train#dataset#data"})
        plain, augmented = (parser.get_parsed_content(f"{part}#dataloader") for part in ("validate", "train"))
        images = len(plain.dataset)
        with PeakMemory() as peak:
            found = {} if settings is None else {"filling": _cost(plain, images)}
            found["reading"] = _cost(plain, min(images, timed))
            found["loading"] = _cost(augmented, min(images, timed))
            held = peak.megabytes()
        network, loss, optimizer = (parser.get_parsed_content(name) for name in ("network", "loss", "optimizer"))

        def step(batch: Record) -> None:
            optimizer.zero_grad()
            loss(network(batch["image"]), batch["label"]).backward()
            optimizer.step()

        found["training"] = _cost(augmented, steps * BATCH, step)
        disk = sum(path.stat().st_blocks * 512 for path in Path(kept).glob("*.*"))
    return {"cost": found, "loading_megabytes": held, "disk_megabytes": disk / 1e6}


def _cost(loader: DataLoader, images: int, step: Callable[[Record], None] = lambda batch: None) -> Record:
    """Milliseconds for an image: of processor time, loader processes included, and of the clock."""
    cpu, clock = _processor_seconds(), time.perf_counter()
    for batch in islice(loader, -(-images // BATCH)):
        step(batch)
    # The loader processes have ended with the loop, and only then do they count.
    return {
        "cpu_ms": 1000 * (_processor_seconds() - cpu) / images,
        "clock_ms": 1000 * (time.perf_counter() - clock) / images,
    }


def _processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
