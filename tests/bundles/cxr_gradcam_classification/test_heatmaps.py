"""Heatmap methods of the bundle's inference: same classification, other maps."""

from __future__ import annotations

import json

import numpy as np
import pytest
from monai.bundle import ConfigWorkflow
from PIL import Image

from cxr_common.data.phantom import make_phantom
from cxr_common.findings.heatmap_file import load_heatmap
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_gradcam_classification"


def infer(images, output, **options):
    flow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs" / "inference.json"),
        workflow_type="infer",
        bundle_root=str(BUNDLE),
        dataset_dir=str(images),
        output_dir=str(output),
        **options,
    )
    flow.initialize()
    flow.run()
    record = json.loads((output / "findings.json").read_text())["images"][0]
    return [f["probability"] for f in record["findings"]], load_heatmap(output / record["files"]["heatmap"]).heatmap


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("methods")
    (folder / "in").mkdir()
    picture = (make_phantom(99, 3, findings=("Consolidation",)).image * 255).astype(np.uint8)
    Image.fromarray(picture).save(folder / "in" / "x.png")
    names = ("cam", "gradcam", "gradcampp", "gradcampp_wsmis", "layercam")
    return {name: infer(folder / "in", folder / name, **{"inferer#method": name}) for name in names}


def test_the_method_does_not_change_the_probabilities(runs):
    for probabilities, _ in runs.values():
        np.testing.assert_allclose(probabilities, runs["cam"][0], atol=2e-5)


def test_the_largest_pixel_is_the_probability(runs):
    for probabilities, maps in runs.values():
        peaks = np.asarray(maps, dtype=np.float64).max((-2, -1))
        assert (peaks <= np.array(probabilities) + 1e-3).all()  # resizing may lower a peak, never raise it


def test_methods_give_different_maps(runs):
    maps = [np.asarray(m, dtype=np.float64) for _, m in runs.values()]
    assert np.abs(maps[1] - maps[2]).max() > 1e-3
    assert all(np.isfinite(m).all() for m in maps)
