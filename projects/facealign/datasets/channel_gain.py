"""Colour augmentation of the 106-point reference system."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ChannelGain(BaseTransform):
    """Multiply each colour channel of ``img`` (uint8 [H, W, 3]) by its own random factor, clipped to 0 … 255.

    Args:
        low, high: bounds of the factor.
    """

    def __init__(self, low: float = 0.7, high: float = 1.3) -> None:
        self.low, self.high = low, high

    def transform(self, results: dict) -> dict:
        gain = np.random.uniform(self.low, self.high, 3)
        results['img'] = np.clip(np.rint(results['img'] * gain), 0, 255).astype(np.uint8)
        return results
