from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from cxr_common.errors import InputError
from tests.golden import REPOSITORY, SHARED, needs_radiographs
from tools.results import opacity_probe
from tools.results.opacity_features import read_nih_table
from tools.results.opacity_others import machines, other_items, other_rows, tones
from tools.results.opacity_rows import Rows, network_scores, read_rows
from tools.results.opacity_tables import others, probe
from tools.results.options import Options

EXPERIMENT = REPOSITORY / "tools" / "results" / "opacity_probe.yaml"
RECORD = REPOSITORY / "docs" / "results" / "opacity_probe.json"
OUTCOMES = REPOSITORY / "docs" / "results" / "outcomes" / "localization"
needs_nih = pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images (../shared/nih) are not here")


@pytest.fixture(scope="module")
def settings():
    return yaml.safe_load(EXPERIMENT.read_text())


@pytest.fixture(scope="module")
def table(settings):
    return read_nih_table(SHARED / "cxr" / settings["table"])


@pytest.fixture(scope="module")
def rows(settings, table):
    return read_rows(settings["mapping"], SHARED / "cxr", table)


@needs_radiographs
def test_rows_are_those_that_the_networks_are_scored_on(rows):
    learnt, scored = rows
    assert not set(learnt.patients) & set(scored.patients)
    assert (int(scored.present.sum()), int((~scored.present).sum())) == (135, 68)
    for item, entry, ill in zip(scored.items, scored.entries, scored.present):
        assert entry["Image Index"].removesuffix(".png") in item["image"]
        assert ("Pneumonia" in entry["Finding Labels"]) == ill
    networks = network_scores(OUTCOMES, scored)
    assert "pylon-seed0" in networks and len({weights for weights, _ in networks.values()}) == len(networks)
    mixed = Rows(scored.items, scored.entries, ~scored.present)
    with pytest.raises(InputError, match="is of other images"):
        network_scores(OUTCOMES, mixed)


@needs_radiographs
def test_others_are_of_nobody_who_is_learnt_from(rows, table, settings):
    learnt, scored = rows
    for found, label in zip(other_rows(table, learnt, scored), ("Pneumonia", "No Finding")):
        assert found and all(label in entry["Finding Labels"] for entry in found)
        assert not {int(e["Patient ID"]) for e in found} & {item["patient_number"] for item in learnt.items}
        assert not {e["Image Index"] for e in found} & {e["Image Index"] for e in scored.entries}
    for part in machines(settings["detectors"], table, learnt, scored).values():
        assert sum(part["shares"].values()) == pytest.approx(1)


@needs_radiographs
@needs_nih
def test_figures_of_the_result_file_come_out_again(rows, table, settings):
    """Those that need no picture."""
    learnt, scored = rows
    record = json.loads(RECORD.read_text())
    found = opacity_probe.elsewhere(settings, table, learnt, scored)
    assert found["n_pneumonia"] == record["elsewhere"]["n_pneumonia"]
    for name in ("disease", "selection"):
        assert found[name]["value"] == pytest.approx(record["elsewhere"][name]["value"], abs=1e-3)
    other = other_items(settings["other"]["mapping"], SHARED / "nih")
    brightness = tones(scored.items[:3], other[:30])
    assert sum(view["images"] for view in brightness["No Finding, others"].values()) <= 30


def test_a_probe_finds_what_is_there_and_no_more(settings):
    rng = np.random.default_rng(0)
    ill = rng.random(400) < 0.5
    told, noise = rng.standard_normal((400, 1)) + 3 * ill[:, None], rng.standard_normal((400, 2))
    first, second = ({"a": told[half], "b": noise[half]} for half in (slice(200), slice(200, None)))
    scores = {g: opacity_probe._probe(settings, first, ill[:200], second, [g]) for g in "ab"}
    patients = [str(i // 2) for i in range(200)]
    found = {g: opacity_probe._auroc(s, ill[200:], patients) for g, s in scores.items()}
    assert found["a"]["value"] > 0.95 and found["b"]["low"] < 0.5 < found["b"]["high"]
    assert found["a"]["n_patients"] == 100


def test_without_the_radiographs_it_says_so(tmp_path):
    with pytest.raises(InputError, match="the real radiographs are not there"):
        opacity_probe.run_opacity_probe(Options(EXPERIMENT, tmp_path, tmp_path / "none", tmp_path))


def test_the_tables_name_every_group(settings):
    record = json.loads(RECORD.read_text())
    assert record["recipe"] == settings, "the recipe changed: run the experiment again"
    text = probe(record)
    assert all(f"| {name} |" in text for name in settings["groups"])
    assert "| No Finding, this set (500) | 0.4% | 0.4% |" in others(record)
    record["rank_correlation"] = {}
    assert "rank correlation" not in probe(record)
