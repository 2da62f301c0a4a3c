"""A model asked twice, about a face and its mirror image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facealign.markup import flip_points

if TYPE_CHECKING:
    from facealign.inference.aligner import LandmarkModel


class FlipTest:
    """The mean of a model's points for crops and for their mirror images: a little more accurate, half as fast.

    Args:
        model: whose markup says which points change sides.
    """

    def __init__(self, model: LandmarkModel) -> None:
        self._model = model
        self.info = model.info
        self.name = f'{model.name}_flip'

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Crops [N, H, W, 3] uint8 BGR → points [N, K, 2] in crop pixels and scores [N, K]."""
        points, scores = self._model(crops)
        mirrored, their_scores = self._model(np.ascontiguousarray(crops[:, :, ::-1]))
        back = flip_points(mirrored, crops.shape[2], self.info.markup)
        points = (points + back) / 2 + [self.info.annotation_offset, 0]
        return points, (scores + their_scores[:, list(self.info.markup.flip_indices)]) / 2
