"""The random walk that inference takes: the thresholds' own, or what the command line puts in its place."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from cxr_common.data.phantom import make_phantom
from tests.bundles.workflow import findings_of
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_irn_refinement"


@pytest.mark.parametrize("given", [{}, {"steps": 8}, {"radius": 3, "beta": 5, "steps": 8}])
def test_the_record_says_the_walk_that_was_walked(tmp_path, given):
    picture = (make_phantom(99, 1, findings=("Cardiomegaly",)).image[:, :200] * 255).astype("uint8")
    Image.fromarray(picture).save(tmp_path / "x.png")
    record = findings_of(BUNDLE, tmp_path, tmp_path / "out", **given)
    assert record["failures"] == []
    shipped = json.loads((BUNDLE / "models" / "thresholds.json").read_text())["walk"]
    assert record["model"]["thresholds"]["walk"] == {**shipped, **given}
