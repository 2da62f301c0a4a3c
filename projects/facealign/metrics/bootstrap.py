"""95 % intervals: of means by resampling faces (percentile bootstrap), of shares of faces exact (Clopper-Pearson).

The percentile bootstrap is Efron & Tibshirani 1993, chapter 13.
"""

from __future__ import annotations

import warnings

import numpy as np

_CHUNK = 40  # resamples at a time: 18 MB of counts for 112,000 faces


def ratio_intervals(
    numerators: np.ndarray,
    denominators: np.ndarray,
    which: np.ndarray | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> np.ndarray:
    """Percentile intervals of ratios of sums over faces, all from the same resamples.

    Ratio c is sum_i numerators[i, c] / sum_i denominators[i, which[c]]. A mean
    over faces has ones below; a mean over points has each face's sum above and
    its number of points below. A resample draws N faces with replacement;
    what it needs is only how often each was drawn, so that all ratios of many
    resamples are one matrix product.

    Args:
        numerators: [N, C], finite.
        denominators: [N, D], finite, not negative.
        which: [C] column of ``denominators`` for each ratio; None: all the first.
        resamples: how many.
        confidence: share of the resampled ratios inside the interval.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        [C, 2] low, high; NaN where a denominator sums to 0.

    >>> errors = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> ratio_intervals(errors, np.ones((4, 1)))
    array([[1.5, 3.5]])
    """
    numerators = np.asarray(numerators)
    denominators = np.asarray(denominators)
    faces, columns = numerators.shape
    which = np.zeros(columns, int) if which is None else np.asarray(which)
    with np.errstate(divide='ignore', invalid='ignore'):
        ratios = numerators.sum(axis=0, dtype=np.float64) / denominators.sum(axis=0, dtype=np.float64)[which]
    if not faces or not columns:
        return np.full((columns, 2), np.nan)
    # In single precision sums of deviations are exact enough where sums of values are not.
    below = denominators.astype(np.float32)
    deviations = numerators.astype(np.float32)
    for column in range(columns):
        deviations[:, column] -= np.float32(np.nan_to_num(ratios[column])) * below[:, which[column]]
    drawn = np.empty((resamples, columns), np.float32)
    random = np.random.default_rng(seed)
    for start in range(0, resamples, _CHUNK):
        part = drawn[start : start + _CHUNK]
        counts = np.stack([np.bincount(random.integers(0, faces, faces), minlength=faces) for _ in part])
        counts = counts.astype(np.float32)
        with np.errstate(divide='ignore', invalid='ignore'):
            part[:] = (counts @ deviations) / (counts @ below)[:, which]
    tail = (1 - confidence) / 2
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # of columns that are NaN throughout
        intervals = np.nanquantile(drawn.astype(np.float64), [tail, 1 - tail], axis=0).T
    return intervals + ratios[:, None]


def quantile_interval(errors: np.ndarray, q: float, confidence: float = 0.95) -> tuple[float, float]:
    """Bootstrap interval of a quantile of per-face errors, without drawing.

    In a resample of N faces the order statistic k is at most the j-th smallest
    error when at least k draws fall among the j smallest: a binomial tail with
    share j/N. The percentile interval of endlessly many resamples is where
    that tail passes each end (Efron 1982, section 10.2, for the median).

    Args:
        errors: [N]; ``inf`` is a failure, NaN is left out.
        q: 0 to 1.
        confidence: as in :func:`ratio_intervals`.

    Returns:
        low, high: both are among ``errors``; NaN without any. How often such an
            interval holds the true quantile says :func:`quantile_coverage`.

    >>> quantile_interval(np.arange(1, 101), 0.5)
    (40.0, 60.0)
    """
    errors = np.asarray(errors, np.float64)
    ordered = np.sort(errors[~np.isnan(errors)])
    if not len(ordered):
        return np.nan, np.nan
    low, high = (float(ordered[place - 1]) for place in _places(len(ordered), q, confidence))
    return low, high


def quantile_coverage(n: int, q: float, confidence: float = 0.95) -> float:
    """How often :func:`quantile_interval` of ``n`` faces holds the true quantile; exact for any continuous errors.

    The quantile lies between the order statistics a and b when at least a and
    fewer than b of n faces are below it: a binomial sum (David & Nagaraja 2003,
    section 7.1). High quantiles of few faces lie above all of them too often.

    >>> round(quantile_coverage(30, 0.99), 2), round(quantile_coverage(554, 0.5), 2)
    (0.26, 0.95)
    """
    from scipy.special import bdtr

    if not n:
        return 0.0
    low, high = _places(n, q, confidence)
    return float(bdtr(high - 1, n, q) - bdtr(low - 1, n, q))


def _places(n: int, q: float, confidence: float) -> list[int]:
    """The order statistics (from 1) at the ends of the bootstrap interval of a quantile."""
    from scipy.special import betaincinv  # means need NumPy only

    k = max(1, int(np.ceil(q * n)))
    tail = (1 - confidence) / 2
    places = [int(np.ceil(n * betaincinv(k, n - k + 1, level))) for level in (tail, 1 - tail)]
    return [min(max(place, 1), n) for place in places]


def share_interval(hits: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a share of independent faces: exact, never of no width (Clopper & Pearson 1934).

    Args:
        hits: how many of them.
        n: how many faces.
        confidence: at least so often the interval holds the true share.

    Returns:
        low, high; NaN without a face.

    >>> share_interval(0, 554)[0], round(share_interval(0, 554)[1], 4)
    (0.0, 0.0066)
    """
    from scipy.special import betaincinv

    if not n:
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high
