"""Annotated images for measuring: what the detectors' rules, exports and speed tables are checked on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.io.coco_reader import read_coco
from facealign.markup import Markup


@dataclass(frozen=True)
class AnnotatedImage:
    """One image: its file and its faces' points [N, K, 2] (0-based pixels, NaN where not annotated)."""

    path: Path
    points: np.ndarray

    @property
    def rectangles(self) -> np.ndarray:
        """[N, 4] x1, y1, x2, y2 of the points."""
        return np.concatenate([np.nanmin(self.points, axis=1), np.nanmax(self.points, axis=1)], axis=1)


def read_annotated(path: str | os.PathLike[str], limit: int | None = None) -> tuple[Markup, list[AnnotatedImage]]:
    """The images of a JSON file of ``tools/convert_dataset.py``, and the markup of their points.

    Args:
        path: of the JSON file.
        limit: take so many images, evenly over the file; None takes all.

    Raises:
        FaceAlignError: it cannot be read, or is no such file.
    """
    coco = read_coco(path)
    faces: dict[int, list[np.ndarray]] = {}
    for annotation, _ in coco.take_annotations():
        keypoints = annotation['keypoints']
        faces.setdefault(annotation['image_id'], []).append(np.where(keypoints[:, 2:] > 0, keypoints[:, :2], np.nan))
    images = [AnnotatedImage(coco.root / coco.images[i]['file_name'], np.stack(points)) for i, points in faces.items()]
    if limit is not None and limit < len(images):
        images = [images[i] for i in np.linspace(0, len(images) - 1, limit).round().astype(int)]
    return coco.markup, images
