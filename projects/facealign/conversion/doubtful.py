"""Annotation checks by geometry: faces whose points are mirrored, displaced or turned, told from the others' shape.

A statistical shape model (Cootes et al., Active shape models, 1995): the mean shape of the set, and with enough faces
its principal modes. No image is looked at: points that form a good face in the wrong place of a picture are not seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facealign.markup import Markup
from facealign.shapes import align, mean_shape, normalised
from facealign.structures.records import FaceRecord

# Of 300W's 2,566 and Datatang's 819 faces at hand each fits the mean shape at least 2.4 times better as it is than
# swapped, and to 0.42; none is turned by more than 57 degrees or has more than a sixth of its points off its image. Six
# have a point so far out, of which four at least are mistaken.
_SWAPPED = 0.7  # of the residual as annotated, that with left and right exchanged
_NO_FACE = 0.6  # root mean square distance from the mean shape, of its own root mean square radius
_TURNED = 120  # degrees
_OFF_IMAGE = 1 / 3  # of the points
_FAR_OFF = 1.5  # median distances of the points from their median, a point from the image
_FAR = 0.35  # of the root mean square radius, a point from where the others say it is
_FEWEST_FACES, _MODES, _MOST_FACES = 200, 20, 4000  # for the modes


@dataclass(frozen=True)
class Doubt:
    """What is odd about the face with this place in the sequence."""

    face: int
    reason: str


def find_doubtful(faces: Sequence[FaceRecord], markup: Markup) -> list[Doubt]:
    """The faces of one markup that are probably annotated wrongly, each with the first reason that holds."""
    if not faces:
        return []
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'All-NaN|Mean of empty', RuntimeWarning)  # a point that no face has
        return _find(faces, markup)


def _find(faces: Sequence[FaceRecord], markup: Markup) -> list[Doubt]:
    shapes = np.stack([normalised(face.points) for face in faces])
    flip = list(markup.flip_indices)
    mean = mean_shape(shapes, flip if markup.flip_pairs else None)
    if _is_mirrored(mean, markup):
        mean = mean[flip]
    aligned, residuals, turns = align(shapes, mean)
    # Upright is as most faces are.
    angles = np.abs(np.angle(turns / (turns.sum() or 1), deg=True))
    swapped = align(shapes[:, flip], mean)[1]
    far = _far_points(aligned, flip)
    doubts = []
    for i, face in enumerate(faces):
        off, beyond = face.points_off_image, face.distances_off_image()
        reason = ''
        if swapped[i] < _SWAPPED * residuals[i]:
            reason = 'left and right points changed places'
        elif beyond.max() > _FAR_OFF * _reach(face):
            reason = _place(markup, int(beyond.argmax()), 'far off the image')
        elif residuals[i] > _NO_FACE:
            reason = 'the points do not form a face'
        elif angles[i] > _TURNED:
            reason = f'turned by {angles[i]:.0f} degrees'
        elif off >= _OFF_IMAGE * face.annotated.sum():
            reason = f'{off} of {int(face.annotated.sum())} points off the image'
        elif far is not None and far[i].max() > _FAR:
            reason = _place(markup, int(far[i].argmax()), 'far from its place')
        if reason:
            doubts.append(Doubt(i, reason))
    return doubts


def _place(markup: Markup, point: int, where: str) -> str:
    return f'point {point} ({markup.keypoint_names[point]}) {where}'


def _reach(face: FaceRecord) -> float:
    """Pixels of the uncropped image: median distance of the points from their median, which few astray do not move."""
    distances = np.linalg.norm(face.points - np.nanmedian(face.points, axis=0), axis=1)
    scale = 1.0 if face.original is None else float(np.sqrt(abs(np.linalg.det(face.original.to_original[:, :2]))))
    return scale * float(np.nanmedian(distances))


def _is_mirrored(mean: np.ndarray, markup: Markup) -> bool:
    """Whether the mean face has left and right exchanged, by its brows and contour; False where it has none such."""
    brows, contour = (list(markup.regions.get(name, ())) for name in ('brows', 'contour'))
    pairs = [pair for pair in markup.flip_pairs if pair[0] in {*brows, *contour}]
    if not (brows and contour and pairs):
        return False
    to_right = np.nansum([mean[right] - mean[left] for left, right in pairs])
    down = np.nanmean(mean[contour]) - np.nanmean(mean[brows])
    return bool((np.conj(to_right) * down).imag < 0)


def _far_points(aligned: np.ndarray, flip: list[int]) -> np.ndarray | None:
    """[N, K] distance of each point from where the shape's modes, fitted robustly to the others, put it.

    0 where a point is not annotated; None where the faces are too few for modes.
    """
    count, num_points = aligned.shape
    if count < _FEWEST_FACES or num_points * 2 <= 2 * _MODES:
        return None
    sample = aligned[:: max(1, count // _MOST_FACES)]
    rows = _real(np.concatenate([sample, -np.conj(sample[:, flip])]))
    mean = np.nanmean(rows, axis=0)
    deviations = np.nan_to_num(rows - mean)
    length = np.linalg.norm(deviations, axis=1)
    deviations = deviations[length <= np.quantile(length, 0.99)]
    _, spread, modes = np.linalg.svd(deviations, full_matrices=False)
    modes, variance = modes[:_MODES], np.square(spread[:_MODES]) / len(deviations)
    ridge = np.diag(1e-3 * variance.mean() / np.maximum(variance, 1e-12))
    distances = np.zeros((count, num_points))
    for i, shape in enumerate(_real(aligned)):
        known = np.isfinite(shape[:num_points])
        deviation = np.nan_to_num(shape - mean)
        weight = known.astype(float)
        for _ in range(6):  # iteratively re-weighted least squares with Cauchy's weights
            weighted = modes * np.tile(weight, 2)
            rest = deviation - np.linalg.solve(weighted @ modes.T + ridge, weighted @ deviation) @ modes
            distance = np.where(known, np.hypot(rest[:num_points], rest[num_points:]), 0)
            scale = 3 * (np.median(distance[known]) + 1e-3)
            weight = known / (1 + np.square(distance / scale))
        if known.sum() > num_points / 2:
            distances[i] = distance
    return distances


def _real(shapes: np.ndarray) -> np.ndarray:
    return np.concatenate([shapes.real, shapes.imag], axis=1)
