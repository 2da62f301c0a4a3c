"""Which of several detections belongs to an annotation."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from facealign.structures.records import FaceRecord

# A detection that overlaps the annotated points less than this is another face
# or none at all: over 300W with dlib's HOG, right boxes have 0.35 and more.
MIN_FIT = 0.2


def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes ``a`` [N, 4] and ``b`` [M, 4] (x1, y1, x2, y2) → [N, M].

    >>> box_iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0], [5, 5, 6, 6]])).round(3)
    array([[0.333, 0.   ]])
    """
    a, b = np.asarray(a, dtype=float).reshape(-1, 1, 4), np.asarray(b, dtype=float).reshape(1, -1, 4)
    overlap = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=-1)
    union = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1) - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def choose_boxes(landmark_boxes: np.ndarray, detections: np.ndarray, min_fit: float = MIN_FIT) -> list[int | None]:
    """For each annotated face of one image the detection that fits it best.

    Fit is the intersection over union with the rectangle of the annotated
    points. The best pair is taken first, and no detection serves two faces.

    Args:
        landmark_boxes: [N, 4] x1, y1, x2, y2.
        detections: [M, 4 or more], the box first.
        min_fit: less than this is no fit.

    Returns:
        N indices into ``detections``, None where none fits.
    """
    chosen: list[int | None] = [None] * len(landmark_boxes)
    if not len(detections):
        return chosen
    fit = box_iou(landmark_boxes, np.asarray(detections)[:, :4])
    while fit.size:
        face, detection = np.unravel_index(np.argmax(fit), fit.shape)
        if fit[face, detection] < max(min_fit, 1e-9):
            break
        chosen[int(face)] = int(detection)
        fit[face, :] = -1
        fit[:, detection] = -1
    return chosen


def assign_boxes(faces: Iterable[FaceRecord], detections: dict[str, np.ndarray]) -> None:
    """Set each face's ``face_box`` and ``face_score`` from the detections in its image.

    ``detections`` maps an image's ``file_name`` to [M, 5] (x1, y1, x2, y2,
    score; a NaN score is none). A face that no detection fits has None.
    """
    by_image: dict[str, list[FaceRecord]] = defaultdict(list)
    for face in faces:
        by_image[face.file_name].append(face)
    for file_name, group in by_image.items():
        found = detections.get(file_name, np.zeros((0, 5)))
        chosen = choose_boxes(np.stack([face.landmark_box for face in group]), found)
        for face, index in zip(group, chosen):
            face.face_box = None if index is None else np.array(found[index][:4], dtype=float)
            score = math.nan if index is None else float(found[index][4])
            face.face_score = score if math.isfinite(score) else None
