"""Anti-aliased dots and lines with sub-pixel positions and widths, on one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

Colour = tuple[int, int, int]

_SHIFT = 4  # OpenCV's fixed-point coordinates: sixteenths of a pixel
_FAR = 30_000.0  # beyond any picture, and within OpenCV's integers
_DARK: Colour = (25, 25, 25)


class Strokes:
    """Draws on ``canvas`` in place.

    Args:
        canvas: BGR ``uint8 [H, W, 3]``.
        width: of lines, pixels; below one pixel they get fainter instead of thinner.
        radius: of dots, pixels.

    Dots and lines have a thin dark rim, so that they are seen on light and on dark ground.
    """

    def __init__(self, canvas: np.ndarray, width: float, radius: float) -> None:
        self.canvas = canvas
        self.thickness = max(1, round(width))
        self.line_alpha = float(np.clip(width, 0.4, 0.9))
        self.radius = max(radius, 0.7)

    def dot(self, at: Sequence[float] | np.ndarray, colour: Colour, alpha: float = 1.0) -> None:
        """A dot; nothing where ``at`` is not finite."""
        centre = np.asarray(at, dtype=float).reshape(1, 2)
        if not np.isfinite(centre).all():
            return
        rim = self.radius + max(0.25 * self.radius, 0.35)
        low, high = self._window(centre, rim + 1.0)
        if (low >= high).any():
            return
        window = self.canvas[low[1] : high[1], low[0] : high[0]]
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        distance = np.hypot(x - centre[0, 0], y - centre[0, 1])[..., None]
        blended = window.astype(np.float64)
        for radius, tone, strength in ((rim, _DARK, 0.6 * alpha), (self.radius, colour, alpha)):
            # The share of each pixel that the disc covers; OpenCV's small circles are up to a quarter of a pixel off.
            cover = strength * np.clip(radius + 0.5 - distance, 0.0, 1.0)
            blended += cover * (np.array(tone) - blended)
        window[:] = np.rint(blended)

    def line(self, points: np.ndarray, colour: Colour) -> None:
        """A polyline ``[n, 2]``; it is broken where a point is not finite."""
        known = np.isfinite(points).all(axis=1)
        runs = np.split(np.arange(len(points)), np.flatnonzero(~known))
        for run in (run[known[run]] for run in runs):
            if len(run) > 1:
                self._polyline(points[run], colour)

    def rectangle(self, box: np.ndarray, colour: Colour) -> None:
        """The outline of ``box`` ``[4]`` x1, y1, x2, y2."""
        x1, y1, x2, y2 = box
        self._polyline(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]]), colour)

    def _polyline(self, points: np.ndarray, colour: Colour) -> None:
        points = np.clip(points, -_FAR, _FAR)
        low, high = self._window(points, self.thickness + 4.0)
        if (low >= high).any():
            return
        window = self.canvas[low[1] : high[1], low[0] : high[0]]
        fixed = np.rint((points - low) * (1 << _SHIFT)).astype(np.int32)
        for thickness, tone, alpha in ((self.thickness + 2, _DARK, 0.25), (self.thickness, colour, self.line_alpha)):
            layer = window.copy()
            cv2.polylines(layer, [fixed], False, tone, thickness, cv2.LINE_AA, _SHIFT)
            window[:] = cv2.addWeighted(layer, alpha, window, 1.0 - alpha, 0.0)

    def _window(self, points: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """First and past-the-last pixel (x, y) of the canvas within ``reach`` of the points; empty if none is."""
        low = np.maximum(np.floor(points.min(axis=0) - reach), 0)
        high = np.minimum(np.ceil(points.max(axis=0) + reach) + 1, self.canvas.shape[1::-1])
        return np.minimum(low, _FAR).astype(int), np.maximum(high, -_FAR).astype(int)
