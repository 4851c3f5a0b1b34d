"""Train a bundle with the processes that Ray Train starts, on one machine or many; see docs/how-to/cluster.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from cxr_tools.bundle_parser import BundleParser, absolute
from cxr_tools.yaml_files import parse_yaml


def train(settings: dict[str, Any]) -> None:
    """What each process does: the bundle's training, with the overlay for several processes."""
    bundle = settings["bundle_root"]
    flow = ConfigWorkflow(
        config_file=[f"{bundle}/configs/{name}.yaml" for name in ("train", "multi_gpu_train")],
        meta_file=f"{bundle}/configs/metadata.json",
        logging_file=f"{bundle}/configs/logging.conf",
        workflow_type="train",
        **settings,
    )
    flow.initialize()
    flow.run()
    flow.finalize()


def main() -> None:
    """Start the processes, and wait for them."""
    parser = BundleParser(description="Any further --name value is an option of the bundle.")
    for name in ("bundle", "data", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--gpus", action=argparse.BooleanOptionalAction, default=False, help="one for each process")
    args = parser.parse_args(sys.argv[1:])
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray tells nobody that it is used
    options = {name: parse_yaml(text, f"--{name}") for name, text in args.bundle_options.items()}
    folders = {"bundle_root": args.bundle, "dataset_dir": args.data, "output_dir": args.output}
    TorchTrainer(
        train,
        train_loop_config={name: absolute(path) for name, path in folders.items()} | options,
        scaling_config=ScalingConfig(num_workers=args.processes, use_gpu=args.gpus),
        run_config=RunConfig(storage_path=absolute(args.output) + "-ray"),  # Ray's own notes
    ).fit()


if __name__ == "__main__":
    main()
