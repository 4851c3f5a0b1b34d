from __future__ import annotations

import numpy as np
import pytest

from cxr_common.errors import InputError
from cxr_common.metrics import auroc
from cxr_common.metrics.statistics import label_statistic
from tests.golden import REPOSITORY, SHARED, needs_radiographs
from tools.image_cues import opacity_probe
from tools.image_cues.features import read_nih_table
from tools.image_cues.opacity_probe import network_scores
from tools.image_cues.probe import probe
from tools.image_cues.rows import Rows, machine_sets, other_rows, read_items, read_rows, tone_sets
from tools.image_cues.sets import machines, tones
from tools.results.figures import Figure, compare
from tools.results.record import read_result
from tools.results.settings import Options, load_settings
from tools.results.tables import render_macro

EXPERIMENT = REPOSITORY / "tools" / "image_cues" / "opacity_probe.yaml"
RECORD = REPOSITORY / "docs" / "results" / "opacity_probe.json"
OUTCOMES = REPOSITORY / "docs" / "results" / "outcomes" / "localization"
needs_nih = pytest.mark.skipif(not (SHARED / "nih").is_dir(), reason="NIH images (../shared/nih) are not here")


@pytest.fixture(scope="module")
def settings():
    return load_settings(EXPERIMENT)


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
    for part in machines(settings["detectors"], machine_sets(table, learnt, scored)).values():
        assert sum(part["shares"].values()) == pytest.approx(1)


@needs_radiographs
@needs_nih
def test_figures_of_the_result_file_come_out_again(rows, table, settings):
    """Those that need no picture."""
    learnt, scored = rows
    record = read_result(RECORD)
    for test in opacity_probe.elsewhere(settings, table, learnt, scored):
        found, kept = test.record(), record["tests"][test.name]
        assert found.counts == kept["counts"]
        [[one], [other]] = (figures["auroc"].values() for figures in (found.figures, kept["figures"]))
        [name] = one.methods
        assert one.methods[name]["value"] == pytest.approx(other["methods"][name]["value"], abs=1e-3)
    other = read_items(settings["other"]["mapping"], SHARED / "nih")["training"]
    brightness = tones(tone_sets(scored.items[:3], other[:30]))
    assert sum(view["images"] for view in brightness.get("No Finding, others", {}).values()) <= 30


def test_a_probe_finds_what_is_there_and_no_more(settings):
    rng = np.random.default_rng(0)
    ill = rng.random(400) < 0.5
    told, noise = rng.standard_normal((400, 1)) + 3 * ill[:, None], rng.standard_normal((400, 2))
    first, second = ({"a": told[half], "b": noise[half]} for half in (slice(200), slice(200, None)))
    scores = {g: probe(settings, first, ill[:200], second, [g]) for g in "ab"}
    patients = [str(i // 2) for i in range(200)]
    told = {g: {0: label_statistic(auroc, s[:, None], ill[200:, None])} for g, s in scores.items()}
    found = compare(Figure("auroc", "all", told), patients).methods
    assert found["a"]["value"] > 0.95 and found["b"]["low"] < 0.5 < found["b"]["high"]
    assert found["a"]["n_patients"] == 100


def test_without_the_radiographs_it_says_so(tmp_path):
    with pytest.raises(InputError, match="the real radiographs are not there"):
        opacity_probe.OpacityProbe(Options(EXPERIMENT, tmp_path, tmp_path / "none", tmp_path))


def test_the_tables_name_every_group(settings):
    record = read_result(RECORD)
    assert record["recipe"] == settings, "the recipe changed: run the experiment again"
    text = render_macro("opacity", "probe", record)
    assert all(f"| {name} |" in text for name in settings["groups"])
    assert "| No Finding, this set (500) | 0.4% | 0.4% |" in render_macro("opacity", "others", record)
    record["notes"]["rank_correlation"] = {}
    assert "rank correlation" not in render_macro("opacity", "probe", record)
