"""A bundle's training as its users run it, in this process or in two, and what it leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigWorkflow
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def train(bundle: Path, configs: Sequence[str], output: Path, **settings: Any) -> ConfigWorkflow:
    """Run some of a bundle's configs on the CPU, as the model zoo's tests do: training and evaluation alike."""
    flow = ConfigWorkflow(
        config_file=[str(bundle / "configs" / name) for name in configs],
        meta_file=str(bundle / "configs" / "metadata.json"),
        logging_file=str(bundle / "configs" / "logging.conf"),
        workflow_type="train",
        bundle_root=str(bundle),
        output_dir=str(output),
        **{"device": "$torch.device('cpu')", "amp": False, **settings},
    )
    flow.initialize()
    assert flow.check_properties() == []
    flow.run()
    flow.finalize()
    return flow


def train_in_two_processes(bundle: Path, configs: Sequence[str], output: Path, **settings: Any) -> dict[str, Any]:
    """Train under torchrun on two CPU processes (gloo), on plain networks' weights; the content of checkpoint.pt."""
    files = ",".join(f"'{bundle}/configs/{name}'" for name in configs)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "monai.bundle", "run", "--config_file", f"[{files}]", "--bundle_root", str(bundle)]
    for key, value in {"output_dir": output, **settings}.items():
        command += [f"--{key}", str(value).replace(" ", "")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert {"model.pt", "checkpoint.pt", "thresholds.json"} <= {p.name for p in output.iterdir()}
    checkpoint: dict[str, Any] = torch.load(output / "checkpoint.pt", weights_only=True)
    assert not any(key.startswith("module.") for key in checkpoint["network"])
    return checkpoint


def weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weight file."""
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return state


def event_tags(run: Path) -> dict[str, list[str]]:
    """Tags of "scalars" and "images" that a run wrote for TensorBoard."""
    tags = EventAccumulator(str(run / "events")).Reload().Tags()
    return {kind: tags[kind] for kind in ("scalars", "images")}
