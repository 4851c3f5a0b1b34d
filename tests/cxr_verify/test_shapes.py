"""Genuine shapes pass, but for what is known of them."""

from __future__ import annotations

import pytest

from cxr_verify.options import Options
from cxr_verify.outcome import Status
from cxr_verify.runner import verify
from cxr_verify.source import open_bundle
from tests.cxr_verify import shapes

pytestmark = pytest.mark.slow

# What MONAI Label wants are warnings: these do not say that they are for it.
KNOWN = {
    "spleen": ({}, {"label.dtype"}),
    "endoscopic": ({}, {"label.affine"}),
    "brats": ({}, {"label.dtype"}),
    # MONAI reaches scripts in `initialize`, before the bundle's folder is on the path.
    "lung": ({"running.foreign_directory"}, {"label.boxes"}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_genuine_shape_is_told_as_it_is(name, tmp_path):
    with open_bundle(getattr(shapes, name)(tmp_path)) as bundle:
        results = {result.check: result for result in verify(bundle, Options())}
    told = {s: {i: r.problems for i, r in results.items() if r.status is s} for s in Status}
    fails, warnings = KNOWN[name]
    assert not told[Status.ERROR]
    assert set(told[Status.FAIL]) == set(fails), told[Status.FAIL]
    assert set(told[Status.WARNING]) == warnings, told[Status.WARNING]
    for id in ("network.random", "weights.strict", "running.builds", "label.runs", "configs.infer_ids"):
        assert results[id].status in (Status.PASS, Status.SKIPPED)
    assert results["network.random"].note


def test_the_zoo_would_take_them_all(tmp_path):
    for make in (shapes.spleen, shapes.lung):
        with open_bundle(make(tmp_path)) as bundle:
            results = list(verify(bundle, Options(zoo=True)))
        assert {r.status for r in results} <= {Status.PASS, Status.SKIPPED}
        assert len(results) > 8
