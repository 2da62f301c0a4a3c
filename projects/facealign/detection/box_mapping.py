"""Where a face detector would put its box, given the rectangle of the landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from facealign.utils.reading import is_number


@dataclass(frozen=True)
class BoxMapping:
    """A box of fixed shape placed on the landmark rectangle; lengths in units of its sqrt(w·h).

    Attributes:
        down: how far the box's centre lies below the rectangle's.
        width, height: of the box.

    The default was fitted to dlib's HOG detector on the 300W training faces.
    There is no sideways part: faces and their mirror images are equally likely.
    """

    down: float = -0.093
    width: float = 1.019
    height: float = 1.019

    @classmethod
    def of_json(cls, value: Any) -> BoxMapping:
        """As ``tools/train_dlib.py`` writes it; raises ValueError where ``value`` is no such thing."""
        names = ('down', 'width', 'height')
        if not (isinstance(value, dict) and value.keys() == set(names) and all(map(is_number, value.values()))):
            raise ValueError(f'box_mapping has not {", ".join(names)}')
        return cls(**value)

    @classmethod
    def fit(cls, landmark_boxes: np.ndarray, detector_boxes: np.ndarray) -> BoxMapping:
        """Medians over faces [N, 4] with both boxes (x1, y1, x2, y2)."""
        size = np.sqrt((landmark_boxes[:, 2:] - landmark_boxes[:, :2]).prod(axis=1))
        down = (detector_boxes[:, [1, 3]].mean(axis=1) - landmark_boxes[:, [1, 3]].mean(axis=1)) / size
        width, height = ((detector_boxes[:, 2:] - detector_boxes[:, :2]) / size[:, None]).T
        return cls(*(round(float(np.median(value)), 6) for value in (down, width, height)))

    def __call__(self, landmark_boxes: np.ndarray) -> np.ndarray:
        """Boxes [..., 4] from rectangles [..., 4].

        >>> BoxMapping(down=0.0, width=2.0, height=1.0)(np.array([0.0, 0, 10, 10]))
        array([-5.,  0., 15., 10.])
        """
        low, high = landmark_boxes[..., :2], landmark_boxes[..., 2:]
        size = np.sqrt((high - low).prod(axis=-1, keepdims=True))
        centre = (low + high) / 2 + size * np.array([0.0, self.down])
        half = size * np.array([self.width, self.height]) / 2
        return np.concatenate([centre - half, centre + half], axis=-1)
