"""Small bundles in the shape of genuine ones of the model zoo, made here: the same ids and habits, tiny networks."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from monai.networks.nets import SegResNet, UNet

DEVICE = "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')"
SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/"
HEADS = '''import torch


class TinyHeads(torch.nn.Module):
    """A detector's network: a dictionary comes out."""

    def __init__(self):
        super().__init__()
        self.head = torch.nn.Conv3d(1, 2, 3, padding=1)

    def forward(self, x):
        out = self.head(x)
        return {"classification": out[:, :1], "box_regression": out[:, 1:]}
'''
INFERER = '''class HeadsInferer:
    """Calls the network and keeps its classes."""

    def __call__(self, inputs, network, *args, **kwargs):
        return network(inputs)["classification"]
'''


def spleen(folder: Path) -> Path:
    """3-D segmentation with MONAI's components only, JSON, an overlay for evaluation."""
    network = {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8]}
    network |= {"strides": [2], "norm": "batch"}
    weights = UNet(3, 1, 2, (4, 8), (2,), norm="batch").state_dict()
    after = [{"_target_": "Activationsd", "keys": "pred", "softmax": True}, invertd(), argmax()]
    metadata = make_metadata("Spleen CT segmentation", 1, 2, [32, 32, 32], ["background", "spleen"])
    before = [load(), {"_target_": "Spacingd", "keys": "@image_key", "pixdim": [1.5, 1.5, 2.0]}, typed()]
    inference = make_inference(network, before, [*after, save()], {"_target_": "SimpleInferer"})
    root = write(folder / "spleen_ct_segmentation", metadata, inference, weights)
    write_json(root / "configs/train.json", make_train(network))
    evaluate = {"validate#handlers": [{"_target_": "StatsHandler"}], "run": ["$@validate#evaluator.run()"]}
    write_json(root / "configs/evaluate.json", evaluate)
    add_command(root, "\"['configs/train.json','configs/evaluate.json']\"")
    return root


def endoscopic(folder: Path) -> Path:
    """2-D segmentation of colour pictures with a pickled-free state dict and uint8 labels, ready for MONAI Label."""
    network = {
        "_target_": "UNet",
        "spatial_dims": 2,
        "in_channels": 3,
        "out_channels": 2,
        "channels": [4, 8],
        "strides": [2],
    }
    weights = UNet(2, 3, 2, (4, 8), (2,)).state_dict()
    before = [
        load(image_only=False),
        {"_target_": "Resized", "keys": ["@image_key"], "spatial_size": [48, 32]},
        typed(),
    ]
    after = [{"_target_": "Activationsd", "keys": "pred", "softmax": True}, invertd(), argmax()]
    after += [{"_target_": "CastToTyped", "keys": "pred", "dtype": "$torch.uint8"}, save()]
    after += [{"_target_": "SqueezeDimd", "keys": "pred", "dim": 0}]
    metadata = make_metadata("Endoscopic tool segmentation", 3, 2, [48, 32], ["background", "tools"])
    inference = make_inference(network, before, after, {"_target_": "SimpleInferer"})
    return write(folder / "endoscopic_tool_segmentation", metadata, inference, weights)


def brats(folder: Path) -> Path:
    """3-D, four channels, sizes as expressions, overlapping classes, no CT."""
    network = {
        "_target_": "SegResNet",
        "init_filters": 4,
        "in_channels": 4,
        "out_channels": 3,
        "blocks_down": [1, 1, 1, 1],
    }
    weights = SegResNet(init_filters=8, in_channels=4, out_channels=3, blocks_down=(1, 1), blocks_up=(1,)).state_dict()
    before = [load(), {"_target_": "NormalizeIntensityd", "keys": "@image_key", "channel_wise": True}]
    after = [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}, invertd()]
    after += [{"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5}]
    joined = "$lambda x: torch.where(x[[2]] > 0, 4, torch.where(x[[0]] > 0, 1, torch.where(x[[1]] > 0, 2, 0)))"
    after += [{"_target_": "Lambdad", "keys": "pred", "func": joined}, save()]
    names = ["Tumor core", "Whole tumor", "Enhancing tumor"]
    metadata = make_metadata("BraTS MRI segmentation", 4, 3, ["8*n", "8*n", "8*n"], names)
    window = {"_target_": "SlidingWindowInferer", "roi_size": [32, 32, 32], "overlap": 0.5}
    return write(folder / "brats_mri_segmentation", metadata, make_inference(network, before, after, window), weights)


def lung(folder: Path) -> Path:
    """3-D detection: modules of its own, outputs that are no tensor, an `initialize` that comes to its modules."""
    root = folder / "lung_nodule_ct_detection"
    (root / "scripts").mkdir(parents=True)
    (root / "scripts/__init__.py").write_text("")
    (root / "scripts/heads.py").write_text(HEADS)
    (root / "scripts/inferer.py").write_text(INFERER)
    weights = {"head.weight": torch.zeros(2, 1, 3, 3, 3), "head.bias": torch.zeros(2)}
    metadata = make_metadata("Lung nodule CT detection", 1, 1, ["16*n", "16*n", "8*n"], ["nodule"])
    metadata["network_data_format"]["outputs"]["pred"] |= {"type": "object", "format": "dict", "dtype": "float16"}
    inferer = {"_target_": "scripts.inferer.HeadsInferer"}
    inference = make_inference({"_target_": "scripts.heads.TinyHeads"}, [load(), typed()], [], inferer)
    return write(root, metadata, inference, weights)


def load(**more: Any) -> dict[str, Any]:
    return {"_target_": "LoadImaged", "keys": "@image_key", "ensure_channel_first": True} | more


def typed() -> dict[str, Any]:
    return {"_target_": "EnsureTyped", "keys": "@image_key", "dtype": "$torch.float32"}


def argmax() -> dict[str, Any]:
    return {"_target_": "AsDiscreted", "keys": "pred", "argmax": True}


def save() -> dict[str, Any]:
    return {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"}


def invertd() -> dict[str, Any]:
    found = {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "@image_key"}
    return found | {"nearest_interp": False, "to_tensor": True}


def make_inference(network: Any, before: list[Any], after: list[Any], inferer: Any) -> dict[str, Any]:
    """An inference config with the zoo's usual ids."""
    return {
        "imports": ["$import glob", "$import os"],
        "bundle_root": ".",
        "image_key": "image",
        "output_dir": "$@bundle_root + '/eval'",
        "dataset_dir": "/workspace/data/example",
        "datalist": "$list(sorted(glob.glob(@dataset_dir + '/imagesTs/*.nii.gz')))",
        "device": DEVICE,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": before},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': i} for i in @datalist]", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 0},
        "inferer": inferer,
        "postprocessing": {"_target_": "Compose", "transforms": after},
        "handlers": [{"_target_": "StatsHandler", "iteration_log": False}],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
        },
        "checkpointloader": {
            "_target_": "CheckpointLoader",
            "load_path": "$@bundle_root + '/models/model.pt'",
            "load_dict": {"model": "@network"},
        },
        "initialize": ["$monai.utils.set_determinism(seed=123)", "$@checkpointloader(@evaluator)"],
        "run": ["$@evaluator.run()"],
    }


def make_train(network: Any) -> dict[str, Any]:
    """A train config with MONAI's ids."""
    part = {
        "preprocessing": {"_target_": "Compose", "transforms": []},
        "dataset": {"_target_": "CacheDataset", "data": [], "transform": "@train#preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@train#dataset"},
        "inferer": {"_target_": "SimpleInferer"},
        "handlers": [],
    }
    validate = json.loads(json.dumps(part).replace("@train", "@validate"))
    handler = {"_target_": "ValidationHandler", "validator": "@validate#evaluator", "interval": "@val_interval"}
    engine = {"device": "@device", "network": "@network"}
    trainer = {"_target_": "SupervisedTrainer", "max_epochs": 2, "train_data_loader": "@train#dataloader", **engine}
    trainer |= {"inferer": "@train#inferer", "train_handlers": "@train#handlers"}
    evaluator = {"_target_": "SupervisedEvaluator", "val_data_loader": "@validate#dataloader", **engine}
    evaluator |= {"inferer": "@validate#inferer", "val_handlers": "@validate#handlers"}
    return {
        "bundle_root": ".",
        "dataset_dir": "/workspace/data/example",
        "output_dir": "$@bundle_root + '/eval'",
        "device": DEVICE,
        "val_interval": 1,
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "train": {**part, "handlers": [handler], "trainer": trainer},
        "validate": {**validate, "evaluator": evaluator},
        "run": ["$@train#trainer.run()"],
    }


def make_metadata(name: str, channels: int, classes: int, sizes: list[int | str], labels: list[str]) -> dict[str, Any]:
    """Metadata as the zoo had it in 2024: the schema of 2022, optional packages."""
    tensor = {"spatial_shape": sizes, "dtype": "float32", "value_range": [0, 1], "is_patch_data": True}
    inputs = {"type": "image", "format": "magnitude", "num_channels": channels}
    inputs |= {"channel_def": {str(i): f"channel {i}" for i in range(channels)}}
    outputs = {"type": "image", "format": "segmentation", "num_channels": classes}
    outputs |= {"channel_def": {str(i): label for i, label in enumerate(labels)}}
    return {
        "schema": SCHEMA + "meta_schema_20220324.json",
        "version": "0.1.1",
        "changelog": {"0.1.1": "mend the card", "0.1.0": "complete the model package"},
        "monai_version": "1.4.0",
        "pytorch_version": "2.4.0",
        "numpy_version": "1.24.4",
        "optional_packages_version": {"nibabel": "5.2.1", "pytorch-ignite": "0.4.11"},
        "name": name,
        "task": name,
        "description": f"{name}, a small one",
        "authors": "the tests",
        "copyright": "the tests",
        "network_data_format": {"inputs": {"image": inputs | deepcopy(tensor)}, "outputs": {"pred": outputs | tensor}},
    }


def write(root: Path, metadata: Any, inference: Any, weights: Any) -> Path:
    """Write a bundle's files; gives its folder."""
    for name in ("configs", "docs", "models"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "LICENSE").write_text("Apache License, Version 2.0\n")
    (root / "docs/data_license.txt").write_text("Third Party Licenses\n1. Nobody's data\n")
    (root / "docs/README.md").write_text("# Model Overview\n")
    write_json(root / "configs/metadata.json", metadata)
    write_json(root / "configs/inference.json", inference)
    torch.save(weights, root / "models/model.pt")
    add_command(root, "configs/inference.json")
    return root


def add_command(root: Path, config: str) -> None:
    """Add a run command to the card."""
    with (root / "docs/README.md").open("a") as file:
        file.write(f"```\npython -m monai.bundle run --config_file {config} --dataset_dir <path>\n```\n")


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=4))


def edit_json(path: Path, change: Any) -> None:
    """Change a JSON file: `change` is a function that changes its content."""
    content = json.loads(path.read_text())
    change(content)
    write_json(path, content)
