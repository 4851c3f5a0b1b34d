"""Scoring and tuning, whatever the kind of network."""

from __future__ import annotations

import json

import numpy as np
import pytest
from monai.data import Dataset
from torch import nn

from cxr_common.errors import InputError
from cxr_common.evaluation import BoxPredictions, Strategy, run, score, tune
from cxr_common.findings import BoxThresholds, load_thresholds
from cxr_common.networks import save_weights, weights_sha256

LABELS = ["a", "b"]


class Counting(Strategy[BoxPredictions, BoxThresholds]):
    """Finds nothing, and reports what it is asked for."""

    def predict(self, network, dataset, labels, device):
        n = len(dataset.data)
        return BoxPredictions(
            labels=labels,
            items=list(dataset.data),
            sizes=np.full((n, 2), 8),
            input_size=(8, 8),
            label=np.full((n, 2), np.nan),
            rows=np.tile([0, 0, 0, 0, 0, -1.0], (n, 1, 1)),
            logits=np.zeros((n, 2)),
        )

    def report(self, predictions, thresholds, **options):
        return {"images": len(predictions.items), **options}

    def tune(self, network, dataset, labels, device, kept=None):
        return BoxThresholds(tuple(labels), dict.fromkeys(labels, 0.3), tuned_on={"n": len(dataset.data)})


@pytest.fixture
def made(tmp_path):
    network = nn.Linear(1, 1)
    save_weights(network, tmp_path / "model.pt")
    (tmp_path / "a.png").write_bytes(b"pixels")
    return network, Dataset([{"image": str(tmp_path / "a.png")}]), tmp_path


def test_a_score_is_the_strategys_report_and_what_it_was_made_with(made):
    network, dataset, folder = made
    thresholds = BoxThresholds.default(LABELS)
    report = score(Counting(), network, dataset, thresholds, folder / "out", weights=folder / "model.pt", seed=3)
    assert json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8")) == report
    assert (report["images"], report["n_resamples"], report["seed"]) == (1, 1000, 3)
    assert report["thresholds"]["decision"] == {"a": 0.5, "b": 0.5}
    assert report["weights_sha256"] == weights_sha256(folder / "model.pt")
    kept = BoxPredictions.load(folder / "out" / "predictions.npz")
    assert (kept.items, kept.labels, kept.input_size) == (dataset.data, LABELS, (8, 8))


def test_tuned_thresholds_carry_the_hash_of_their_weights_and_lie_beside_them(made):
    network, dataset, folder = made
    tuned = tune(Counting(), network, dataset, LABELS, folder)
    assert tuned.weights_sha256 == weights_sha256(folder / "model.pt")
    assert load_thresholds(folder / "thresholds.json", LABELS, folder / "model.pt") == tuned


def test_tuned_thresholds_name_the_scale_of_grey_values(made, monkeypatch):
    network, dataset, folder = made
    monkeypatch.setattr(run, "used_settings", lambda: {"intensity_mean": 0.25, "intensity_std": 0.5, "batch_size": 2})
    tune(Counting(), network, dataset, LABELS, folder)
    kept = load_thresholds(folder / "thresholds.json", LABELS, folder / "model.pt")
    assert kept.tuned_on == {"n": 1, "intensity": {"mean": 0.25, "std": 0.5}}


def test_other_weights_are_tuned_elsewhere_and_what_stays_is_named(made):
    network, dataset, folder = made
    before = BoxThresholds(tuple(LABELS), {"a": 0.3, "b": 0.4})
    tuned = tune(Counting(), network, dataset, LABELS, folder / "new", weights=folder / "model.pt", kept=before)
    assert load_thresholds(folder / "new" / "thresholds.json", LABELS, folder / "model.pt") == tuned
    assert tuned.tuned_on == {"n": 1, "unchanged": {"decision": ["a"]}}
    assert not (folder / "thresholds.json").exists()


def test_thresholds_that_weights_have_are_not_replaced(made):
    network, dataset, folder = made
    tune(Counting(), network, dataset, LABELS, folder)
    before = (folder / "thresholds.json").read_bytes()
    (folder / "link").symlink_to(folder)
    options = {"weights": folder / "model.pt", "kept": BoxThresholds.default(LABELS)}
    for output in (folder, folder / "link"):
        with pytest.raises(InputError, match="holds the thresholds that these weights have"):
            tune(Counting(), network, dataset, LABELS, output, **options)
    assert (folder / "thresholds.json").read_bytes() == before


def test_one_process_of_several_tunes(made, monkeypatch):
    network, dataset, folder = made
    monkeypatch.setattr(run, "is_first_process", lambda: False)
    assert tune(Counting(), network, dataset, LABELS, folder) is None
    assert not (folder / "thresholds.json").exists()
