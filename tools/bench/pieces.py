"""Pieces of our own beside the plain way to the same result, and how their time grows with what they are given.

One piece in its own process: ``python -m tools.bench.pieces '{"piece": ..., "repeats": ...}'``. Both ways take turns,
so that what else the machine does meets both. Times are CPU time of that process on one thread, after a first pass.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from tools.bench import plain
from tools.bench.images import make_inputs
from tools.bench.loading import make_images
from tools.bench.turns import take_turns
from tools.bench.walk import run_case
from tools.repository import BUNDLES

Record = dict[str, Any]
Way = Callable[[], Any]
BUNDLE, BATCH = "cxr_pylon_localization", 8


@dataclass(frozen=True)
class Piece:
    """Something to time at several sizes.

    Attributes:
        title: what it does.
        rival: what the plain way is; empty for none.
        unit: of ``sizes``.
        sizes: smallest to largest, over a tenfold range where it can be.
        ways: (size, empty folder) -> ours, and the plain way or None.
    """

    title: str
    rival: str
    unit: str
    sizes: tuple[int, ...]
    ways: Callable[[int, Path], tuple[Way, Way | None]]


def bench_pieces(output: Path, names: Sequence[str], repeats: int) -> Record:
    """Measure every piece, one after another, each in a fresh process; write and return the record.

    Args:
        output: JSON file to write.
        names: of :data:`PIECES`.
        repeats: of each measurement; medians count.
    """
    load, cases = os.getloadavg()[0], []
    for name in names:
        cases.append({"piece": name, **run_case("tools.bench.pieces", {"piece": name, "repeats": repeats}, threads=1)})
        print(name, cases[-1], flush=True)
    record: Record = {"benchmark": "pieces", "repeats": repeats, "cases": cases, "load_before": load}
    record |= {"load_after": os.getloadavg()[0], **provenance(), "device": "CPU, 1 thread"}
    write_json(record, output)
    return record


def measure(piece: str, repeats: int) -> Record:
    """Milliseconds of both ways at every size, the median ratio of their turns, and the exponent of our time."""
    import torch

    torch.set_num_threads(1)
    sizes, made = [], PIECES[piece]
    for size in made.sizes:
        with TemporaryDirectory() as folder:
            ours, rival = made.ways(size, Path(folder))
            ways = {"ours": ours} | ({"plain": rival} if rival else {})
            for way in ways.values():
                way()
            times = take_turns(ways, repeats)
        found: Record = {"size": size, **{f"{name}_ms": statistics.median(all_) for name, all_ in times.items()}}
        if rival:
            found["ratio"] = statistics.median(b / a for a, b in zip(times["ours"], times["plain"], strict=True))
        sizes.append(found)
    return {"sizes": sizes, "exponent": exponent([(one["size"], one["ours_ms"]) for one in sizes])}


def exponent(times: Sequence[tuple[float, float]]) -> float | None:
    """Slope of log time over log size, by least squares; None for a single size. 1 is linear time."""
    if len(times) < 2:
        return None
    sizes, milliseconds = np.log(np.array(times)).T
    return float(np.polyfit(sizes, milliseconds, 1)[0])


def _dicom(pixels: int, folder: Path) -> tuple[Way, Way]:
    from cxr_common.data import read_picture

    width = round(math.sqrt(pixels * 5 / 6))
    (path,) = make_inputs(folder, width, round(width * 6 / 5), True, 1).iterdir()
    return lambda: read_picture(path), lambda: plain.read_dicom(path)


def _nms(count: int, folder: Path) -> tuple[Way, Way]:
    import torch
    from monai.data.box_utils import batched_nms as monai_nms

    from cxr_common.detection import batched_nms

    generator = torch.Generator().manual_seed(0)
    corner = 200 * torch.rand(count, 2, generator=generator)
    boxes = torch.cat((corner, corner + 8 + 40 * torch.rand(count, 2, generator=generator)), 1)
    scores, labels = torch.rand(count, generator=generator), torch.randint(8, (count,), generator=generator)
    return lambda: batched_nms(boxes, scores, labels, 0.5), lambda: monai_nms(boxes, scores, labels, 0.5)


def _crf(pixels: int, folder: Path) -> tuple[Way, Way]:
    import torch

    from cxr_common.networks.crf import dense_crf

    side, generator = round(math.sqrt(pixels)), torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, side // 8 + 1, side // 8 + 1, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1)
    unary, grey = -torch.log(smooth[:, :2] + 0.1), 255 * smooth[:, 2:]
    return lambda: dense_crf(unary, grey), lambda: dense_crf(unary, grey.expand(-1, 3, -1, -1))


def _phantom(pixels: int, folder: Path) -> tuple[Way, None]:
    from cxr_common.data.phantom import PhantomConfig, make_phantom

    config = PhantomConfig(size=round(math.sqrt(pixels)))
    return lambda: [make_phantom(0, n, config) for n in range(4)], None


def _run(images: int, folder: Path) -> tuple[Way, None]:
    from tools.bench.inference import make_workflow, whole_run

    inputs = make_inputs(folder / "inputs", 512, 512, False, images)
    workflow = make_workflow(BUNDLE, str(inputs), folder / "out", batch_size=1, writers=1)
    return lambda: whole_run(workflow), None


def _training(images: int, folder: Path) -> tuple[Way, Way]:
    make_images(folder, images, 256)
    config = [BUNDLES / BUNDLE / "configs" / "train.yaml"]
    options = {"bundle_root": str(BUNDLES / BUNDLE), "dataset_dir": str(folder), "device": "cpu", "batch_size": BATCH}
    return plain.trainings(config, options, folder)


PIECES = {
    "training": Piece("a training epoch of PYLON", "a PyTorch loop", "images", (8, 24, 80), _training),
    "run": Piece("a run with default outputs", "", "images", (8, 24, 80), _run),
    "dicom": Piece(
        "reading a DICOM", "pydicom: `apply_rescale`, `apply_voi`", "pixels", (750_000, 2_400_000, 7_500_000), _dicom
    ),
    "nms": Piece("non-maximum suppression", "MONAI's `batched_nms`", "boxes", (100, 300, 1000), _nms),
    "crf": Piece("the dense CRF of a grey image", "sums over all pairs", "pixels", (1024, 3136, 10000), _crf),
    "phantom": Piece("four phantoms", "", "pixels", (128**2, 228**2, 405**2), _phantom),
}


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
