from __future__ import annotations

import json

import numpy as np
import pytest

from cxr_common.errors import InputError
from cxr_common.evaluation.scored import Scored
from tests.tools.results.test_localizers import make
from tools.results.figures import Figure, ScoredSet, check_claims, compare, verdict

GROUPS = [*map(str, range(60))]


@pytest.fixture(scope="module")
def methods():
    made = {"good": [make(0.95, 1.0, 1), make(0.8, 1.0, 2)], "plain": [make(0.2, 1.0, 3)]}
    listed = {name: {seed: Scored.of(one).without("Opacity") for seed, one in enumerate(s)} for name, s in made.items()}
    return {**listed, "plain": {1: listed["plain"][0]}}


def figure(methods, name, of="micro", **options):
    return Figure.measured(methods, name, of, **options)


def test_a_clear_difference_excludes_zero_and_equal_skill_does_not(methods):
    points = compare(figure(methods, "point", misses=True), GROUPS, "plain")
    assert points.difference["good"]["low"] > 0 and points.fewer_misses["good"]["value"] > 0.5
    labels = compare(figure(methods, "auroc", "macro"), GROUPS, "plain")
    assert labels.difference["good"]["low"] < 0 < labels.difference["good"]["high"]
    assert labels.fewer_misses == {} and "plain" not in labels.difference
    json.dumps(points.model_dump(), allow_nan=False)


def test_seeds_are_averaged_counted_and_listed(methods):
    points = compare(figure(methods, "point", by_seed=True), GROUPS, "plain")
    assert points.methods["good"]["n_seeds"] == 2
    assert np.mean(points.by_seed["good"]) == pytest.approx(points.methods["good"]["value"])
    assert points.by_seed["good"][0] != points.by_seed["good"][1]


def test_without_a_baseline_and_where_it_is_not_wanted_nothing_is_compared(methods):
    assert compare(figure(methods, "point"), GROUPS, "absent").difference == {}
    assert compare(figure(methods, "point"), GROUPS).difference == {}
    assert compare(figure(methods, "point", compared=False), GROUPS, "plain").difference == {}


def test_chance_is_listed_and_compared_with_nothing(methods):
    both = {**methods, "random pixel": methods["plain"]}
    found = compare(figure(both, "point", by_seed=True), GROUPS, "plain")
    assert "random pixel" in found.methods
    assert list(found.difference) == ["good"] and "random pixel" not in found.by_seed


def test_claims_are_tested_on_the_seeds_both_have(methods):
    figures = [figure(methods, "point"), figure(methods, "point", "Nodule"), figure(methods, "auroc", "macro")]
    test = ScoredSet("phantoms", GROUPS, figures, "plain")
    claims = [
        {"first": "good", "second": "plain"},
        {"first": "plain", "second": "good", "figure": "point", "class": "Nodule"},
        {"first": "good", "second": "plain", "figure": "auroc", "margin": 0.5},
        {"first": "good", "second": "untrained", "figure": "point"},
    ]
    found = list(check_claims(claims, [test]))
    assert [c.verdict for c in found] == ["holds", "fails", "holds", "not measured"]
    assert (found[0].test, found[0].figure, found[1].class_) == ("phantoms", "point", "Nodule")
    assert found[0].difference["n_seeds"] == 1
    assert found[0].difference["value"] == pytest.approx(-found[1].difference["value"])
    second = {name: {1: seeds[1]} for name, seeds in methods.items()}
    assert found[0].difference == compare(figure(second, "point"), GROUPS, "plain").difference["good"]
    with pytest.raises(InputError, match="no figure 'points'"):
        list(check_claims([{"first": "good", "second": "plain", "figure": "points"}], [test]))


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (0.1, 0.2, 0, "holds"),
        (-0.1, 0.2, 0, "undecided"),
        (-0.1, 0.2, 0.15, "holds"),
        (-0.1, 0.2, 0.05, "undecided"),
        (-0.2, -0.01, 0.05, "undecided"),
        (-0.2, -0.1, 0.05, "fails"),
        (-0.2, -0.1, 0, "fails"),
        (None, None, 0, "not measured"),
    ],
)
def test_verdicts(low, high, margin, expected):
    counts = {"level": 0.95, "n_patients": 1, "n_images": 1, "n_seeds": 1, "n_resamples": 1}
    assert verdict({"value": 0.0, "low": low, "high": high, **counts}, margin) == expected
    assert verdict(None, margin) == "not measured"
