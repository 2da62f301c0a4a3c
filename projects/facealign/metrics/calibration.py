"""Calibration of scores: whether what a score says is true (reliability diagram; DeGroot & Fienberg 1983)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ScoreBin(NamedTuple):
    """Points of like scores: said is their mean score, true the share of them that is right."""

    low: float
    points: int
    said: float
    true: float


def reliability(scores: np.ndarray, right: np.ndarray, bins: int = 10) -> list[ScoreBin]:
    """The points in ``bins`` equal bins of their scores, empty bins left out.

    Args:
        scores: any shape, 0 to 1.
        right: the same shape, bool.
        bins: how many; each holds its lower end.

    >>> reliability(np.array([0.1, 0.15, 0.95, 0.95]), np.array([True, False, True, True]))
    [ScoreBin(low=0.1, points=2, said=0.125, true=0.5), ScoreBin(low=0.9, points=2, said=0.95, true=1.0)]
    """
    scores, right = np.ravel(scores), np.ravel(right)
    of = np.minimum((scores * bins).astype(int), bins - 1)
    return [
        ScoreBin(i / bins, int(inside.sum()), float(scores[inside].mean()), float(right[inside].mean()))
        for i in range(bins)
        if (inside := of == i).any()
    ]


def max_gap(bins: list[ScoreBin], least: int = 500) -> float:
    """The largest difference of said and true among bins of at least ``least`` points; NaN without such."""
    return max((abs(part.said - part.true) for part in bins if part.points >= least), default=np.nan)
