"""Intervals against scipy.stats, against closed forms and against drawing by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from facealign.metrics import quantile_coverage, quantile_interval, ratio_intervals, share_interval


@pytest.fixture
def errors():
    return np.random.default_rng(3).gamma(2, 0.02, 150)


def test_the_interval_of_a_mean_is_scipys(errors):
    columns = np.stack([errors, np.maximum(0, 0.08 - errors) / 0.08, errors > 0.08], axis=1)
    found = ratio_intervals(columns, np.ones((len(errors), 1)), resamples=4000)
    for column, interval in zip(columns.T, found):
        reference = stats.bootstrap((column,), np.mean, n_resamples=4000, method='percentile', random_state=1)
        width = reference.confidence_interval.high - reference.confidence_interval.low
        assert interval == pytest.approx(
            list(reference.confidence_interval), abs=max(0.05 * width, 1.5 / len(errors) * (column.max() == 1))
        )


def test_a_ratio_of_sums_resamples_faces_not_points():
    random = np.random.default_rng(0)
    count = random.integers(1, 107, 80)
    total = count * random.gamma(2, 1, 80)
    (found,) = ratio_intervals(total[:, None], count[:, None], resamples=4000)
    drawn = random.integers(0, 80, (4000, 80))
    reference = np.quantile(total[drawn].sum(1) / count[drawn].sum(1), [0.025, 0.975])
    assert found == pytest.approx(reference, abs=0.06 * np.ptp(reference))


def test_each_ratio_takes_its_own_denominator(errors):
    half = np.arange(len(errors)) % 2 == 0
    above = np.stack([errors, errors * half], axis=1)
    below = np.stack([np.ones(len(errors)), half], axis=1)
    both = ratio_intervals(above, below, np.array([0, 1]))
    assert (both[:, 0] < [errors.mean(), errors[half].mean()]).all()
    assert (both[:, 1] > [errors.mean(), errors[half].mean()]).all()
    assert np.ptp(both[1]) > np.ptp(both[0])  # fewer faces, less certain


def test_the_same_seed_gives_the_same_interval(errors):
    ones = np.ones((len(errors), 1))
    assert np.array_equal(ratio_intervals(errors[:, None], ones), ratio_intervals(errors[:, None], ones))
    assert not np.array_equal(ratio_intervals(errors[:, None], ones, seed=1), ratio_intervals(errors[:, None], ones))


def test_nothing_to_divide_by_gives_nan():
    found = ratio_intervals(np.zeros((5, 1)), np.zeros((5, 1)))
    assert np.isnan(found).all()
    assert np.isnan(ratio_intervals(np.zeros((0, 2)), np.ones((0, 1)))).all()


@pytest.mark.parametrize('q', [0.5, 0.9, 0.95, 0.99])
def test_the_interval_of_a_quantile_is_that_of_drawing(errors, q):
    random = np.random.default_rng(0)
    drawn = np.sort(errors[random.integers(0, len(errors), (20_000, len(errors)))], axis=1)
    order_statistic = drawn[:, int(np.ceil(q * len(errors))) - 1]
    reference = np.quantile(order_statistic, [0.025, 0.975], method='inverted_cdf')
    found = np.searchsorted(np.sort(errors), quantile_interval(errors, q))
    expected = np.searchsorted(np.sort(errors), reference)
    assert np.abs(found - expected).max() <= 1  # 20,000 draws may be off by a neighbour


def test_failures_widen_a_quantile_to_infinity():
    errors = np.array([0.01] * 90 + [np.inf] * 10)
    assert quantile_interval(errors, 0.5) == (0.01, 0.01)
    assert quantile_interval(errors, 0.95) == (np.inf, np.inf) or quantile_interval(errors, 0.95)[1] == np.inf


@pytest.mark.parametrize('n', [1, 30, 554])
def test_the_interval_of_a_share_is_scipys_exact_one(n):
    for hits in {0, 1, n // 3, n - 1, n}:
        reference = stats.binomtest(hits, n).proportion_ci(0.95, method='exact')
        assert share_interval(hits, n) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert share_interval(0, n) == pytest.approx((0, 1 - 0.025 ** (1 / n)))
    assert share_interval(n, n) == pytest.approx((0.025 ** (1 / n), 1))
    assert np.isnan(share_interval(0, 0)).all()


@pytest.mark.parametrize('share', [0.001, 0.02, 0.3, 0.99])
@pytest.mark.parametrize('n', [30, 163, 554])
def test_the_interval_of_a_share_covers_what_it_says(share, n):
    drawn = np.random.default_rng(0).binomial(n, share, 20_000)
    ends = np.array([share_interval(hits, n) for hits in range(n + 1)])[drawn]
    assert ((ends[:, 0] <= share) & (share <= ends[:, 1])).mean() >= 0.95 - 0.005  # 20,000 draws: 3 sigma


@pytest.mark.parametrize(('n', 'q'), [(30, 0.99), (30, 0.5), (163, 0.95), (163, 0.99), (554, 0.99)])
def test_the_coverage_of_a_quantile_is_that_of_drawing(n, q):
    random = np.random.default_rng(1)
    covered = [low <= q <= high for low, high in (quantile_interval(random.uniform(size=n), q) for _ in range(4000))]
    assert np.mean(covered) == pytest.approx(quantile_coverage(n, q), abs=0.025)
    if (n, q) == (30, 0.99):
        assert quantile_coverage(n, q) == pytest.approx(
            1 - 0.99**30, abs=0.005
        )  # only the largest of 30 can lie above it
