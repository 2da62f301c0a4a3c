"""Small annotated pictures that an ensemble of regression trees can learn in a second."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from facealign.markup import IBUG68


def write_training_faces(folder: Path, count: int, seed: int = 0, face_box: bool = False) -> Path:
    """Write ``count`` pictures of the same mirror-symmetric pattern of spots, and train.json; returns its path."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    shape = _shape()
    images, annotations = [], []
    for i in range(1, count + 1):
        scale, centre = random.uniform(40, 60), random.uniform(75, 85, 2)
        points = (shape @ np.array([[1, random.uniform(-0.1, 0.1)], [0, 1]])) * scale + centre
        image = np.full((160, 160, 3), 90, np.uint8)
        for x, y in points:
            cv2.circle(image, (round(x), round(y)), 2, (240, 240, 240), -1)
        cv2.imwrite(str(folder / f'{i}.png'), image)
        (x, y), (w, h) = points.min(axis=0), np.ptp(points, axis=0)
        keypoints = [value for px, py in points.round(6).tolist() for value in (px, py, 2)]
        box = [x - 4, y - 12, w + 8, h + 8] if face_box and i % 4 else None
        images.append(dict(id=i, file_name=f'{i}.png', width=160, height=160))
        annotations.append(dict(id=i, image_id=i, keypoints=keypoints, bbox=[x, y, w, h], face_bbox=box))
    info = dict(markup='ibug68', image_root='.')
    path = folder / 'train.json'
    path.write_text(json.dumps(dict(info=info, images=images, annotations=annotations, categories=[])))
    return path


def _shape() -> np.ndarray:
    """68 points within ±1, mirror-symmetric about x = 0 by the flip table."""
    random = np.random.default_rng(7)
    shape = random.uniform(-1, 1, (68, 2))
    mirrored = shape[list(IBUG68.flip_indices)] * [-1, 1]
    return (shape + mirrored) / 2 * 1.4
