from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cxr_common.errors import InputError
from cxr_common.evaluation.scored import Scored
from cxr_common.labels import LABELS
from cxr_common.localization.gallery import gallery_rows
from tests.tools.results.test_localizers import make
from tools.results.experiment import Data
from tools.results.localizers import Localizers
from tools.results.settings import Options

MADE_WITH = {"recipe": "abc", "inferer": None, "test_sha256": {"phantoms": "p", "nih": "n"}}
ABOUT = {"weights_sha256": "weights", "minutes": 1.5, "machine": "x", "relevance": {}}


@pytest.fixture
def predictions():
    return {"phantoms": make(0.7, 1.0, 1), "nih": make(0.3, 0.5, 2, n=20)}


class Planned(Localizers):
    """Localisers of which nothing is trained here but a network that says what is given."""

    def __init__(self, folder, predictions):
        self.options = Options(Path("own.yaml"), folder, folder, folder)
        self.data = Data({}, {name: one.items for name, one in predictions.items()})
        self.said = predictions

    def predict(self, run, made_with, test):
        return self.said[test]

    def facts(self, run):
        return run

    def make_data(self):
        """The data are given, so nobody asks for them."""

    def score_tests(self, methods):
        """Nor for figures."""


def test_what_is_kept_is_what_was_measured(tmp_path, predictions):
    here = Planned(tmp_path, predictions)
    made = here.measure("cam-seed0", MADE_WITH, ABOUT)
    kept = here.load("cam-seed0", MADE_WITH)
    assert kept.about == ABOUT
    for test, one in predictions.items():
        expected = Scored.of(one)
        for found in (made.scored[test], kept.scored[test]):
            np.testing.assert_array_equal(found.points, expected.points)
            assert list(found.overlaps) == list(expected.overlaps)
            for name, table in expected.overlaps.items():
                np.testing.assert_array_equal(found.overlaps[name], table)
            np.testing.assert_array_equal(found.predictions.logits, one.logits)
            np.testing.assert_array_equal(found.predictions.label, one.label)
            assert found.predictions.patients == one.patients
            assert found.predictions.input_size == one.input_size
    rows = gallery_rows(predictions["phantoms"].items)
    assert rows == [(LABELS.index("Nodule"), 0)]
    np.testing.assert_array_equal(kept.gallery[0], predictions["phantoms"].maps[0, LABELS.index("Nodule")])
    assert [path.name for path in (tmp_path / "outcomes" / "own").iterdir()] == ["cam-seed0.npz"]


@pytest.mark.parametrize(
    "change",
    [{"recipe": "other"}, {"inferer": {"_target_": "x"}}, {"test_sha256": {"phantoms": "p", "nih": "changed"}}],
)
def test_another_recipe_or_heatmap_or_other_test_images_are_not_known(tmp_path, predictions, change):
    here = Planned(tmp_path, predictions)
    here.measure("cam-seed0", MADE_WITH, ABOUT)
    assert here.load("cam-seed0", {**MADE_WITH, **change}) is None
    assert here.load("cam-seed1", MADE_WITH) is None


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "text", "foreign", "array"])
def test_what_is_damaged_or_something_else_is_named(tmp_path, predictions, damage):
    """Neither a traceback nor hours of training for what git can restore."""
    here = Planned(tmp_path, predictions)
    here.measure("cam-seed0", MADE_WITH, ABOUT)
    path = here.outcome_file("cam-seed0")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    damaged = {
        "cut": content[:-200],
        "changed": content,
        "empty": b"",
        "text": b"version https://git-lfs",
        "foreign": b"",
    }
    path.write_bytes(damaged.get(damage, b""))
    if damage == "foreign":
        np.savez(path, heatmap=np.zeros(3))
    elif damage == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"cam-seed0\.npz.*is damaged, or holds no outcome.*git checkout"):
        here.load("cam-seed0", MADE_WITH)


def test_a_table_that_is_not_of_hits_is_refused(tmp_path, predictions, monkeypatch):
    whole = Scored.of

    def halves(predictions):
        one = whole(predictions)
        return dataclasses.replace(one, points=one.points / 2)

    monkeypatch.setattr(Scored, "of", halves)
    with pytest.raises(ValueError, match="0, 1 and NaN"):
        Planned(tmp_path, predictions).measure("cam-seed0", MADE_WITH, ABOUT)
    assert not any(tmp_path.iterdir())
