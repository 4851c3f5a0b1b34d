"""Stages that run shipped bundles on the training section of a datalist: heatmaps, and pseudo-masks made of them."""

from __future__ import annotations

from pathlib import Path

from cxr_common.data import load_datalist
from cxr_common.evaluation import data_sha256
from cxr_common.files import file_sha256
from cxr_common.loading import find_bundle
from cxr_tools.pipeline.road import REFINEMENT
from cxr_tools.pipeline.stage import Stage


def heatmap_stage(bundle: str, datalist: Path, output: Path) -> Stage:
    """A localiser's heatmaps; paths of the datalist are relative to its folder."""
    overrides = {
        "dataset_dir": str(datalist.parent),
        "dataset#data": f"$cxr_common.data.images_of({str(datalist)!r}, 'training')",
    }
    inputs = {"data": data_sha256(load_datalist(datalist, "training")), "model": model_hash(bundle)}
    return Stage("heatmaps", bundle, ("inference.json",), overrides, output, inputs)


def pseudo_mask_stage(heat: Stage, datalist: Path, output: Path) -> Stage:
    """Pseudo-masks by the relation network, of the heatmaps of another stage."""
    overrides = {"dataset_dir": str(datalist.parent), "datalist": str(datalist), "heatmap_dir": str(heat.output)}
    inputs = {**heat.inputs, "refinement": model_hash(REFINEMENT)}
    return Stage("pseudo-masks", REFINEMENT, ("inference.json",), overrides, output, inputs)


def model_hash(bundle: str) -> str:
    """Hash of a bundle's weights and thresholds."""
    models = find_bundle(bundle) / "models"
    return "".join(file_sha256(models / name) for name in ("model.pt", "thresholds.json"))
