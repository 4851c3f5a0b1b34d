"""Heatmap methods of the bundle's inference: same classification, other maps."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.phantom import make_phantom
from cxr_common.findings.heatmap_file import load_heatmap
from tests.bundles.workflow import findings_of
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_gradcam_classification"
METHODS = ("cam", "gradcam", "gradcampp", "gradcampp_wsmis", "layercam")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Method -> probabilities (C,) and heatmaps (C, X, Y) of one phantom, and the record's model."""
    folder = tmp_path_factory.mktemp("methods")
    (folder / "in").mkdir()
    picture = (make_phantom(99, 3, findings=("Consolidation",)).image * 255).astype(np.uint8)
    Image.fromarray(picture).save(folder / "in" / "x.png")
    found = {}
    for method in METHODS:
        record = findings_of(BUNDLE, folder / "in", folder / method, **{"inferer#method": method})
        (image,) = record["images"]
        heatmap = load_heatmap(folder / method / image["files"]["heatmap"]).heatmap.astype(np.float64)
        found[method] = np.array([f["probability"] for f in image["findings"]]), heatmap, record["model"]
    return found


def test_the_method_does_not_change_the_probabilities(runs):
    for probabilities, _, _ in runs.values():
        np.testing.assert_allclose(probabilities, runs["cam"][0], atol=2e-5)


def test_the_largest_pixel_is_the_probability(runs):
    """Resizing a map of 4 x 4 cells lowers a peak between cells, and never raises one."""
    for probabilities, maps, _ in runs.values():
        peaks = maps.max((-2, -1))
        assert (peaks <= probabilities + 1e-3).all()
        assert (peaks >= 0.7 * probabilities).all()


def test_every_two_methods_give_different_maps(runs):
    for one, other in combinations(METHODS, 2):
        assert np.abs(runs[one][1] - runs[other][1]).max() > 1e-3, (one, other)
    assert all(np.isfinite(maps).all() for _, maps, _ in runs.values())


def test_the_record_says_which_method_it_was(runs):
    assert {method: model["saliency"]["method"] for method, (_, _, model) in runs.items()} == {m: m for m in METHODS}
