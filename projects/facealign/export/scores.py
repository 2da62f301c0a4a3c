"""Scores that mean something: fit the expected error of each point on annotated faces."""

from __future__ import annotations

import numpy as np
import torch

from facealign.export.graph import RIGHT_WITHIN, LandmarkGraph

# Of the logarithm of a Rayleigh variable with sigma 1: (ln 2 - Euler's gamma) / 2.
_MEAN_LOG_RAYLEIGH = 0.0579659
_FLOOR = 0.05  # crop pixels; annotations are no better


def fit_scores(graph: LandmarkGraph, crops: np.ndarray, points: np.ndarray, batch: int = 32) -> str:
    """Set ``graph``'s offset, slope and weights by least squares on the logarithm of its errors.

    Args:
        graph: to be set.
        crops: [N, 3, H, W], normalised.
        points: [N, K, 2] annotated, in crop pixels; NaN where not annotated.
        batch: how many at once.

    Returns:
        what the scores mean, for the model file.
    """
    predicted, features = [], []
    doubts: list[np.ndarray] = []
    with torch.no_grad():
        for start in range(0, len(crops), batch):
            found, doubt, means = graph.predict(torch.from_numpy(crops[start : start + batch]))
            predicted.append(found.numpy())
            features.append(means.numpy())
            if doubt is not None:
                doubts.append(doubt.numpy())
    apart = np.linalg.norm(np.concatenate(predicted) - points, axis=2)
    logs = np.log(apart + _FLOOR) - _MEAN_LOG_RAYLEIGH
    if doubts:
        slope = _slope(np.concatenate(doubts), logs)
        rest = logs - slope * np.concatenate(doubts)
        graph.slope.fill_(slope)
        source = 'the spread of its output'
    else:
        weights = _ridge(np.concatenate(features), np.nanmean(logs - np.nanmean(logs, axis=0), axis=1))
        rest = logs - (np.concatenate(features) @ weights)[:, None]
        graph.weights = torch.from_numpy(weights.astype(np.float32))[:, None]
        source = 'its features'
    graph.offset.copy_(torch.from_numpy(np.nanmean(rest, axis=0)))
    return (
        f'probability that the point lies within {RIGHT_WITHIN:.0%} of the face (longer side of the points) of where '
        f'an annotator puts it, estimated from {source}; fitted on {len(points)} faces'
    )


def _slope(doubt: np.ndarray, logs: np.ndarray) -> float:
    """The common slope within points; not below 0, which would turn the score round."""
    x, y = doubt - doubt.mean(axis=0), logs - np.nanmean(logs, axis=0)
    use = np.isfinite(y)
    return max(0.0, float((x[use] * y[use]).sum() / max((x[use] ** 2).sum(), 1e-12)))


def _ridge(features: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights [C] of a ridge regression without offset; its strength is chosen by leaving each face out once."""
    features = features.astype(np.float64)
    mean = features.mean(axis=0)
    u, s, vt = np.linalg.svd(features - mean, full_matrices=False)
    projected = u.T @ target
    best, weights = np.inf, np.zeros(features.shape[1])
    for strength in s[0] ** 2 * 10.0 ** np.arange(-5, 1.01, 0.5):
        shrink = s**2 / (s**2 + strength)
        left_out = (target - u @ (shrink * projected)) / (1 - (u**2) @ shrink)
        if (error := float((left_out**2).mean())) < best:
            best, weights = error, vt.T @ (s / (s**2 + strength) * projected)
    return weights
