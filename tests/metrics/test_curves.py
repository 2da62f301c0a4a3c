"""AUC, CED, FR and quantiles against fine grids, brute force and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.metrics import auc, ced, failure_rate, quantile

error_lists = st.lists(
    st.one_of(st.floats(0, 0.2), st.just(np.inf), st.just(np.nan), st.sampled_from([0.0, 0.08])),
    min_size=1,
    max_size=60,
).filter(lambda errors: not np.isnan(errors).all())


@given(error_lists, st.sampled_from([0.05, 0.08, 1.0]))
def test_auc_is_the_area_under_the_ced(errors, threshold):
    grid = np.linspace(0, threshold, 20_001)
    area = np.trapezoid if hasattr(np, 'trapezoid') else np.trapz
    assert auc(errors, threshold) == pytest.approx(area(ced(errors, grid), grid) / threshold, abs=2e-4)


@given(error_lists, st.floats(0, 0.3))
def test_ced_and_failure_rate_count_faces(errors, at):
    known = [error for error in errors if not np.isnan(error)]
    at_most = sum(error <= at for error in known) / len(known)
    assert ced(errors, [at])[0] == pytest.approx(at_most)
    assert failure_rate(errors, at) == pytest.approx(1 - at_most)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50), st.floats(0, 1))
def test_quantile_of_finite_errors_is_numpys(errors, q):
    assert quantile(errors, q) == pytest.approx(np.quantile(errors, q), abs=1e-9)


def test_undetected_faces_count_in_every_denominator():
    found = np.array([0.02, 0.04])
    with_misses = np.array([0.02, 0.04, np.inf, np.inf])
    assert auc(with_misses, 0.08) == pytest.approx(auc(found, 0.08) / 2)
    assert failure_rate(with_misses, 0.08) == 0.5
    assert quantile(with_misses, 0.9) == np.inf


def test_no_face_gives_nan():
    for value in (auc([], 0.08), failure_rate([np.nan], 0.08), quantile([], 0.5), ced([], [0.1])[0]):
        assert np.isnan(value)
