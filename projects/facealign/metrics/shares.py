"""A table of statistics that are each a ratio of sums over faces, with their intervals."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import numpy as np

from facealign.metrics import ratio_intervals, share_interval

# What a statistic is, for its interval: a mean; a share of faces; a share of points, of which those of one face are not
# independent.
Kind = Literal['mean', 'faces', 'points']


class Ratios:
    """Collects statistics under paths such as ``('regions', 'eyes', 'mpd')`` and computes them together.

    Args:
        faces: how many faces every column has.

    >>> ratios = Ratios(3)
    >>> ratios.add_mean(('nme', 'interocular'), np.array([0.25, 0.5, np.inf]))
    >>> ratios.compute()
    {'nme': {'interocular': {'value': 0.375}}}
    """

    def __init__(self, faces: int) -> None:
        self._paths: list[tuple[str, ...]] = []
        self._above: list[np.ndarray] = []
        self._below: list[np.ndarray] = [np.ones(faces, np.float32)]
        self._known: dict[bytes, int] = {}
        self._which: list[int] = []
        self._wanted: list[bool] = []
        self._kinds: list[Kind] = []

    def add(
        self,
        path: tuple[str, ...],
        above: np.ndarray,
        below: np.ndarray | None = None,
        interval: bool = True,
        kind: Kind = 'mean',
    ) -> None:
        """The statistic sum(above) / sum(below), both [N] and finite; ``below`` None is one a face."""
        self._paths.append(path)
        self._above.append(np.asarray(above, np.float32))
        self._which.append(0 if below is None else self._column(np.asarray(below, np.float32)))
        self._wanted.append(interval)
        self._kinds.append(kind)

    def add_mean(self, path: tuple[str, ...], values: np.ndarray, interval: bool = True) -> None:
        """The mean of ``values`` [N] over the faces where it is finite."""
        finite = np.isfinite(values)
        self.add(path, np.where(finite, values, 0), None if finite.all() else finite, interval)

    def compute(self, resamples: int = 0, seed: int = 0) -> dict[str, Any]:
        """Nested dictionaries along the paths, ending in ``value``, and ``low``, ``high`` if there are resamples.

        A statistic without any face is None. Intervals are those of the
        bootstrap over faces, of shares of faces Clopper and Pearson's. A share
        of points that is alike in all resamples (0 or 1) gets that of its
        faces, as if each had but one point: the bootstrap's would have no width.
        """
        below = [column.sum(dtype=np.float64) for column in self._below]
        values = [
            above.sum(dtype=np.float64) / below[i] if below[i] else np.nan for above, i in zip(self._above, self._which)
        ]
        intervals: dict[int, np.ndarray] = {}
        wanted = [i for i, interval in enumerate(self._wanted) if interval]
        if resamples and wanted:
            which = np.array([self._which[i] for i in wanted])
            used, which = np.unique(which, return_inverse=True)
            above = np.stack([self._above[i] for i in wanted]).T
            found = ratio_intervals(above, np.stack([self._below[i] for i in used]).T, which, resamples, seed=seed)
            intervals = dict(zip(wanted, found))
            for i in wanted:
                if self._kinds[i] == 'faces' and below[self._which[i]]:
                    intervals[i] = np.array(share_interval(self._above[i].sum(dtype=np.float64), below[self._which[i]]))
                elif self._kinds[i] == 'points' and intervals[i][0] == intervals[i][1]:
                    faces = np.count_nonzero(self._below[self._which[i]])
                    intervals[i] = np.array(share_interval(values[i] * faces, faces))
        tree: dict[str, Any] = {}
        for i, (path, value) in enumerate(zip(self._paths, values)):
            leaf = {'value': json_number(value)}
            if i in intervals:
                leaf['low'], leaf['high'] = (json_number(end) for end in intervals[i])
            node = tree
            for part in path[:-1]:
                node = node.setdefault(part, {})
            node[path[-1]] = leaf
        return tree

    def _column(self, below: np.ndarray) -> int:
        """The number of a denominator; equal ones are kept once."""
        number = self._known.setdefault(hashlib.sha1(below.tobytes()).digest(), len(self._below))
        if number == len(self._below):
            self._below.append(below)
        return number


def json_number(value: float) -> float | None:
    """JSON has neither NaN nor infinity; None stands for "no such number"."""
    return float(value) if np.isfinite(value) else None
