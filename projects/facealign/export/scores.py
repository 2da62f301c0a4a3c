"""Scores that mean something: calibrate each point's probability of being right on annotated faces.

A network is surer of the faces it was trained on and errs less there, so the
faces must be new to it. Where the weights to export have seen all annotated
faces, the scores are fitted to earlier weights that have not, and carried over:
point by point the doubt of the weights to export is brought to the mean and
standard deviation that the earlier ones' has on the same faces. (Unlike its
errors, the spread of a network's maps hardly depends on whether it has seen a face.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from facealign.export.graph import RIGHT_WITHIN, LandmarkGraph

_FLOOR = 0.05  # crop pixels; annotations are no better
_FOLDS = 5
_PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_SLIGHT = 0.01  # keeps what is common to all points finite where all of them are right


def fit_scores(
    graph: LandmarkGraph,
    crops: np.ndarray,
    points: np.ndarray,
    unseen: LandmarkGraph | None = None,
    batch: int = 32,
) -> str:
    """Set ``graph``'s offset, slope, context and weights by logistic regression.

    Args:
        graph: to be set.
        crops: [N, 3, H, W], normalised.
        points: [N, K, 2] annotated, in crop pixels; NaN where not annotated.
        unseen: the same network with weights that were not trained on these faces, where ``graph``'s were.
        batch: how many at once.

    Returns:
        what the scores mean, for the model file.
    """
    own = _run(graph, crops, batch)
    judged = own if unseen is None else _run(unseen, crops, batch)
    apart = np.linalg.norm(judged.points - points, axis=2)
    right = np.where(np.isfinite(apart), apart < graph.right_within, np.nan)
    source = 'the spread of its output'
    doubt, own_doubt = judged.doubt, own.doubt
    if doubt is None or own_doubt is None:
        source = 'its features'
        logs = np.log(apart + _FLOOR)
        target = np.nan_to_num(np.nanmean(logs - np.nanmean(logs, axis=0), axis=1))
        weights, left_out = _ridge(own.features, target)
        graph.weights = torch.from_numpy(weights.astype(np.float32))[:, None]
        own_doubt = np.repeat((own.features @ weights)[:, None], points.shape[1], axis=1)
        doubt = np.repeat(
            (left_out if unseen is None else _ridge(judged.features, target)[1])[:, None], points.shape[1], 1
        )
    offset, slope, context = fit_logistic(doubt, right)
    if unseen is not None:
        # doubt = stretch · own doubt + shift, put into the formula.
        stretch = doubt.std(axis=0) / np.maximum(own_doubt.std(axis=0), 1e-6)
        shift = doubt.mean(axis=0) - stretch * own_doubt.mean(axis=0)
        offset = offset + slope * shift + context @ shift
        slope, context = slope * stretch, context * stretch
    for name, value in (('offset', offset), ('slope', slope), ('context', context[:, None])):
        getattr(graph, name).copy_(torch.from_numpy(value))
    seen = '' if unseen is None else ' by earlier weights, which had not been trained on them'
    return (
        f'probability that the point lies within {RIGHT_WITHIN:.0%} of the face (longer side of the points) of where '
        f'an annotator puts it, estimated from {source}; fitted on {len(points)} faces{seen}'
    )


def fit_logistic(doubt: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Penalised logistic regression of ``right`` on each point's doubt and the mean doubt of its face.

    The points share their slopes; their offsets keep together by a penalty that
    is chosen by cross-validation over faces (the points of one face are no
    independent observations). More doubt never raises a score.

    Args:
        doubt: [N, K], finite.
        right: [N, K], 1 or 0; NaN where it is not known.

    Returns:
        offset [K], slope [K] and context [K] of :class:`LandmarkGraph`.
    """
    penalty = _PENALTIES[-1]
    if len(doubt) >= 2 * _FOLDS:
        fold = np.random.default_rng(0).permutation(len(doubt)) % _FOLDS
        losses = [
            sum(
                _loss(_fit(doubt[fold != f], right[fold != f], p), doubt[fold == f], right[fold == f])
                for f in range(_FOLDS)
            )
            for p in _PENALTIES
        ]
        penalty = _PENALTIES[int(np.argmin(losses))]
    fitted = _fit(doubt, right, penalty)
    return fitted.offset, fitted.slope, fitted.context


@dataclass(frozen=True)
class _Outputs:
    points: np.ndarray
    doubt: np.ndarray | None
    features: np.ndarray


@dataclass(frozen=True)
class _Logistic:
    offset: np.ndarray
    slope: np.ndarray
    context: np.ndarray

    def logits(self, doubt: np.ndarray) -> np.ndarray:
        return self.offset + self.slope * doubt + (doubt @ self.context)[:, None]


def _run(graph: LandmarkGraph, crops: np.ndarray, batch: int) -> _Outputs:
    with torch.no_grad():
        parts = [graph.predict(torch.from_numpy(crops[i : i + batch])) for i in range(0, len(crops), batch)]
    points, doubt, features = zip(*parts)
    return _Outputs(_joined(points), None if doubt[0] is None else _joined(doubt), _joined(features))


def _joined(parts: Sequence[Any]) -> np.ndarray:
    return torch.cat(list(parts)).numpy().astype(np.float64)


def _fit(doubt: np.ndarray, right: np.ndarray, penalty: float) -> _Logistic:
    count = doubt.shape[1]
    known = np.isfinite(right)
    target = np.where(known, right, 0)
    middle = doubt.mean()
    own = doubt - middle
    face = own.mean(axis=1, keepdims=True)

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        common, offset = values[:3], values[3:]
        logits = common[0] + offset + common[1] * own + common[2] * face
        errors = np.where(known, expit(logits) - target, 0)
        total = np.where(known, np.logaddexp(0, logits) - target * logits, 0).sum()
        gradient = np.array([errors.sum(), (errors * own).sum(), (errors * face).sum()]) + _SLIGHT * common
        total += (penalty * (offset**2).sum() + _SLIGHT * (common**2).sum()) / 2
        return total, np.concatenate([gradient, errors.sum(axis=0) + penalty * offset])

    bounds = [(None, None), (None, 0), (None, 0), *[(None, None)] * count]
    found = minimize(
        loss, np.zeros(3 + count), jac=True, method='L-BFGS-B', bounds=bounds, options=dict(maxiter=1000)
    ).x
    return _Logistic(
        found[0] + found[3:] - (found[1] + found[2]) * middle,
        np.full(count, found[1]),
        np.full(count, found[2] / count),
    )


def _loss(fitted: _Logistic, doubt: np.ndarray, right: np.ndarray) -> float:
    logits = fitted.logits(doubt)
    return float(np.nansum(np.logaddexp(0, logits) - right * logits))


def _ridge(features: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression without offset: weights [C], and what each face is given by the others' [N].

    Its strength is chosen by leaving each face out once.
    """
    features = features.astype(np.float64)
    mean = features.mean(axis=0)
    u, s, vt = np.linalg.svd(features - mean, full_matrices=False)
    projected = u.T @ target
    best, weights, given = np.inf, np.zeros(features.shape[1]), np.zeros(len(features))
    for strength in s[0] ** 2 * 10.0 ** np.arange(-5, 1.01, 0.5):
        shrink = s**2 / (s**2 + strength)
        left_out = (target - u @ (shrink * projected)) / (1 - (u**2) @ shrink)
        if (error := float((left_out**2).mean())) < best:
            best, weights = error, vt.T @ (s / (s**2 + strength) * projected)
            given = target - left_out + mean @ weights
    return weights, given
