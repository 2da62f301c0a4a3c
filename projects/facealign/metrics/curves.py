"""Cumulative error distribution, the area under it, failures and quantiles.

Errors are one number a face, fractions of a normaliser; ``inf`` is a failure,
NaN (no annotation) is left out. Without any face the result is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def ced(errors: ArrayLike, at: ArrayLike) -> np.ndarray:
    """Share of faces whose error is at most each value of ``at`` [M] → [M].

    >>> ced([0.01, 0.02, 0.02, np.inf], [0.0, 0.01, 0.02, 1.0])
    array([0.  , 0.25, 0.75, 0.75])
    """
    errors = np.sort(known(errors))
    found = np.searchsorted(errors, np.asarray(at, np.float64), side='right')
    return found / len(errors) if len(errors) else np.full(found.shape, np.nan)


def auc(errors: ArrayLike, threshold: float) -> float:
    """Area under the CED from 0 to ``threshold``, divided by ``threshold``; exact.

    The CED is a staircase, so the integral is a sum: each face adds the
    stretch from its error to the threshold, mean(max(0, t - e)) / t.

    >>> round(auc([0.02, 0.06, 0.5, np.inf], 0.08), 3)
    0.25
    """
    return _mean(np.maximum(0.0, threshold - known(errors)) / threshold)


def failure_rate(errors: ArrayLike, threshold: float) -> float:
    """Share of faces whose error is greater than ``threshold``: 1 - CED(threshold).

    >>> failure_rate([0.02, 0.08, 0.5, np.inf], 0.08)
    0.5
    """
    return _mean(known(errors) > threshold)


def quantile(errors: ArrayLike, q: float) -> float:
    """Quantile ``q`` (0 to 1), linear between neighbours as ``np.quantile``, but right beside ``inf``.

    >>> quantile([1, 2, 3, np.inf], 0.5), quantile([1, np.inf, np.inf], 0.5)
    (2.5, inf)
    """
    ordered = np.sort(known(errors))
    if not len(ordered):
        return np.nan
    place = q * (len(ordered) - 1)
    low, high = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
    return float(low if low == high else low + (high - low) * (place % 1))


def known(errors: ArrayLike) -> np.ndarray:
    """Errors without the faces that have no annotation (NaN)."""
    errors = np.asarray(errors, np.float64)
    return errors[~np.isnan(errors)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
