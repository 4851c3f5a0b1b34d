import json

import numpy as np
import pytest

from cxr_common.metrics import (
    auroc,
    bootstrap,
    bootstrap_ci,
    hit_rates,
    macro_average,
    miss_reduction,
    paired_difference,
    paired_miss_reduction,
    patient_counts,
    per_class,
)


def mean_of(values):
    values = np.asarray(values, float)
    return lambda counts: counts @ values / counts.sum(-1)


def test_patients_are_drawn_with_all_their_images():
    groups = ["b", "a", "b", 3, "3"]
    counts = patient_counts(groups, 500, np.random.default_rng(0))
    assert (counts[:, 0] == counts[:, 2]).all() and (counts[:, 3] == counts[:, 4]).all()
    per_patient = counts[:, [0, 1, 3]]
    assert (per_patient.sum(1) == 3).all()
    np.testing.assert_allclose(per_patient.mean(0), 1, atol=0.15)
    assert set(per_patient.ravel()) == {0, 1, 2, 3}


def test_equals_a_plain_loop():
    rng = np.random.default_rng(3)
    values, groups = rng.random(40), rng.integers(0, 15, 40)
    interval = bootstrap_ci(mean_of(values), groups, n_resamples=4000, seed=5, level=0.9)
    patients = np.unique(groups)
    means = []
    for _ in range(4000):
        drawn = rng.choice(patients, len(patients))
        means.append(np.concatenate([values[groups == p] for p in drawn]).mean())
    assert interval.value == pytest.approx(values.mean())
    np.testing.assert_allclose([interval.low, interval.high], np.quantile(means, [0.05, 0.95]), atol=0.01)
    assert (interval.n_patients, interval.n_images, interval.n_seeds, interval.level) == (15, 40, 1, 0.9)
    assert interval.n_resamples == 4000


def test_the_seed_alone_decides():
    values, groups = np.arange(20.0), np.arange(20)
    first, again, other = (bootstrap_ci(mean_of(values), groups, n_resamples=300, seed=s) for s in (1, 1, 2))
    assert first == again and first != other


def test_patients_give_wider_intervals_than_images():
    """Copies of an image say nothing new: resampling them as if they did halves the interval."""
    values = np.repeat(np.random.default_rng(0).random(30), 4)
    patients = bootstrap_ci(mean_of(values), np.repeat(np.arange(30), 4))
    images = bootstrap_ci(mean_of(values), np.arange(120))
    ratio = (patients.high - patients.low) / (images.high - images.low)
    assert ratio == pytest.approx(2, rel=0.15)


def test_coverage_of_a_known_mean():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(150):
        interval = bootstrap_ci(mean_of(rng.normal(size=60)), range(60), n_resamples=300, seed=trial)
        covered += interval.low <= 0 <= interval.high
    assert 0.88 <= covered / 150 <= 0.99


def test_statistic_of_several_values_and_replicates_without_a_value():
    scores = np.array([[0.9, 0.1], [0.1, 0.4], [0.5, 0.3], [0.2, 0.2]])
    labels = np.array([[1, 1], [0, 0], [1, 0], [0, 0]])
    first, second = bootstrap([[lambda w: per_class(auroc, scores, labels, w)]], lambda a: a, list("abcd"))
    assert first.value == 1 and second.value == 0
    assert second.n_resamples < first.n_resamples < 2000  # the only positive of class 1 is often not drawn
    [never] = bootstrap([[lambda w: per_class(auroc, scores[:, :1], labels[:, :1] * 0, w)]], lambda a: a, list("abcd"))
    assert np.isnan([never.value, never.low, never.high]).all() and never.n_resamples == 0
    assert never.to_dict()["low"] is None and json.loads(json.dumps(second.to_dict(), allow_nan=False))["value"] == 0


def test_paired_difference_is_narrower_than_the_spread_of_either():
    rng = np.random.default_rng(0)
    easy = rng.random(80)
    a, b = mean_of(easy + 0.1), mean_of(easy)
    difference = paired_difference(a, b, range(80))
    assert [difference.value, difference.low, difference.high] == pytest.approx([0.1] * 3)
    alone = bootstrap_ci(a, range(80))
    assert alone.high - alone.low > 0.05
    noisy = paired_difference(mean_of(rng.random(80)), mean_of(rng.random(80)), range(80))
    assert noisy.high - noisy.low > 0.05


def test_paired_difference_turns_round():
    rng = np.random.default_rng(2)
    a, b = mean_of(rng.random(30)), mean_of(rng.random(30))
    one, other = paired_difference(a, b, range(30)), paired_difference(b, a, range(30))
    assert [one.value, one.low, one.high] == pytest.approx([-other.value, -other.high, -other.low])


def test_seeds_are_averaged_and_their_spread_counts():
    values = np.random.default_rng(0).random(50)
    seeds = [mean_of(values + shift) for shift in (-0.3, 0, 0.3)]
    several, single = bootstrap_ci(seeds, range(50)), bootstrap_ci(seeds[1], range(50))
    assert several.value == pytest.approx(single.value) and several.n_seeds == 3
    assert several.high - several.low > 2 * (single.high - single.low)
    # Patients that all agree leave the seeds as the only spread: means of three draws from (-.3, 0, .3).
    flat = [mean_of(np.full(50, shift)) for shift in (-0.3, 0.0, 0.3)]
    means = [np.mean(d) for d in np.stack(np.meshgrid(*[[-0.3, 0, 0.3]] * 3)).reshape(3, -1).T]
    interval = bootstrap_ci(flat, range(50))
    assert [interval.low, interval.high] == pytest.approx([min(means), max(means)])
    same = paired_difference(seeds, seeds[:2], range(50))
    assert same.n_seeds == 2


def test_miss_reduction():
    np.testing.assert_allclose(miss_reduction([0.8, 0.5, 1], [0.6, 0.5, 1]), [0.5, 0, np.nan])
    hits_a, hits_b = np.r_[np.ones(80), np.zeros(20)], np.r_[np.ones(60), np.zeros(40)]
    interval = paired_miss_reduction(mean_of(hits_a), mean_of(hits_b), range(100))
    assert interval.value == pytest.approx(0.5) and 0.3 < interval.low < 0.5 < interval.high < 0.7


def test_metrics_take_counts_as_weights():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (200, 3))
    scores, groups = labels + rng.normal(size=(200, 3)), rng.integers(0, 90, 200)
    interval = bootstrap_ci(lambda w: macro_average(per_class(auroc, scores, labels, w)), groups)
    assert interval.low < interval.value < interval.high and interval.high - interval.low < 0.2
    hits = rng.choice([0, 1, np.nan], (200, 3))
    interval = bootstrap_ci(lambda w: hit_rates(hits, w).macro, groups)
    assert interval.low < interval.value < interval.high


@pytest.mark.parametrize("change", [{"groups": []}, {"methods": []}, {"methods": [[]]}, {"level": 1.0}])
def test_nothing_to_resample_is_refused(change):
    arguments = {"methods": [[mean_of([1, 2])]], "combine": lambda a: a, "groups": [1, 2], "level": 0.95} | change
    with pytest.raises(ValueError, match="needs images"):
        bootstrap(**arguments)
