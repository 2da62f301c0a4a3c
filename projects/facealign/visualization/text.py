"""Text on pictures, and numbers beside points so that they do not cover each other."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facealign.visualization.strokes import Colour, Strokes

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL = 21.0  # height of a capital at font scale 1, pixels
_DARK: Colour = (25, 25, 25)

_LABEL = 0.018  # height of a number's digits, of the face's size
_SMALLEST = 8.0  # pixels; smaller digits cannot be read
_LARGEST_PICTURE = 3000.0  # pixels; pictures are not enlarged beyond
_LARGEST_FACTOR = 12.0


def text_size(text: str, height: float) -> tuple[float, float]:
    """Width and height in pixels of ``text`` whose capitals are ``height`` pixels high."""
    (wide, high), _ = cv2.getTextSize(text, _FONT, height / _CAPITAL, _thickness(height))
    return float(wide), float(high)


def draw_text(
    canvas: np.ndarray,
    text: str,
    at: tuple[float, float],
    height: float,
    colour: Colour,
    halo: Colour | None = _DARK,
) -> None:
    """Write ``text`` with its lower left corner at ``at``, capitals ``height`` pixels high, in place."""
    corner, thickness = (round(at[0]), round(at[1])), _thickness(height)
    if halo is not None:
        rim = thickness + max(2, round(0.22 * height))
        cv2.putText(canvas, text, corner, _FONT, height / _CAPITAL, halo, rim, cv2.LINE_AA)
    cv2.putText(canvas, text, corner, _FONT, height / _CAPITAL, colour, thickness, cv2.LINE_AA)


def room_for_labels(points: np.ndarray, size: tuple[int, ...]) -> float:
    """How many times a picture of ``size`` (width, height) is to be enlarged before its points are numbered."""
    largest = max(1.0, min(_LARGEST_FACTOR, _LARGEST_PICTURE / max(size)))
    return float(np.clip(_SMALLEST / _LABEL / face_size(points, size), 1.0, largest))


def face_size(points: np.ndarray, size: tuple[int, ...]) -> float:
    """sqrt(w·h) of the rectangle of the points that are known, between 1 px and the size of the picture itself.

    Without known points it is the size of the picture, sqrt(w·h) of ``size`` (width, height).
    """
    picture = float(np.sqrt(size[0] * size[1]))
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return picture
    extent = np.ptp(np.clip(known, -1e6, 1e6), axis=0)
    return float(np.clip(np.sqrt(np.prod(extent)), 1.0, picture))


def draw_labels(
    canvas: np.ndarray, points: np.ndarray, labels: Sequence[str], colours: Sequence[Colour], face: float
) -> None:
    """Write a label beside each point ``[K, 2]`` of the picture, where it covers no point and no other label, in place.

    A label that had to go further off gets a fine line to its point.
    """
    height = max(_LABEL * face, 0.75 * _SMALLEST)
    size = canvas.shape[1::-1]
    known = np.flatnonzero((np.isfinite(points) & (points > -1) & (points < size)).all(axis=1))
    sizes = {i: np.array(text_size(labels[i], height)) for i in known}
    centres = _place(points, [int(i) for i in known], sizes, height, size)
    thin = Strokes(canvas, width=0.06 * height, radius=0.0)
    for i, centre in centres.items():
        way = centre - points[i]
        if np.linalg.norm(way) > 2.2 * height:
            near_side = centre - 0.5 * sizes[i] * np.sign(way) * (0.4, 1.0)
            thin.line(np.stack([points[i] + 0.15 * way, near_side]), colours[i])
    for i, centre in centres.items():
        wide, high = sizes[i]
        draw_text(canvas, labels[i], (centre[0] - wide / 2, centre[1] + high / 2), height, colours[i])


def _place(
    points: np.ndarray, known: list[int], sizes: dict[int, np.ndarray], height: float, picture: tuple[int, ...]
) -> dict[int, np.ndarray]:
    """Label centres, greedily: of places around the point the one with least overlap, then the nearest."""
    angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    round_about = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    dots = points[known]
    # Crowded points choose first: the others have more places to go.
    crowd = {i: float((np.linalg.norm(dots - points[i], axis=1) < 3.0 * height).sum()) for i in known}
    taken = np.zeros((0, 4))
    placed: dict[int, np.ndarray] = {}
    for i in sorted(known, key=lambda i: -crowd[i]):
        half = sizes[i] / 2.0 + 0.12 * height
        steps = [half + (0.3 + k * 0.5) * height for k in range(8)]
        places = np.concatenate([points[i] + step * round_about for step in steps])
        far = np.repeat(np.arange(len(steps)), len(round_about))
        boxes = np.concatenate([places - half, places + half], axis=1)
        outside = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2:] > np.array(picture)).any(axis=1)
        gap = np.maximum(np.abs(dots[None] - places[:, None]) - half, 0.0)  # from the box to each dot
        covers = (np.linalg.norm(gap, axis=2) < 0.25 * height).sum(axis=1)
        area = _overlap(boxes, taken) / float(np.prod(2 * half))
        towards = np.linalg.norm(dots[None] - places[:, None], axis=2)
        open_ground = np.minimum(np.sort(towards, axis=1)[:, min(3, len(dots) - 1)] / height, 4.0)
        best = int((20.0 * area + 9.0 * covers + 50.0 * outside + 1.0 * far - 0.4 * open_ground).argmin())
        placed[i] = places[best]
        taken = np.concatenate([taken, boxes[best : best + 1]])
    return placed


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Total area that each of ``boxes`` ``[n, 4]`` shares with ``others`` ``[m, 4]``: ``[n]``."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.clip(high - low, 0.0, None).prod(axis=2).sum(axis=1)


def _thickness(height: float) -> int:
    return max(1, round(height / 9.0))
