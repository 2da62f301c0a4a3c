"""Which face of a frame is which of the frame before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from facealign.inference.smoothing import OneEuro
from facealign.structures.face import Face


class _Track:
    def __init__(self, number: int, smooth: bool) -> None:
        self.number = number
        self.rectangle = np.zeros(4)
        self.motion = np.zeros(4)
        self.frames = 0
        self.missed = 0
        self.filter = OneEuro() if smooth else None

    def expected(self) -> np.ndarray:
        return self.rectangle + self.motion * (1 + self.missed)

    def take(self, face: Face, time: float) -> Face:
        rectangle = np.concatenate([face.points.min(axis=0), face.points.max(axis=0)])
        if self.frames:
            self.motion = (rectangle - self.rectangle) / (1 + self.missed)
        self.rectangle = rectangle
        self.frames, self.missed = self.frames + 1, 0
        points = face.points if self.filter is None else self.filter(face.points, time)
        return replace(face, points=points, track=self.number)


class FaceTracker:
    """Numbers the faces of a video, and steadies their points.

    A face goes on with the track whose expected rectangle it overlaps most, a
    track being expected to move on as it did last.

    Args:
        smooth: whether each track's points go through :class:`OneEuro`.
        min_iou: less overlap is another face.
        max_missed: frames without a detection before a track ends.
    """

    def __init__(self, smooth: bool = False, min_iou: float = 0.25, max_missed: int = 12) -> None:
        self._smooth, self._min_iou, self._max_missed = smooth, min_iou, max_missed
        self._tracks: list[_Track] = []
        self._count = 0

    def update(self, faces: Sequence[Face], time: float) -> list[Face]:
        """The faces of the next frame, at ``time`` in seconds, with their ``track``; in the same order."""
        taken: dict[int, _Track] = {}
        free = list(self._tracks)
        overlap = np.array([[_iou(face, track.expected()) for track in free] for face in faces]).reshape(
            len(faces), len(free)
        )
        while overlap.size and overlap.max() >= self._min_iou:
            row, column = np.unravel_index(np.argmax(overlap), overlap.shape)
            taken[int(row)] = free[column]
            overlap[row, :] = overlap[:, column] = -1
        for track in free:
            track.missed += track not in taken.values()
        for index in range(len(faces)):
            if index not in taken:
                self._count += 1
                taken[index] = _Track(self._count, self._smooth)
                self._tracks.append(taken[index])
        self._tracks = [track for track in self._tracks if track.missed <= self._max_missed]
        return [taken[index].take(face, time) for index, face in enumerate(faces)]


def _iou(face: Face, rectangle: np.ndarray) -> float:
    low, high = face.points.min(axis=0), face.points.max(axis=0)
    overlap = np.clip(np.minimum(high, rectangle[2:]) - np.maximum(low, rectangle[:2]), 0, None).prod()
    union = (high - low).prod() + (rectangle[2:] - rectangle[:2]).prod() - overlap
    return float(overlap / union) if union > 0 else 0.0
