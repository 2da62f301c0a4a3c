"""Annotated images for measuring: what the detectors' rules, exports and speed tables are checked on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError
from facealign.markup import Markup, get_markup


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
    path = Path(path)
    remedy = 'make it with tools/convert_dataset.py'
    try:
        coco = json.loads(path.read_bytes())
        markup = get_markup(coco['info']['markup'])
        root = path.parent / coco['info'].get('image_root', '.')
        names = {image['id']: image['file_name'] for image in coco['images']}
        faces: dict[int, list[np.ndarray]] = {}
        for annotation in coco['annotations']:
            values = np.array(annotation['keypoints'], dtype=float).reshape(-1, 3)
            values[values[:, 2] == 0, :2] = np.nan
            faces.setdefault(annotation['image_id'], []).append(values[:, :2])
    except OSError as error:
        raise FaceAlignError(f'{path}: cannot be read ({error.strerror}); {remedy}') from error
    except (ValueError, KeyError, TypeError) as error:
        raise FaceAlignError(f'{path}: not a COCO keypoint file of this project; {remedy}') from error
    images = [AnnotatedImage(root / names[image], np.stack(points)) for image, points in faces.items()]
    if limit is not None and limit < len(images):
        images = [images[i] for i in np.linspace(0, len(images) - 1, limit).round().astype(int)]
    return markup, images
