"""What a detector costs in accuracy: AUC@0.08 of one model on each detector's boxes, misses counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facealign.errors import FaceAlignError
from facealign.inference.aligner import FaceAligner
from facealign.io.coco_images import AnnotatedImage
from facealign.io.image import read_image
from facealign.structures.boxes import choose_boxes

AUC_LIMIT = 0.08


@dataclass(frozen=True)
class DetectorAccuracy:
    """Errors are mean distances over sqrt(w · h) of the rectangle of the annotated points.

    Attributes:
        errors: [F] of each annotated face; infinite where the detector missed it.
        missed: how many those are.
    """

    errors: np.ndarray
    missed: int

    @property
    def auc(self) -> float:
        from facealign.metrics.curves import auc  # needs SciPy

        return auc(self.errors, AUC_LIMIT)

    @property
    def failure_rate(self) -> float:
        from facealign.metrics.curves import failure_rate  # needs SciPy

        return failure_rate(self.errors, AUC_LIMIT)

    @property
    def failure_interval(self) -> tuple[float, float]:
        """The 95 % interval of :attr:`failure_rate`."""
        from facealign.metrics.bootstrap import share_interval  # needs SciPy

        return share_interval(round(self.failure_rate * len(self.errors)), len(self.errors))

    @property
    def nme_landmark_bbox(self) -> float:
        """Mean over the faces that were found, a fraction."""
        return float(self.errors[np.isfinite(self.errors)].mean())


def accuracy(aligner: FaceAligner, images: Sequence[AnnotatedImage], from_landmarks: bool = False) -> DetectorAccuracy:
    """Run ``aligner`` on annotated images; ``from_landmarks`` gives it the annotated rectangles for boxes.

    Raises:
        FaceAlignError: an image cannot be read, or the points are of another markup.
    """
    errors: list[float] = []
    for annotated in images:
        if annotated.points.shape[1] != aligner.model.info.markup.num_keypoints:
            raise FaceAlignError(
                f'{annotated.path}: has {annotated.points.shape[1]} points, '
                f'the model {aligner.model.info.markup.num_keypoints} ({aligner.model.info.markup.name})'
            )
        rectangles = annotated.rectangles
        if from_landmarks:
            faces = aligner(annotated.path, rectangles)
            chosen: list[int | None] = list(range(len(faces)))
        else:
            image = read_image(annotated.path)
            boxes = aligner.detect(image, annotated.path)
            faces = aligner.align([image], [boxes])[0]
            chosen = choose_boxes(rectangles, boxes)
        for points, rectangle, index in zip(annotated.points, rectangles, chosen):
            if index is None:
                errors.append(np.inf)
            else:
                errors.append(face_error(faces[index].points, points, rectangle))
    return DetectorAccuracy(np.array(errors), int(np.isinf(errors).sum()))


def face_error(found: np.ndarray, truth: np.ndarray, rectangle: np.ndarray) -> float:
    """Mean distance of ``found`` [K, 2] from ``truth`` [K, 2] (NaN where not annotated), as a share of sqrt(w · h).

    >>> face_error(np.zeros((2, 2)), np.array([[3.0, 4.0], [np.nan, np.nan]]), np.array([0, 0, 4, 25]))
    0.5
    """
    distance = np.nanmean(np.linalg.norm(found - truth, axis=1))
    return float(distance / np.sqrt((rectangle[2:] - rectangle[:2]).prod()))
