"""VisibilityWeight, alone and through flip and codec."""

from __future__ import annotations

import numpy as np
import pytest
from mmpose.datasets.transforms import RandomFlip

import facealign.plugin  # noqa: F401
from facealign.codecs.fastpose import SubcellHeatmap
from facealign.datasets.visibility import VisibilityWeight


def test_weights() -> None:
    results = VisibilityWeight(invisible=0.3)(dict(visibility=np.array([2, 1, 0, 2], np.uint8)))
    assert results['keypoints_visible'].round(6).tolist() == [[1, pytest.approx(0.3), 0, 1]]
    assert results['keypoints_visible'].dtype == np.float32


def test_weights_turn_with_the_face_and_reach_the_loss() -> None:
    results = dict(
        visibility=np.array([2, 1], np.uint8),
        keypoints=np.array([[[10, 5], [40, 6]]], np.float32),
        img=np.zeros((64, 64, 3), np.uint8),
        img_shape=(64, 64),
        flip_indices=[1, 0],
    )
    results = RandomFlip(prob=1.0)(VisibilityWeight()(results))
    encoded = SubcellHeatmap((64, 64), (16, 16)).encode(results['keypoints'], results['keypoints_visible'])
    assert results['keypoints'][0, :, 0].tolist() == [23, 53]
    assert encoded['keypoint_weights'].tolist() == [[0.5, 1]]
    assert encoded['heatmaps'].any(axis=(1, 2)).all()


@pytest.mark.parametrize('invisible', [-0.1, 1.1])
def test_other_weights_are_refused(invisible: float) -> None:
    with pytest.raises(ValueError, match='between 0 and 1'):
        VisibilityWeight(invisible)
