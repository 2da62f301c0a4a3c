"""From a face's rectangle to the network's crop, and back: one affine for pixels and points."""

from __future__ import annotations

import json
from dataclasses import dataclass

import cv2
import numpy as np

from facealign.utils.reading import is_number, parse_json


@dataclass(frozen=True)
class CropRule:
    """How a model's crops were cut in training, from the rectangle of the face's points.

    The rectangle is widened by ``padding`` (1 = not at all) about its centre
    and then, on its shorter side, to the crop's aspect ratio; what lies outside
    the image is black. These are the definitions of MMPose's
    ``GetBBoxCenterScale`` and ``TopdownAffine``.

    Attributes:
        padding: factor on width and height.
        udp: whether the outermost pixel centres of the crop, and not their
            outer edges, lie on the widened rectangle's sides (``use_udp``).
    """

    padding: float = 1.25
    udp: bool = False

    def matrix(self, rectangle: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The affine [2, 3] from image pixels to crop pixels (both 0-based, centres at integers).

        Args:
            rectangle: [4] x1, y1, x2, y2 of the face's points.
            size: (width, height) of the crop.

        >>> CropRule(padding=1.0).matrix(np.array([10, 10, 30, 20]), (40, 40)).round(6).tolist()
        [[2.0, 0.0, -20.0], [0.0, 2.0, -10.0]]
        """
        x1, y1, x2, y2 = np.asarray(rectangle, dtype=float)
        width, height = size
        w, h = self.padding * (x2 - x1), self.padding * (y2 - y1)
        w = max(w, h * width / height, 1e-3)
        end = 1 if self.udp else 0
        sx, sy = (width - end) / w, (height - end) / (w * height / width)
        return np.array(
            [
                [sx, 0, (width - end) / 2 - sx * (x1 + x2) / 2],
                [0, sy, (height - end) / 2 - sy * (y1 + y2) / 2],
            ]
        )

    def to_json(self) -> str:
        return json.dumps(dict(padding=self.padding, udp=self.udp))

    @classmethod
    def from_json(cls, text: str) -> CropRule:
        """Raises ValueError where ``text`` is no such rule."""
        value = parse_json(text)
        if not isinstance(value, dict) or not {'padding', 'udp'} >= value.keys():
            raise ValueError('a crop rule has "padding" and "udp"')
        if not (is_number(value.get('padding', cls.padding)) and isinstance(value.get('udp', cls.udp), bool)):
            raise ValueError('"padding" is a number and "udp" true or false')
        rule = cls(padding=float(value.get('padding', cls.padding)), udp=value.get('udp', cls.udp))
        if not 0.1 <= rule.padding <= 10:
            raise ValueError('"padding" is not between 0.1 and 10')
        return rule


def cut(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The crop [h, w, 3] of ``image`` under ``matrix`` (image → crop pixels), bilinear, black outside.

    A face more than three times as large as the crop is averaged down first:
    bilinear sampling alone would skip pixels and alias. Up to there the crop is
    what MMPose's ``TopdownAffine`` showed the network in training.
    """
    reduction = 1 / max(matrix[0, 0], matrix[1, 1])
    if reduction >= 3:
        image, matrix = _shrunk(image, matrix, size, int(reduction / 1.5))
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)


def _shrunk(image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], shrink: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of ``image`` that the crop shows, ``shrink`` times smaller, and its matrix."""
    corners = to_image(np.array([[-1.0, -1.0], [size[0], size[1]]]), matrix)
    limit = np.array(image.shape[1::-1])
    first = np.clip(np.floor(corners[0]), 0, limit - 1).astype(int)
    # Whole blocks only, so that every small pixel is the mean of shrink × shrink.
    blocks = np.maximum(1, np.minimum(np.ceil(corners[1]) + 1 - first, limit - first) // shrink).astype(int)
    last = np.minimum(first + blocks * shrink, limit)
    small = cv2.resize(image[first[1] : last[1], first[0] : last[0]], blocks.tolist(), interpolation=cv2.INTER_AREA)
    # x = first + (x' + 0.5) * step - 0.5: areas are mapped, as resize does.
    step = (last - first) / blocks
    offset = first + 0.5 * step - 0.5
    small_matrix = matrix.copy()
    small_matrix[:, :2] = matrix[:, :2] * step
    small_matrix[:, 2] = matrix[:, :2] @ offset + matrix[:, 2]
    return small, small_matrix


def to_image(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points [..., 2] in crop pixels → image pixels, by the inverse of ``matrix`` (which does not turn)."""
    return (np.asarray(points, dtype=float) - matrix[:, 2]) / np.array([matrix[0, 0], matrix[1, 1]])
