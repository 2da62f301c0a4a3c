"""Samples as ``PackFaceInputs`` hands them to a metric, of faces laid out by hand."""

from __future__ import annotations

import numpy as np

from facealign.markup import IBUG68, Markup
from facealign.metrics import box_size, landmark_boxes


def make_samples(
    count: int, offset: float = 0.0, noise: float = 0.0, markup: Markup = IBUG68, seed: int = 0
) -> list[dict]:
    """``count`` faces in two subsets; ``offset`` and ``noise`` of the predictions are shares of the rectangle."""
    random = np.random.default_rng(seed)
    samples = []
    for i in range(count):
        points = random.uniform(60, 180, (1, markup.num_keypoints, 2)).astype(np.float32)
        box = landmark_boxes(points)[0]
        size = box_size(box[None])[0]
        moved = points + offset * size * np.array([0.6, 0.8]) + random.normal(0, noise * size + 1e-12, points.shape)
        samples.append(
            dict(
                id=i + 1,
                img_path=f'/data/images/{i}.jpg',
                file_name=f'{i}.jpg',
                ori_shape=(260, 240),
                subset='common' if i % 3 else 'challenge',
                source='drawn',
                landmark_bbox=box,
                face_bbox=box + [-2, -9, 2, -5],
                box=box,
                detected=True,
                attributes={},
                gt_instances=dict(keypoints=points, keypoints_visible=np.ones(points.shape[:2], np.float32)),
                pred_instances=dict(keypoints=moved.astype(np.float32), keypoint_scores=np.ones(points.shape[:2])),
            )
        )
    return samples
