"""Faces in any orientation: quarter turns of images, points and boxes (exact: no pixel is interpolated)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from facealign.detection.calibration import BoxRule
from facealign.structures.face import Face


class Located(NamedTuple):
    """An image (BGR) and the boxes [N, 5] of its faces, with their rule; ``given`` by the user, not detected."""

    image: np.ndarray
    rows: np.ndarray
    rule: BoxRule
    given: bool = False


Aligning = Callable[[Sequence[Located]], list[list[Face]]]

QUARTERS = (1, 3, 2)  # counter-clockwise; a photo lies on its side more often than it stands on its head
_ROTATE = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


def turn_image(image: np.ndarray, quarters: int) -> np.ndarray:
    """``image`` [H, W, ...] turned by so many quarters, counter-clockwise."""
    return cv2.rotate(image, _ROTATE[quarters]) if quarters % 4 else image


def turn_points(points: np.ndarray, quarters: int, size: tuple[int, int]) -> np.ndarray:
    """Where points [..., 2] of an image of ``size`` (width, height) lie once it is turned.

    >>> turn_points(np.array([[0.0, 0.0], [9.0, 3.0]]), 1, (10, 4)).tolist()
    [[0.0, 9.0], [3.0, 0.0]]
    """
    for _ in range(quarters % 4):
        points = np.stack([points[..., 1], size[0] - 1 - points[..., 0]], axis=-1)
        size = size[::-1]
    return points


def turn_points_back(points: np.ndarray, quarters: int, size: tuple[int, int]) -> np.ndarray:
    """The inverse of :func:`turn_points`; ``size`` is again that of the image before it was turned."""
    return turn_points(points, -quarters % 4, size if quarters % 2 == 0 else size[::-1])


def turn_boxes(rows: np.ndarray, quarters: int, size: tuple[int, int]) -> np.ndarray:
    """The same for boxes [N, 4 or more] x1, y1, x2, y2, …; further columns stay."""
    corners = turn_points(rows[:, :4].reshape(-1, 2, 2), quarters, size)
    return np.column_stack([corners.min(axis=1), corners.max(axis=1), rows[:, 4:]])


class TurnedSearch:
    """Faces that lie on their side or stand on their head: what is doubtful is tried again on the image turned.

    An image without a face but doubtful ones is searched turned by each quarter, until a turn shows a face that is not
    doubtful. The boxes of faces that are doubtful still (beside a trusted one only large ones) are aligned on the image
    turned, and the most trusted points are kept. Nothing is done for an image with faces that are all trusted.

    Args:
        align: aligns boxes of images, without this.
        search: finds boxes [N, 5] in a turned image, doubtful ones too: the points' scores decide. None: the boxes
            come from elsewhere, and no others are looked for.
    """

    # Of the largest trusted face's box: smaller doubtful ones beside it are mostly faces cut by the edge, or none.
    _LEAST_AREA = 0.5
    _LEAST_SCORE = 0.3  # mean of a face's points on its turned box, to go on with; of the right ones most have over 0.8
    _MOST_FACES = 8  # doubtful ones of an image that are turned, the largest
    _MOST_BOXES = 3  # of a turned image, the best

    def __init__(self, align: Aligning, search: Callable[[np.ndarray], np.ndarray] | None) -> None:
        self._align, self._search = align, search

    def __call__(self, located: Located, faces: list[Face]) -> list[Face]:
        """The faces of one image, in the order of its boxes unless it was searched anew."""
        if faces and not any(face.doubtful for face in faces):
            return faces
        found: list[Face] = []
        if not located.given and self._search is not None and all(face.doubtful for face in faces):
            found = self._look(located.image, located.rule)
            faces = [face for face in faces if not any(_overlap(face.box, other.box) for other in found)]
        faces = list(faces)
        trusted = max((_area(face.box) for face in [*found, *faces] if not face.doubtful), default=0)
        tried = [i for i, face in enumerate(faces) if face.doubtful and _area(face.box) >= self._LEAST_AREA * trusted]
        tried.sort(key=lambda i: -_area(faces[i].box))
        for i in tried[: self._MOST_FACES]:
            faces[i] = self._best_turned(located.image, located.rule, faces[i])
        return found + faces

    def _best_turned(self, image: np.ndarray, rule: BoxRule, face: Face) -> Face:
        """``face``, or the most trusted of those in its box on ``image`` turned by each quarter."""
        row = np.append(face.box, face.score)[None]
        best = max(self._in_turned(image, row, rule, QUARTERS), key=lambda other: other.scores.mean())
        if best.scores.mean() < max(self._LEAST_SCORE, face.scores.mean()):
            return face
        if rule == BoxRule():
            return best
        # Such a rule holds for upright faces: let the points say where the face is.
        [better] = self._in_turned(image, row, replace(rule, passes=max(rule.passes, 3)), [best.turned // 90])
        return better

    def _in_turned(self, image: np.ndarray, row: np.ndarray, rule: BoxRule, quarters: Sequence[int]) -> list[Face]:
        """The face in the box ``row`` [1, 5] of ``image``, aligned on it turned, in its own pixels."""
        size = (image.shape[1], image.shape[0])
        located = [Located(turn_image(image, q), turn_boxes(row, q, size), rule) for q in quarters]
        return [_back(face, q, size) for q, [face] in zip(quarters, self._align(located))]

    def _look(self, image: np.ndarray, rule: BoxRule) -> list[Face]:
        assert self._search is not None
        size = (image.shape[1], image.shape[0])
        for quarters in QUARTERS:
            turned = turn_image(image, quarters)
            rows = self._search(turned)[: self._MOST_BOXES]
            [faces] = self._align([Located(turned, rows, rule)])
            if sure := [_back(face, quarters, size) for face in faces if not face.doubtful]:
                return sure
        return []


def _back(face: Face, quarters: int, size: tuple[int, int]) -> Face:
    [box] = turn_boxes(face.box[None], -quarters, size if quarters % 2 == 0 else size[::-1])
    return replace(face, points=turn_points_back(face.points, quarters, size), box=box, turned=90 * quarters)


def _area(box: np.ndarray) -> float:
    return float((box[2:] - box[:2]).prod())


def _overlap(box: np.ndarray, other: np.ndarray) -> bool:
    return bool((np.minimum(box[2:], other[2:]) > np.maximum(box[:2], other[:2])).all())
