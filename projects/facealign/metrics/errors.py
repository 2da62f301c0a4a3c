"""Distances between predicted and annotated points."""

from __future__ import annotations

import numpy as np

_CHUNK = 512  # faces at a time: their arrays stay in the processor's cache
_FAR = 1e18  # pixels; its square is still a float32


def point_errors(predictions: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Euclidean distance of every point.

    Args:
        predictions: [N, K, 2] pixels; not finite where nothing was predicted.
        points: [N, K, 2] pixels, the annotation; NaN where a point has none.

    Returns:
        [N, K] pixels, float32: NaN where there is no annotation, ``inf``
        where there is one but no prediction.

    Raises:
        ValueError: the shapes differ.

    >>> point_errors([[[3, 4], [0, 0], [np.nan, 0]]], [[[0, 0], [np.nan, np.nan], [1, 1]]])
    array([[ 5., nan, inf]], dtype=float32)
    """
    predictions, points = np.asarray(predictions, np.float32), np.asarray(points, np.float32)
    if predictions.shape != points.shape or points.ndim != 3:
        raise ValueError(f'predictions {predictions.shape} and points {points.shape} must both be [N, K, 2]')
    errors = np.hypot(predictions[..., 0] - points[..., 0], predictions[..., 1] - points[..., 1])
    errors[np.isnan(errors)] = np.inf
    errors[_is_missing(points)] = np.nan
    return errors


def face_errors(errors: np.ndarray, normaliser: np.ndarray | float = 1.0) -> np.ndarray:
    """Mean error of each face over its annotated points, divided by its normaliser.

    NME_i = mean_k(d_ik) / s_i (Sagonas et al., 300 Faces in-the-Wild, 2013).

    Args:
        errors: [N, P] pixels, from :func:`point_errors`; all points or some columns of them.
        normaliser: [N] or one number, pixels; a face where it is 0 or less has
            no such measure (no detector box, say) and counts as failed.

    Returns:
        [N] fraction, float64: NaN for a face without annotated points or with
        a NaN normaliser, ``inf`` for a failed one.

    >>> face_errors([[1, 3], [2, np.nan], [np.inf, 1], [1, 1]], [10, 10, 10, 0])
    array([0.2, 0.2, inf, inf])
    """
    return relative_errors(*distance_sums(np.asarray(errors)), normaliser)


def relative_errors(total: np.ndarray, count: np.ndarray, normaliser: np.ndarray | float) -> np.ndarray:
    """:func:`face_errors` from each face's sum of distances and number of points."""
    size = np.broadcast_to(np.asarray(normaliser, np.float64), total.shape)
    with np.errstate(divide='ignore', invalid='ignore'):
        relative = total / count / size
    relative[(size <= 0) & (count > 0)] = np.inf
    return relative


def distance_sums(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum of each face's point errors [N, P] → ([N] pixels, [N] annotated points), both float64."""
    total = errors.sum(axis=1, dtype=np.float64)
    count = np.full(len(errors), float(errors.shape[1]))
    rows = np.isnan(total)  # most faces have all their points
    missing = np.isnan(errors[rows])
    total[rows] = np.where(missing, 0, errors[rows]).sum(axis=1, dtype=np.float64)
    count[rows] -= np.count_nonzero(missing, axis=1)
    return total, count


def points_within(errors: np.ndarray, limit: float) -> np.ndarray:
    """How many points [N] of each face are strictly closer than ``limit`` pixels."""
    return np.count_nonzero(np.asarray(errors) < limit, axis=1)


def ppr(errors: np.ndarray, limit: float) -> float:
    """Share of all annotated points that are strictly closer than ``limit`` pixels (PPR@limit).

    Points of faces that were not detected count as not closer; NaN without any point.

    >>> round(ppr([[0.5, 1.0], [2.0, np.nan]], 1), 3)
    0.333
    """
    errors = np.asarray(errors)
    count = np.count_nonzero(~np.isnan(errors))
    return float(points_within(errors, limit).sum() / count) if count else np.nan


def mean_pixel_distance(errors: np.ndarray) -> float:
    """Mean distance of all annotated points, pixels (MPD); over detected faces, NaN without any.

    >>> mean_pixel_distance([[1.0, 2.0, 3.0], [np.nan, 6.0, np.nan], [np.inf, np.inf, np.inf]])
    3.0
    """
    errors = np.asarray(errors, np.float64)
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if known.size else np.nan


def point_to_curve(predictions: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Distance of predicted points to the annotated outline, whatever their place along it.

    Contour points are mostly spread evenly over a curve, so an error along it
    is a matter of definition; this is the error across it.

    Args:
        predictions: [N, P, 2] pixels; not finite where nothing was predicted.
        curve: [N, L, 2] pixels, joined by straight segments; one that ends in
            a NaN point is left out.

    Returns:
        [N, P] pixels, float32: ``inf`` where nothing was predicted, NaN where
        no segment is left.

    >>> point_to_curve([[[1, 2], [12, 0]]], [[[0, 0], [5, 0], [10, 0]]])
    array([[2., 2.]], dtype=float32)
    """
    predictions, curve = np.asarray(predictions, np.float32), np.asarray(curve, np.float32)
    squares = np.full(predictions.shape[:2], _FAR * _FAR, np.float32)
    for start in range(0, len(predictions), _CHUNK):
        part = slice(start, start + _CHUNK)
        for i in range(curve.shape[1] - 1):
            square = _square_to_segment(predictions[part], curve[part, i], curve[part, i + 1])
            np.minimum(squares[part], square, out=squares[part])
    distances = np.sqrt(squares)
    distances[_is_missing(predictions)] = np.inf
    missing = _is_missing(curve)
    no_segment = (missing[:, 1:] | missing[:, :-1]).all(axis=1)
    distances[no_segment] = np.nan
    return distances


def _square_to_segment(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Square distance of points [N, P, 2] to segments [N, 2] → [N, P]; far away for a segment with a NaN end."""
    along = end - start
    missing = _is_missing(along)[:, None]
    along = np.where(missing, 0, along)
    start = np.where(missing, np.float32(_FAR), start)
    length = np.square(along[:, 0]) + np.square(along[:, 1])
    per_length = along / np.where(length > 0, length, 1)[:, None]
    x, y = points[..., 0] - start[:, None, 0], points[..., 1] - start[:, None, 1]
    t = x * per_length[:, None, 0]
    t += y * per_length[:, None, 1]
    np.maximum(t, 0, out=t)
    np.minimum(t, 1, out=t)
    x -= t * along[:, None, 0]
    y -= t * along[:, None, 1]
    x *= x
    y *= y
    x += y
    return x


def _is_missing(points: np.ndarray) -> np.ndarray:
    """[..., 2] → [...] bool. Faster than a reduction over an axis of two."""
    return np.isnan(points[..., 0]) | np.isnan(points[..., 1])
