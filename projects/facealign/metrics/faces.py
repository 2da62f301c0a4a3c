"""Predictions beside annotations, as arrays: what every measure starts from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Faces:
    """N faces of K points in the pixels of their images (0-based).

    Attributes:
        predictions: [N, K, 2].
        points: [N, K, 2] as annotated; NaN where a point is not.
        visibility: [N, K] 2 seen, 1 annotated though hidden, 0 not annotated.
        detected: [N] False where a detector was to find the face and did not;
            its prediction, if any, does not count.
        subsets: [N] names, may be empty.
        face_boxes: [N, 4] x1, y1, x2, y2 of the detector; NaN where there is none.
        image_sizes: [N, 2] width, height; NaN where unknown.
        ids: [N] annotation ids.
        files: [N] image files.
        attributes: [N] attribute name → value.
    """

    predictions: np.ndarray
    points: np.ndarray
    visibility: np.ndarray
    detected: np.ndarray
    subsets: np.ndarray
    face_boxes: np.ndarray
    image_sizes: np.ndarray
    ids: np.ndarray
    files: np.ndarray
    attributes: Sequence[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def scored(self) -> np.ndarray:
        """[N, K, 2] predictions that count: NaN for faces that were not detected."""
        return np.where(self.detected[:, None, None], self.predictions, np.nan)

    @classmethod
    def of_arrays(cls, predictions: np.ndarray, points: np.ndarray, **known: Any) -> Faces:
        """Faces with what is ``known`` of them; the rest takes its neutral value.

        >>> faces = Faces.of_arrays(np.zeros((2, 68, 2)), np.ones((2, 68, 2)))
        >>> len(faces), faces.detected
        (2, array([ True,  True]))
        """
        points = np.asarray(points)
        count = len(points)
        annotated = ~np.isnan(points).any(axis=2)
        neutral: dict[str, Any] = dict(
            visibility=np.where(annotated, 2, 0).astype(np.uint8),
            detected=np.ones(count, bool),
            subsets=np.full(count, ''),
            face_boxes=np.full((count, 4), np.nan),
            image_sizes=np.full((count, 2), np.nan),
            ids=np.arange(1, count + 1),
            files=np.full(count, ''),
            attributes=[{}] * count,
        )
        return cls(np.asarray(predictions), points, **{**neutral, **known})

    def replace_predictions(self, predictions: np.ndarray) -> Faces:
        """The same faces with other predictions [N, K, 2]."""
        return dataclasses.replace(self, predictions=predictions)
