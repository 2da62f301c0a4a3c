"""Faces drawn on pictures: points, outlines, boxes, scores, ground truth, contact sheets.

Needs NumPy and OpenCV only. Pictures are BGR, ``uint8 [H, W, 3]``; coordinates
are pixels, 0-based, the centre of the first pixel (0, 0). Nothing given is changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facealign.markup import Markup
from facealign.visualization.strokes import Colour, Strokes
from facealign.visualization.text import draw_labels, draw_text, face_size, room_for_labels, text_size

# BGR; told apart by people with colour-blindness too, and seen on any skin.
REGION_COLOURS: dict[str, Colour] = dict(
    contour=(255, 190, 70),
    brows=(70, 170, 255),
    nose=(60, 235, 250),
    eyes=(120, 240, 110),
    mouth=(200, 110, 255),
)
TRUTH_COLOUR: Colour = (255, 215, 60)
PREDICTION_COLOUR: Colour = (50, 140, 255)
BOX_COLOUR: Colour = (245, 245, 245)
_OTHER: Colour = (230, 230, 230)


def draw_face(
    image: np.ndarray,
    points: np.ndarray,
    markup: Markup,
    *,
    scores: np.ndarray | None = None,
    box: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    numbers: bool = False,
    lines: bool = True,
) -> np.ndarray:
    """A copy of ``image`` with one face's points, coloured by region and joined to outlines.

    Dots and lines grow with the face, so that they can be read on any picture.

    Args:
        image: ``uint8``, BGR ``[H, W, 3]`` or grey ``[H, W]``.
        points: ``[K, 2]``; points that are NaN or infinite are left out, those off the picture are cut off.
        markup: what the points are.
        scores: ``[K]``, 0–1; doubtful points fade, and their mean is written at the box.
        box: ``[4]`` x1, y1, x2, y2.
        truth: ``[K, 2]`` annotated points; then both sets have one colour each, a stroke from
            each point to its truth shows the error, and a legend says which is which.
        numbers: write each point's number, counted from 0; the picture comes back enlarged where
            the numbers need room.
        lines: False draws dots only.

    Raises:
        ValueError: an array has the wrong shape, or ``image`` is not ``uint8``.
    """
    canvas = as_bgr(image)
    points = _checked(points, markup, 'points')
    if scores is not None and np.shape(scores) != (markup.num_keypoints,):
        raise ValueError(f'scores have shape {np.shape(scores)}, {markup.name} needs ({markup.num_keypoints},)')
    box = None if box is None else np.asarray(box, dtype=float).reshape(4)
    if numbers:
        factor = room_for_labels(points, canvas.shape[1::-1])
        height, width = canvas.shape[:2]
        canvas = cv2.resize(canvas, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_CUBIC)
        points, box = _enlarged(points, factor), None if box is None else _enlarged(box, factor)
        truth = None if truth is None else _enlarged(np.asarray(truth, dtype=float), factor)
    truth = None if truth is None else _checked(truth, markup, 'truth')

    unit = face_size(points if truth is None else np.concatenate([points, truth]), canvas.shape[1::-1])
    strokes = Strokes(canvas, width=0.004 * unit, radius=(0.006 if numbers else 0.009) * unit)
    if box is not None and np.isfinite(box).all():
        strokes.rectangle(box, BOX_COLOUR)
    if truth is None:
        colours = _point_colours(markup)
        _draw_points(strokes, points, markup, colours, scores, lines)
    else:
        colours = [PREDICTION_COLOUR] * markup.num_keypoints
        for pair in np.stack([truth, points], axis=1):
            strokes.line(pair, _OTHER)
        _draw_points(strokes, truth, markup, [TRUTH_COLOUR] * markup.num_keypoints, None, lines)
        _draw_points(strokes, points, markup, colours, scores, lines=False)
    if numbers:
        draw_labels(canvas, points, [str(i) for i in range(len(points))], colours, unit)
    if scores is not None:
        _write_score(canvas, points if box is None else box.reshape(2, 2), scores, unit)
    if truth is not None:
        draw_legend(canvas, {'annotated': TRUTH_COLOUR, 'predicted': PREDICTION_COLOUR})
    return canvas


def as_bgr(image: np.ndarray) -> np.ndarray:
    """A BGR copy of a BGR or grey picture; raises ValueError for anything else."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f'a picture must be uint8 and not empty; this is {image.dtype} {image.shape}')
    if image.ndim == 2 or image.shape[2:] == (1,):
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f'a picture must be (H, W, 3) or (H, W); this is {image.shape}')
    return np.array(image, order='C')


