"""A picture drawn on at twice its size, so that every edge is smooth in the end.

All coordinates are pixels of the finished picture, 0-based, centre of the
first pixel (0, 0); colours are BGR, 0–255.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

Colour = Sequence[float] | np.ndarray

FACTOR = 2
_SHIFT = 5  # OpenCV's fixed-point coordinates


class Canvas:
    """A drawing surface of ``width`` × ``height`` finished pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels = np.zeros((height * FACTOR, width * FACTOR, 3), np.uint8)

    def finish(self) -> np.ndarray:
        """The finished picture, ``uint8 [height, width, 3]``."""
        return cv2.resize(self.pixels, (self.width, self.height), interpolation=cv2.INTER_AREA)

    def polygon(self, points: np.ndarray, colour: Colour, alpha: float = 1.0) -> None:
        """Fill the closed outline ``points`` ``[n, 2]``."""
        self._draw(points, colour, alpha, 0.0, closed=True)

    def line(self, points: np.ndarray, colour: Colour, width: float, alpha: float = 1.0, closed: bool = False) -> None:
        """Draw the polyline ``points`` ``[n, 2]``, ``width`` finished pixels thick, with round ends."""
        self._draw(points, colour, alpha, max(width, 0.4), closed)

    def soft_line(self, points: np.ndarray, colour: Colour, width: float, strength: float) -> None:
        """A line that fades out to both sides, about ``width`` finished pixels thick."""
        reach = 3.0 * width + 2.0
        low = np.maximum(np.floor(points.min(axis=0) - reach).astype(int), 0)
        high = np.minimum(np.ceil(points.max(axis=0) + reach).astype(int), (self.width, self.height))
        if (low >= high).any():
            return
        part = Canvas(*(int(v) for v in high - low))
        part.pixels = self.pixels[FACTOR * low[1] : FACTOR * high[1], FACTOR * low[0] : FACTOR * high[0]]
        mask = np.zeros(part.pixels.shape[:2], np.uint8)
        thickness = max(1, round(width * FACTOR))
        cv2.polylines(mask, [_fixed(points - low)], False, 255, thickness, cv2.LINE_AA, _SHIFT)
        part.shade(soften(mask, 0.5 * width), colour, strength)

    def disc(self, centre: Sequence[float] | np.ndarray, radius: float, colour: Colour, alpha: float = 1.0) -> None:
        self.polygon(np.asarray(centre) + radius * _CIRCLE, colour, alpha)

    def mask(self, points: np.ndarray) -> np.ndarray:
        """The filled outline as an anti-aliased mask of the large picture, ``uint8``."""
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [_fixed(points)], 255, cv2.LINE_AA, _SHIFT)
        return mask

    def paste(self, picture: np.ndarray, mask: np.ndarray) -> None:
        """Blend in ``picture`` (large, or finished size and then enlarged) where ``mask`` (large, ``uint8``) is set."""
        x, y, w, h = cv2.boundingRect(mask)
        if not w:
            return
        if picture.shape[:2] != mask.shape:
            picture = cv2.resize(picture, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        window = np.s_[y : y + h, x : x + w]
        weight = mask[window].astype(np.float32) / 255.0
        self.pixels[window] = cv2.blendLinear(
            np.ascontiguousarray(picture[window]), np.ascontiguousarray(self.pixels[window]), weight, 1.0 - weight
        )

    def shade(self, mask: np.ndarray, colour: Colour, strength: float) -> None:
        """Move towards ``colour`` by ``strength`` × ``mask`` (large, ``uint8``), for soft shadows and glows."""
        x, y, w, h = cv2.boundingRect(mask)
        if w:
            window = np.s_[y : y + h, x : x + w]
            weight = mask[window].astype(np.float32) * (strength / 255.0)
            flat = np.full((h, w, 3), np.clip(colour, 0, 255), np.uint8)
            here = np.ascontiguousarray(self.pixels[window])
            self.pixels[window] = cv2.blendLinear(flat, here, weight, 1.0 - weight)

    def _draw(self, points: np.ndarray, colour: Colour, alpha: float, width: float, closed: bool) -> None:
        fixed = _fixed(points)
        thickness = max(1, round(width * FACTOR))
        pad = thickness + 2
        low = np.maximum((fixed.min(axis=0) >> _SHIFT) - pad, 0)
        high = np.minimum((fixed.max(axis=0) >> _SHIFT) + pad + 1, self.pixels.shape[1::-1])
        if (low >= high).any():
            return
        window = np.s_[low[1] : high[1], low[0] : high[0]]
        target = self.pixels[window]
        layer = target.copy() if alpha < 1.0 else np.ascontiguousarray(target)
        fixed = fixed - (low << _SHIFT)
        bgr = [float(v) for v in np.clip(colour, 0, 255)]
        if width:
            cv2.polylines(layer, [fixed], closed, bgr, thickness, cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(layer, [fixed], bgr, cv2.LINE_AA, _SHIFT)
        self.pixels[window] = cv2.addWeighted(layer, alpha, target, 1.0 - alpha, 0.0) if alpha < 1.0 else layer


_ANGLES = np.linspace(0.0, 2.0 * np.pi, 36, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)


def _fixed(points: np.ndarray) -> np.ndarray:
    """Finished pixels to the large picture's fixed-point coordinates; far-off points are brought near."""
    large = (np.asarray(points, float).reshape(-1, 2) + 0.5) * FACTOR - 0.5
    return np.rint(np.clip(large, -4000, 4000) * (1 << _SHIFT)).astype(np.int32)


def soften(mask: np.ndarray, sigma: float) -> np.ndarray:
    """A large mask blurred by ``sigma`` finished pixels (done small, since it is smooth anyway)."""
    small = cv2.resize(mask, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma * FACTOR * 0.5, 0.3))
    return cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
