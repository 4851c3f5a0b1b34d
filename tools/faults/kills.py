"""Trainings that are killed at random moments and taken up again: whether the weights are those of one left alone."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from cxr_common.data.phantom.config import PhantomConfig
from cxr_tools.make_phantoms import make_data_set
from tools.repository import BUNDLES

Record = dict[str, Any]
#: So small that a training takes seconds; it has the phases of a large one.
SMALL: Record = {
    "device": "$torch.device('cpu')",
    "amp": False,
    "spatial_size": [64, 64],
    "batch_size": 8,
    "max_epochs": 3,
}
#: Bundle -> recipes laid over train.yaml, and settings beside `SMALL`.
TRAININGS: dict[str, tuple[tuple[str, ...], Record]] = {
    "cxr_gradcam_classification": ((), {}),
    "cxr_multiscale_localization": ((), {}),
    "cxr_pcam_localization": ((), {}),
    "cxr_pylon_localization": ((), {}),
    "cxr_irn_refinement": (
        (),
        {
            "spatial_size": [96, 96],
            "steps": 8,
            "backbone_weights": str(BUNDLES / "cxr_gradcam_classification" / "models" / "phantoms" / "model.pt"),
        },
    ),
    "cxr_chexseg_segmentation": (("from_classifier",), {"supervision": "expert"}),  # phantoms have no other masks
    "cxr_oxnet_detection": (("from_classifier",), {"width": 16, "boxes_per_batch": 4}),
}
#: Trainings of one folder are killed no more often than this, so that they also end.
_IN_A_ROW = 5


def kill_trainings(bundle: str, kills: int, seed: int) -> Record:
    """Kill a bundle's training, take it up again, and compare its weights once it has ended.

    Args:
        bundle: name.
        kills: how many; each at a moment drawn from the time that the training takes when it is left alone. A folder
            is killed up to five times, and then ends.
        seed: of the moments.

    Returns:
        How many were killed, how many folders were compared, how many of them had other weights, and seconds of the
        training left alone.
    """
    rng = np.random.default_rng([seed, sorted(TRAININGS).index(bundle)])
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_data_set(folder / "data", {"training": 32, "validation": 8, "testing": 1}, 5, PhantomConfig(size=64), 1)
        _start(len).join()  # from here on a process starts at once
        start = time.perf_counter()
        _end(bundle, folder / "data", folder / "alone")
        seconds = time.perf_counter() - start
        alone = _weights(folder / "alone")
        done = compared = different = 0
        with tqdm(total=kills, desc=bundle) as bar:
            while done < kills:
                output = folder / f"run_{done}"
                wanted = min(_IN_A_ROW, kills - done)
                killed = 0
                while killed < wanted and _killed(bundle, folder / "data", output, rng.uniform(0, seconds)):
                    killed += 1
                if killed:
                    _end(bundle, folder / "data", output)
                    compared += 1
                    different += not _same(alone, _weights(output))
                shutil.rmtree(output, ignore_errors=True)
                done += killed
                bar.update(killed)
    return {"bundle": bundle, "kills": done, "compared": compared, "different": different, "seconds": seconds}


def _start(target: Callable[..., object], *args: object) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")  # imports once: what is killed is the training
    context.set_forkserver_preload(["monai.bundle", "monai.engines", "monai.handlers", __name__])
    process = context.Process(target=target, args=args or ((),))
    process.start()
    return process


def _killed(bundle: str, data: Path, output: Path, after: float) -> bool:
    """Start a training and kill it after so many seconds; whether it was still running."""
    process = _start(train, bundle, data, output)
    process.join(after)
    running = process.exitcode is None
    process.kill()
    process.join()
    return running


def _end(bundle: str, data: Path, output: Path) -> None:
    process = _start(train, bundle, data, output)
    process.join()
    if process.exitcode != 0:
        words = _log(output).read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"the training of {bundle} ended with status {process.exitcode}: {words}")


def _log(output: Path) -> Path:
    return output.with_name(f"{output.name}.log")


def train(bundle: str, data: Path, output: Path) -> None:
    """Train a bundle on the CPU, with one thread, as ``python -m monai.bundle run`` does; it prints into a log."""
    from monai.bundle import ConfigWorkflow

    with open(_log(output), "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    torch.set_num_threads(1)
    recipes, settings = TRAININGS[bundle]
    configs = BUNDLES / bundle / "configs"
    flow = ConfigWorkflow(
        config_file=[str(configs / f"{name}.yaml") for name in ("train", *recipes)],
        meta_file=str(configs / "metadata.json"),
        logging_file=str(configs / "logging.conf"),
        workflow_type="train",
        bundle_root=str(BUNDLES / bundle),
        dataset_dir=str(data),
        output_dir=str(output),
        **SMALL | settings,
    )
    flow.initialize()
    flow.run()
    flow.finalize()


def _weights(output: Path) -> dict[str, torch.Tensor]:
    """The tensors of both weight files."""
    found: dict[str, torch.Tensor] = {}
    for name in ("model.pt", "model_last.pt"):
        state = torch.load(output / name, weights_only=True)
        found |= {f"{name}: {key}": value for key, value in state.items()}
    return found


def _same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
