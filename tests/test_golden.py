"""The golden vectors are those the manifest names, and parts of a file join to the whole."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pytest

from tests import golden

MANIFEST = json.loads((golden.GOLDEN / "manifest.json").read_text())
NOT_VECTORS = {"README.md", "manifest.json"}


def test_every_file_is_listed_and_every_listed_file_is_here():
    assert {p.name for p in golden.GOLDEN.iterdir()} - NOT_VECTORS == set(MANIFEST)


@pytest.mark.parametrize("name", MANIFEST)
def test_a_file_is_the_one_that_was_computed(name):
    content, entry = (golden.GOLDEN / name).read_bytes(), MANIFEST[name]
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(content) < 1e6
    assert entry["repository"] and entry["licence"]
    assert re.fullmatch(r"[0-9a-f]{12}|[0-9.]+", entry["commit"])  # pycocotools: a release


def test_parts_join_along_the_first_axis(tmp_path, monkeypatch):
    monkeypatch.setattr(golden, "GOLDEN", tmp_path)
    whole = np.arange(12.0).reshape(3, 4)
    np.savez(tmp_path / "case-0.npz", a=whole[:2], b=np.float64(5))
    np.savez(tmp_path / "case-1.npz", a=whole[2:], c=whole)
    found = golden.load("case")
    assert set(found) == {"a", "b", "c"} and found["b"] == 5
    np.testing.assert_array_equal(found["a"], whole)
    np.testing.assert_array_equal(found["c"], whole)


def test_numpy_still_draws_the_numbers_that_weights_were_made_of():
    drawn = np.random.default_rng(105 * 100000).standard_normal(4)
    np.testing.assert_allclose(drawn, [-1.12888420, -0.86262021, -0.62218138, -1.69437929], atol=5e-9)
