"""Coordinates as regression targets."""

from __future__ import annotations

import numpy as np
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS

_PARTS = {'crop': 1, 'percent': 100}  # of the crop's sides that a unit is


@KEYPOINT_CODECS.register_module()
class FaceRegressionLabel(BaseKeypointCodec):
    """Points of the crop as numbers to regress; MMPose's ``RegressionLabel`` that keeps points outside the crop.

    MMPose gives points outside the crop no weight. A tight detector box cuts
    off the chin of most faces, and a regressor can place it all the same.

    Args:
        input_size: (width, height) of the crop in pixels.
        unit: ``crop`` divides by the size of the crop, ``percent`` gives hundredths of it; ``pixel`` leaves crop
            pixels, as the 68-point reference does.
    """

    label_mapping_table = dict(keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights')

    def __init__(self, input_size: tuple[int, int], unit: str = 'crop') -> None:
        super().__init__()
        if unit not in (*_PARTS, 'pixel'):
            raise ValueError(f'unit must be one of {", ".join(_PARTS)}, pixel, not "{unit}"')
        self.input_size = (input_size[0], input_size[1])
        self.unit = unit

    @property
    def scale(self) -> tuple[float, float]:
        """Crop pixels a unit, (x, y)."""
        width, height = self.input_size
        return (1.0, 1.0) if self.unit == 'pixel' else (width / _PARTS[self.unit], height / _PARTS[self.unit])

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict:
        """Crop pixels [N, K, 2] and presence [N, K] → ``keypoint_labels`` and ``keypoint_weights`` of these shapes."""
        if keypoints_visible is None:
            keypoints_visible = np.ones(keypoints.shape[:2], dtype=np.float32)
        labels = (keypoints / np.array(self.scale)).astype(np.float32)
        return dict(keypoint_labels=labels, keypoint_weights=(keypoints_visible > 0).astype(np.float32))

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outputs [N, K, 2] → crop pixels [N, K, 2] and scores [N, K], which a plain regressor does not have: 1."""
        return encoded * np.array(self.scale, dtype=encoded.dtype), np.ones(encoded.shape[:2], dtype=np.float32)