def draw_legend(canvas: np.ndarray, entries: dict[str, Colour]) -> None:
    """Write names beside dots of their colours into the top left corner of ``canvas``, in place."""
    height = float(np.clip(3.0 + 0.02 * min(canvas.shape[:2]), 5.0, 24.0))
    x, y = 0.7 * height, 1.3 * height
    for name, colour in entries.items():
        Strokes(canvas, width=1.0, radius=0.33 * height).dot((x + 0.4 * height, y - 0.45 * height), colour)
        draw_text(canvas, name, (x + 1.2 * height, y), height, colour)
        y += 1.6 * height


def tile(
    images: Sequence[np.ndarray], columns: int, *, cell: int = 320, captions: Sequence[str] | None = None
) -> np.ndarray:
    """Pictures side by side on one sheet, each fitted into a square of ``cell`` pixels.

    Args:
        images: ``uint8`` BGR or grey, of any sizes.
        columns: how many in a row.
        cell: side of the squares; smaller pictures are enlarged.
        captions: a line of text under each picture.

    Raises:
        ValueError: no pictures, no columns, or another number of captions.
    """
    if not len(images) or columns < 1:
        raise ValueError('a sheet needs at least one picture and one column')
    if captions is not None and len(captions) != len(images):
        raise ValueError(f'{len(captions)} captions for {len(images)} pictures')
    columns, gap = min(columns, len(images)), max(2, cell // 40)
    text = cell / 20.0
    below = round(2.2 * text) if captions is not None else 0
    rows = -(-len(images) // columns)
    sheet = np.full((gap + rows * (cell + below + gap), gap + columns * (cell + gap), 3), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = gap + i // columns * (cell + below + gap), gap + i % columns * (cell + gap)
        sheet[top : top + cell, left : left + cell] = 236
        fitted = _fitted(as_bgr(image), cell)
        high, wide = fitted.shape[:2]
        y, x = top + (cell - high) // 2, left + (cell - wide) // 2
        sheet[y : y + high, x : x + wide] = fitted
        if captions is not None:
            size = text * min(1.0, cell / max(text_size(captions[i], text)[0], 1.0))
            draw_text(sheet, captions[i], (left, top + cell + 1.5 * text), size, (40, 40, 40), halo=None)
    return sheet


def _fitted(image: np.ndarray, cell: int) -> np.ndarray:
    height, width = image.shape[:2]
    factor = cell / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _checked(points: np.ndarray, markup: Markup, name: str) -> np.ndarray:
    points = np.array(points, dtype=float)
    if points.shape != (markup.num_keypoints, 2):
        raise ValueError(f'{name} have shape {points.shape}, {markup.name} needs ({markup.num_keypoints}, 2)')
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return points


def _enlarged(coordinates: np.ndarray, factor: float) -> np.ndarray:
    """Pixels in a picture enlarged ``factor`` times: pixel edges, not centres, keep their place."""
    return (coordinates + 0.5) * factor - 0.5


def _point_colours(markup: Markup) -> list[Colour]:
    colours = [_OTHER] * markup.num_keypoints
    for name, members in markup.regions.items():
        for i in members:
            colours[i] = REGION_COLOURS.get(name, _OTHER)
    return colours


def _draw_points(
    strokes: Strokes,
    points: np.ndarray,
    markup: Markup,
    colours: Sequence[Colour],
    scores: np.ndarray | None,
    lines: bool,
) -> None:
    if lines:
        for line in markup.polylines:
            strokes.line(points[list(line)], colours[line[0]])
    certain = np.ones(len(points)) if scores is None else _certainty(scores)
    for point, colour, score in zip(points, colours, certain):
        strokes.dot(point, colour, 0.25 + 0.75 * float(score))


def _certainty(scores: np.ndarray) -> np.ndarray:
    """Scores as 0–1; one that is NaN counts as 0."""
    return np.clip(np.nan_to_num(np.asarray(scores, dtype=float)), 0.0, 1.0)


def _write_score(canvas: np.ndarray, corners: np.ndarray, scores: np.ndarray, unit: float) -> None:
    known = corners[np.isfinite(corners).all(axis=1)]
    if not len(known):
        return
    text = f'{_certainty(scores).mean():.2f}'
    size = float(np.clip(0.07 * unit, 7.0, 60.0))
    wide, high = canvas.shape[1], canvas.shape[0]
    x, y = known.min(axis=0)
    x = float(np.clip(x, 0.0, max(0.0, wide - text_size(text, size)[0])))
    draw_text(canvas, text, (x, float(np.clip(y - 0.4 * size, 1.2 * size, high - 1.0))), size, BOX_COLOUR)
