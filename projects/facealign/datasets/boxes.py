"""Where face boxes come from, and which of several detections belongs to an annotation."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from facealign.datasets.records import FaceRecord
from facealign.errors import FaceAlignError
from facealign.files import atomic_write_text
from facealign.io.image_table import ImageTable

# A detection that overlaps the annotated points less than this is another face
# or none at all: over 300W with dlib's HOG, right boxes have 0.35 and more.
MIN_FIT = 0.2
_SIDES = ('x1', 'y1', 'x2', 'y2')


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


def has_boxes(path: str | os.PathLike[str]) -> bool:
    """Whether a CSV file has the columns of a box."""
    columns = ImageTable(path).columns
    return all(side in columns or f'face_rect_{side}' in columns for side in _SIDES)


def read_box_csv(path: str | os.PathLike[str], file_names: Iterable[str]) -> dict[str, np.ndarray]:
    """Detections of a CSV file for the images it lists: ``file_name`` → [M, 5] x1, y1, x2, y2, score.

    Columns are found by name, in any order: ``image`` and ``x1 y1 x2 y2``
    (``score`` if it is there), or VisionLabs' ``image_name``, ``dataset_type``,
    ``train_type`` and ``face_rect_x1`` …, where y1 is the top. A row with
    empty sides says that no face was found. Images that the file does not
    list are absent from the result.

    Raises:
        FaceAlignError: unreadable, a column is missing, or a cell is no number.
    """
    table = ImageTable(path)
    columns = [table.require(side, f'face_rect_{side}') for side in _SIDES]
    detections = {}
    for name, rows in table.match(file_names).items():
        boxes = []
        for row in rows:
            if not any(row[column].strip() for column in columns):
                continue
            sides = [table.value(row, column, float) for column in columns]
            if not (sides[2] > sides[0] and sides[3] > sides[1] and np.isfinite(sides).all()):
                raise FaceAlignError(
                    f'{path}: line {row["#"]}: the box {sides} has no area; x1 < x2 and y1 (top) < y2 must hold'
                )
            score = table.value(row, 'score', float) if row.get('score', '').strip() else math.nan
            boxes.append([*sides, score])
        detections[name] = np.array(boxes, dtype=float).reshape(-1, 5)
    return detections


def write_box_csv(path: str | os.PathLike[str], detections: dict[str, np.ndarray]) -> None:
    """Write detections (as :func:`read_box_csv` returns them) as a CSV file it reads.

    One row a detection, best score first; one with empty sides for an image
    without any.

    Raises:
        FaceAlignError: the file cannot be written.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(['image', *_SIDES, 'score', 'n_faces'])
    for name, boxes in detections.items():
        for box in boxes if len(boxes) else [[math.nan] * 5]:
            writer.writerow([name, *(_cell(value) for value in box), len(boxes)])
    atomic_write_text(path, buffer.getvalue())


def _cell(value: float) -> str:
    return f'{value:.4f}'.rstrip('0').rstrip('.') if math.isfinite(value) else ''
