"""The mean shape as a row of the table: what a model must beat to have learnt anything from the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmpose.registry import METRICS

from facealign.errors import FaceAlignError
from facealign.evaluation.baselines import Baseline
from facealign.evaluation.baselines_dlib import read_faces


@METRICS.register_module()
class MeanShapeBaseline(Baseline):
    """Predicts the same points for every face: the mean of the training faces, each in the unit square of its box.

    Meant for boxes that are the landmark rectangles.

    Args:
        ann_file: training annotations, a file of ``tools/convert_dataset.py``.
        name: of the row.
        kwargs: of :class:`facealign.evaluation.metric.FaceAlignmentMetric`.

    Raises:
        FaceAlignError: ``ann_file`` is missing, no such file, or has no whole face.
    """

    def __init__(self, ann_file: str, name: str = 'mean shape', **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        faces, _ = read_faces(Path(ann_file))
        shapes = [unit_shape(face.points) for face in faces if face.annotated.all()]
        if not shapes:
            raise FaceAlignError(f'{ann_file}: no face has all its points; a mean shape needs some')
        self._shape = np.mean(shapes, axis=0)
        self.about = dict(faces=len(shapes), ann_file=Path(ann_file).name)

    def predict(self, image: np.ndarray, sample: dict) -> np.ndarray:
        box = np.asarray(sample['box'], float)
        return (box[:2] + self._shape * (box[2:] - box[:2])).astype(np.float32)


def unit_shape(points: np.ndarray) -> np.ndarray:
    """Points [K, 2] in the unit square of their own rectangle.

    >>> unit_shape(np.array([[2.0, 1.0], [4.0, 5.0], [3.0, 2.0]])).tolist()
    [[0.0, 0.0], [1.0, 1.0], [0.5, 0.25]]
    """
    low = points.min(axis=0)
    return (points - low) / (points.max(axis=0) - low)
