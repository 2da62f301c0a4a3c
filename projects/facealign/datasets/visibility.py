"""How much an annotated point that cannot be seen counts in training."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class VisibilityWeight(BaseTransform):
    """Lower the weight of invisible points: their place is a guess of the annotator.

    For a train pipeline, before ``RandomFlip``. Turns the dataset's
    ``visibility`` [K] (2 visible, 1 invisible, 0 missing) into
    ``keypoints_visible`` [1, K] of 1, ``invisible`` and 0, which MMPose's
    codecs and this project's hand on as weights of the loss.

    Args:
        invisible: weight of an invisible point, 0 to 1; below 0.5 MMPose's own codecs draw no target.
    """

    def __init__(self, invisible: float = 0.5) -> None:
        if not 0 <= invisible <= 1:
            raise ValueError(f'invisible must be between 0 and 1, not {invisible}')
        self.weights = np.array([0, invisible, 1], dtype=np.float32)

    def transform(self, results: dict) -> dict:
        results['keypoints_visible'] = self.weights[results['visibility']][None]
        return results
