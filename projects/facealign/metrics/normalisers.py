"""What an error in pixels is divided by; every one has a name."""

from __future__ import annotations

import numpy as np

from facealign.markup import Markup

NORMALISERS = {
    'interocular': 'distance of the outer eye corners',
    'interpupil': "distance of the pupils (of the eyes' mean points where pupils are not annotated)",
    'bbox': "sqrt(w·h) of the detector's face box",
    'landmark_bbox': 'sqrt(w·h) of the rectangle around the annotated points',
    'diagonal': 'diagonal of the rectangle around the annotated points',
    'image': 'sqrt(W·H) of the image',
}


def normalisers(
    points: np.ndarray,
    markup: Markup,
    face_boxes: np.ndarray | None = None,
    image_sizes: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Every normaliser that the arguments and the markup allow, by its name in :data:`NORMALISERS`.

    Args:
        points: [N, K, 2] annotated points, pixels; NaN where there is none.
        markup: of the points.
        face_boxes: [N, 4] x1, y1, x2, y2 from a detector; a face without one
            (NaN) gets 0, which :func:`face_errors` counts as failed.
        image_sizes: [N, 2] width, height.

    Returns:
        name → [N] pixels, float64; NaN where a point that it needs is missing.
    """
    points = np.asarray(points)
    rectangles = landmark_boxes(points)
    sizes = {
        'landmark_bbox': box_size(rectangles),
        'diagonal': np.linalg.norm(rectangles[:, 2:] - rectangles[:, :2], axis=1),
    }
    if markup.outer_eye_corners is not None:
        left, right = markup.outer_eye_corners
        sizes['interocular'] = np.linalg.norm(points[:, left] - points[:, right], axis=1)
    if markup.pupils is not None:
        pupils = [points[:, list(indices)].mean(axis=1, dtype=np.float64) for indices in markup.pupils]
        sizes['interpupil'] = np.linalg.norm(pupils[0] - pupils[1], axis=1)
    if face_boxes is not None:
        sizes['bbox'] = np.nan_to_num(box_size(face_boxes), nan=0.0)
    if image_sizes is not None:
        sizes['image'] = np.sqrt(np.asarray(image_sizes, np.float64).prod(axis=1))
    return {name: sizes[name] for name in NORMALISERS if name in sizes}


def box_size(boxes: np.ndarray) -> np.ndarray:
    """sqrt(w·h) [N] of boxes [N, 4] x1, y1, x2, y2; width is x2 - x1.

    >>> box_size([[0, 0, 9, 4]])
    array([6.])
    """
    boxes = np.asarray(boxes, np.float64)
    return np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


def landmark_boxes(points: np.ndarray) -> np.ndarray:
    """Rectangles [N, 4] x1, y1, x2, y2 around points [N, K, 2]; NaN points are left out.

    >>> landmark_boxes([[[1, 2], [5, 0], [np.nan, np.nan]]])
    array([[1., 0., 5., 2.]])
    """
    points = np.asarray(points)
    # fmin and fmax pass NaN over, and are NaN only where all are.
    return np.stack([side.reduce(points[..., i], axis=1) for side in (np.fmin, np.fmax) for i in (0, 1)], axis=1)
