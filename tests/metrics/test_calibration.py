"""Calibration of scores on draws whose probabilities are known."""

from __future__ import annotations

import numpy as np
import pytest

from facealign.metrics.calibration import max_gap, reliability


def test_true_probabilities_are_calibrated_and_powers_of_them_are_not() -> None:
    random = np.random.default_rng(0)
    chance = random.uniform(0, 1, (400, 68))
    right = random.uniform(size=chance.shape) < chance
    bins = reliability(chance, right)
    assert [part.low for part in bins] == pytest.approx(np.arange(10) / 10)
    assert sum(part.points for part in bins) == chance.size
    assert max_gap(bins) < 0.03
    assert max_gap(reliability(np.sqrt(chance), right)) == pytest.approx(0.25, abs=0.03)  # sqrt(p) - p is at most 1/4


def test_the_ends_belong_to_the_outer_bins_and_small_bins_do_not_count() -> None:
    scores = np.concatenate([np.ones(500), np.zeros(499)])
    bins = reliability(scores, np.ones(999, bool))
    assert [(part.low, part.points, part.said, part.true) for part in bins] == [
        (0.0, 499, 0.0, 1.0),
        (0.9, 500, 1.0, 1.0),
    ]
    assert max_gap(bins) == 0
    assert max_gap(bins, least=400) == 1
    assert np.isnan(max_gap(bins, least=501))
