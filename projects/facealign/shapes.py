"""Shapes of points, laid over one another: Procrustes analysis by similarity, with points that may be absent.

A shape is [K] complex, x + iy, NaN where a point is absent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MOST_FACES = 4000


def normalised(points: np.ndarray) -> np.ndarray:
    """Points [K, 2] → a shape with mean 0 and root mean square radius 1."""
    shape = points[:, 0] + 1j * points[:, 1]
    shape = shape - np.nanmean(shape)
    return shape / max(float(np.sqrt(np.nanmean(np.abs(shape) ** 2))), 1e-9)


def mean_shape(shapes: np.ndarray, flip: Sequence[int] | None = None) -> np.ndarray:
    """Median shape [K] of shapes [N, K], by generalised Procrustes analysis; with ``flip`` made symmetric.

    Args:
        shapes: as :func:`normalised` gives them.
        flip: for each point the number that its mirror image bears; then the
            mirror images count too.
    """
    both = shapes if flip is None else np.concatenate([shapes, -np.conj(shapes[:, list(flip)])])
    # Begin with a face that many others are like, of some that have all points or nearly so.
    whole = np.argsort(-np.isfinite(shapes).sum(axis=1), kind='stable')[:_MOST_FACES]
    tried = whole[:: max(1, len(whole) // 15)]
    sample = shapes[whole[:: max(1, len(whole) // 200)]]
    mean = shapes[min(tried, key=lambda i: float(np.median(align(sample, shapes[i])[1])))]
    for _ in range(4):
        aligned = align(both, mean)[0]
        mean = np.nanmedian(aligned.real, axis=0) + 1j * np.nanmedian(aligned.imag, axis=0)
        mean = (mean - np.nanmean(mean)) / np.sqrt(np.nanmean(np.abs(mean) ** 2))
    return mean


def align(shapes: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shapes [N, K] laid over ``mean`` by scale, rotation and shift; the residuals [N]; the turns [N], as e^iφ."""
    known = np.isfinite(shapes) & np.isfinite(mean)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    target = np.where(known, mean, 0)
    centre = target.sum(axis=1, keepdims=True) / count
    target = np.where(known, target - centre, 0)
    source = np.where(known, shapes, 0)
    middle = source.sum(axis=1, keepdims=True) / count
    source = np.where(known, source - middle, 0)
    factor = (np.conj(source) * target).sum(axis=1) / np.maximum((np.abs(source) ** 2).sum(axis=1), 1e-12)
    size = np.maximum((np.abs(target) ** 2).sum(axis=1), 1e-12)
    residual = np.sqrt((np.abs(factor[:, None] * source - target) ** 2).sum(axis=1) / size)
    return (shapes - middle) * factor[:, None] + centre, residual, factor / np.maximum(np.abs(factor), 1e-12)
