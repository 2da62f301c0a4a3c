"""Pseudo-labels by agreement: a model's own points for unlabelled faces, where it gives them whatever the box.

After self-training for landmarks (PIPNet, Jin et al., 2021): a face's points are the mean over several boxes; points on
which the boxes disagree are absent, a face whose points disagree on the whole is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from facealign.detection.calibration import BoxRule
from facealign.errors import FaceAlignError
from facealign.inference.aligner import FaceAligner
from facealign.io.image import read_image
from facealign.structures.records import FaceRecord, Gathered
from facealign.utils.parallel import show_progress

# Standard deviations as a share of the face (square root of its points' rectangle's area). Chosen by looking at faces.
FACE_SPREAD, POINT_SPREAD = 0.015, 0.02
_BOXES, _SHIFT, _GROW = 6, 0.06, (-0.05, 0.07)


def pseudo_labels(
    aligner: FaceAligner, root: Path, boxes: Mapping[str, np.ndarray], rule: BoxRule, seed: int = 0
) -> Gathered:
    """Faces with the points of ``aligner``'s model; those on which it does not agree with itself are left out.

    Args:
        aligner: with the rule of landmark rectangles.
        root: folder of the images.
        boxes: image, relative to ``root`` → detections [M, 5], of which each becomes a face.
        rule: how these lie on a face.
        seed: of the boxes that are tried.
    """
    gathered = Gathered()
    generator = np.random.default_rng(seed)
    for name, rows in show_progress(boxes.items(), 'finding points', len(boxes)):
        gathered.num_images += 1
        try:
            image = read_image(root / name)
        except FaceAlignError as error:
            gathered.leave_out(name, 'image cannot be read', str(error))
            continue
        for face in aligner(image, rule.rectangle(rows)):
            points, spread = _over_boxes(aligner, image, face.points, generator)
            if spread.mean() > FACE_SPREAD:
                gathered.leave_out(name, 'points differ between boxes', f'by {spread.mean():.1%} of the face')
                continue
            points[spread > POINT_SPREAD] = np.nan
            size = (image.shape[1], image.shape[0])
            gathered.faces.append(FaceRecord(root, name, points, size, source='pseudo-labels', split='train'))
    return gathered


def spread_of(points: np.ndarray) -> np.ndarray:
    """Root mean square distance [K] of points [B, K, 2] from their mean, as a share of the mean face's size.

    >>> square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    >>> spread_of(np.stack([square, square + [[1, 0], [0, 0], [0, 0], [0, 0]]])).round(3).tolist()
    [0.05, 0.0, 0.0, 0.0]
    """
    mean = points.mean(axis=0)
    size = np.sqrt(np.prod(np.ptp(mean, axis=0)))
    return np.sqrt(((points - mean) ** 2).sum(axis=2).mean(axis=0)) / size


def _over_boxes(
    aligner: FaceAligner, image: np.ndarray, first: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mean points [K, 2] over the rectangle of the ``first`` ones and boxes around it, and their spread [K]."""
    low, high = first.min(axis=0), first.max(axis=0)
    size = high - low
    shift = generator.uniform(-_SHIFT, _SHIFT, (_BOXES, 2)) * size
    grow = generator.uniform(*_GROW, (_BOXES, 1)) * size
    shift[0] = grow[0] = 0
    rectangles = np.concatenate([low + shift - grow, high + shift + grow], axis=1)
    points = np.stack([face.points for face in aligner(image, rectangles)])
    return points.mean(axis=0), spread_of(points)
