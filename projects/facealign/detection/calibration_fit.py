"""Measure a detector on annotated faces: how many it finds, and how its boxes lie on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facealign.detection.calibration import BoxRule
from facealign.io.coco_images import AnnotatedImage
from facealign.structures.boxes import choose_boxes


@dataclass(frozen=True)
class DetectorCheck:
    """What a detector did on annotated images.

    Attributes:
        faces: how many are annotated.
        boxes, rectangles: [F, 4] of the faces that were found: the detector's
            box and the rectangle of the points.
        false_boxes: boxes on no annotated face. In photos cut out around one
            face some of them show a neighbour.
    """

    faces: int
    boxes: np.ndarray
    rectangles: np.ndarray
    false_boxes: int

    @property
    def hit_rate(self) -> float:
        """Share of the faces that were found, 0 to 1."""
        return len(self.boxes) / self.faces


def check_detections(images: Sequence[AnnotatedImage], detections: Sequence[np.ndarray | None]) -> DetectorCheck:
    """Match detections [M, 5] an image with its annotated faces (see :func:`choose_boxes`)."""
    boxes, rectangles, false_boxes = [], [], 0
    for image, rows in zip(images, detections):
        rows = np.zeros((0, 5)) if rows is None else rows
        chosen = choose_boxes(image.rectangles, rows)
        hits = [(face, index) for face, index in enumerate(chosen) if index is not None]
        boxes += [rows[index][:4] for _, index in hits]
        rectangles += [image.rectangles[face] for face, _ in hits]
        false_boxes += len(rows) - len(hits)
    faces = sum(len(image.points) for image in images)
    return DetectorCheck(faces, np.array(boxes).reshape(-1, 4), np.array(rectangles).reshape(-1, 4), false_boxes)


def fit_rule(boxes: np.ndarray, rectangles: np.ndarray, passes: int = 1) -> BoxRule:
    """The rule that fits boxes [F, 4] and the rectangles [F, 4] of their faces.

    It takes medians, which misdrawn boxes do not move.

    >>> fit_rule(np.array([[0, 0, 10, 10]]), np.array([[1, 3, 9, 11]]))
    BoxRule(shift=(0.0, 0.2), size=(0.8, 0.8), passes=1)
    """
    sides, wanted = boxes[:, 2:] - boxes[:, :2], rectangles[:, 2:] - rectangles[:, :2]
    centres = (boxes[:, 2:] + boxes[:, :2]) / 2
    shift = np.median(((rectangles[:, 2:] + rectangles[:, :2]) / 2 - centres) / sides, axis=0)
    size = np.median(wanted / sides, axis=0)
    # Crops are cut to the longer side, so that one must be right.
    size *= np.median(wanted.max(axis=1) / np.maximum(sides * size, 1e-9).max(axis=1))
    return BoxRule(tuple(shift.round(4).tolist()), tuple(size.round(4).tolist()), passes)
