"""Real faces as a model file's caller would crop them, for fitting, calibrating and checking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facealign.errors import FaceAlignError
from facealign.inference.model_file import ModelInfo
from facealign.io.coco_images import AnnotatedImage
from facealign.io.image import read_image
from facealign.metrics.curves import auc
from facealign.structures.crop import cut

AUC_LIMIT = 0.08


@dataclass(frozen=True)
class CroppedFaces:
    """N faces cropped by the rectangle of their points.

    Attributes:
        crops: [N, H, W, 3] uint8 BGR.
        points: [N, K, 2] annotated, in crop pixels.
        scale: [N] crop pixels an image pixel.
        sizes: [N] sqrt(w · h) of the points' rectangle, in image pixels.
    """

    crops: np.ndarray
    points: np.ndarray
    scale: np.ndarray
    sizes: np.ndarray

    def errors(self, predicted: np.ndarray) -> np.ndarray:
        """Mean distance of each face's points [N, K, 2] (crop pixels) to the annotated ones, over ``sizes`` [N]."""
        distances = np.linalg.norm(predicted - self.points, axis=2) / self.scale[:, None]
        return np.nanmean(distances, axis=1) / self.sizes

    def auc(self, predicted: np.ndarray) -> float:
        """AUC@0.08 by the landmark box."""
        return auc(self.errors(predicted), AUC_LIMIT)


def crop_faces(images: Sequence[AnnotatedImage], info: ModelInfo) -> CroppedFaces:
    """Crop every annotated face.

    Raises:
        FaceAlignError: an image cannot be read, or the points are of another markup.
    """
    crops, points, scale, sizes = [], [], [], []
    for annotated in images:
        image = read_image(annotated.path)
        for face, rectangle in zip(annotated.points, annotated.rectangles):
            if len(face) != info.markup.num_keypoints:
                raise FaceAlignError(f'{annotated.path}: has {len(face)} points, not those of {info.markup.name}')
            matrix = info.crop.matrix(rectangle, info.input_size)
            crops.append(cut(image, matrix, info.input_size))
            points.append(face * [matrix[0, 0], matrix[1, 1]] + matrix[:, 2])
            scale.append(matrix[0, 0])
            sizes.append(np.sqrt((rectangle[2:] - rectangle[:2]).prod()))
    return CroppedFaces(np.stack(crops), np.stack(points), np.array(scale), np.array(sizes))
