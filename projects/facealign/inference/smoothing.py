"""Steady points in video: the One-Euro filter."""

from __future__ import annotations

import math

import numpy as np


class OneEuro:
    """Low-pass filter whose cut-off rises with speed: still points stop trembling, moving ones do not trail.

    After Casiez, Roussel and Vogel, "1€ Filter", CHI 2012. Speed is measured in
    face sizes a second, so that one setting serves near and far faces.

    Args:
        min_cutoff: of a still point, in Hz; lower is steadier.
        beta: how much the cut-off rises with speed, in Hz per face size a second; higher trails less.
        speed_cutoff: of the low-pass on the speed itself, in Hz.
    """

    def __init__(self, min_cutoff: float = 0.8, beta: float = 8.0, speed_cutoff: float = 1.0) -> None:
        self._min_cutoff, self._beta, self._speed_cutoff = min_cutoff, beta, speed_cutoff
        self._time = 0.0
        self._points: np.ndarray | None = None
        self._raw = np.zeros(0)
        self._speed = np.zeros(0)

    def __call__(self, points: np.ndarray, time: float) -> np.ndarray:
        """The filtered points [K, 2] at ``time`` in seconds, which must not fall."""
        points = np.asarray(points, dtype=float)
        if self._points is None:
            self._points, self._raw, self._speed, self._time = points, points, np.zeros_like(points), time
            return points
        step = max(time - self._time, 1e-3)
        size = math.sqrt(max(float(np.ptp(points, axis=0).prod()), 1.0))
        speed = (points - self._raw) / step
        self._speed = self._speed + _share(self._speed_cutoff, step) * (speed - self._speed)
        cutoff = self._min_cutoff + self._beta * np.linalg.norm(self._speed, axis=1, keepdims=True) / size
        self._points = self._points + _share(cutoff, step) * (points - self._points)
        self._raw, self._time = points, time
        return self._points


def _share(cutoff, step: float):  # type: ignore[no-untyped-def]
    """How much of the new value a first-order low-pass of ``cutoff`` Hz takes after ``step`` seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
