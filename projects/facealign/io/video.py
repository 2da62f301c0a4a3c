"""Video files and cameras: frames in, frames out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from facealign.errors import FaceAlignError
from facealign.files import partial_name

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv')
# Damaged frames in a row after which a file is taken to be at its end.
_MAX_BAD_FRAMES = 25


class VideoReader:
    """The frames of a video file or a camera.

    Args:
        source: a file, or the number of a camera.

    Attributes:
        frames: how many frames the file says it has; None for a camera.
        fps: frames a second.
        read: how many were decoded so far.

    Raises:
        FaceAlignError: it cannot be opened.
    """

    def __init__(self, source: str | os.PathLike[str] | int) -> None:
        self._name = f'camera {source}' if isinstance(source, int) else str(source)
        if not isinstance(source, int):
            if not Path(source).is_file():
                raise FaceAlignError(f'{source}: no such video file')
            if Path(source).stat().st_size == 0:
                raise FaceAlignError(f'{source}: empty file; copy it again from its source')
        self._capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
        if not self._capture.isOpened():
            remedy = 'check that it is plugged in and free' if isinstance(source, int) else 'convert it to .mp4 (H.264)'
            raise FaceAlignError(f'{self._name}: not a video that OpenCV can open; {remedy}')
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frames = None if isinstance(source, int) or frames <= 0 else frames
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 1 <= fps <= 1000 else 25.0
        self.read = 0

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Pairs of frame number (from 0) and BGR image [H, W, 3]; damaged frames are left out, not renumbered."""
        number = bad = 0
        while bad <= _MAX_BAD_FRAMES and (self.frames is None or number < self.frames):
            decoded, image = self._capture.read()
            if decoded and image is not None:
                self.read, bad = self.read + 1, 0
                yield number, image
            else:
                bad += 1
            number += 1
        self._capture.release()

    def check_complete(self) -> None:
        """Raises FaceAlignError where frames were missing; containers are allowed to count one too many."""
        if self.read == 0:
            raise FaceAlignError(f'{self._name}: no frame can be decoded; convert it to .mp4 (H.264)')
        if self.frames is not None and self.read < self.frames - 1:
            raise FaceAlignError(
                f'{self._name}: only {self.read} of {self.frames} frames can be decoded; the results hold these'
            )


class VideoWriter:
    """Writes frames of one size to an .mp4 file, which appears when all is written.

    Raises:
        FaceAlignError: this OpenCV cannot write it.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path, self._fps = path, fps
        self._temporary = partial_name(path)
        self._writer: cv2.VideoWriter | None = None

    def write(self, image: np.ndarray) -> None:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fourcc = cv2.VideoWriter_fourcc(*'mp4v')  # type: ignore[attr-defined]
            self._writer = cv2.VideoWriter(str(self._temporary), fourcc, self._fps, image.shape[1::-1])
            if not self._writer.isOpened():
                raise FaceAlignError(f'{self._path}: this OpenCV cannot write video; leave out --save-video')
        self._writer.write(image)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._writer is not None:
            self._writer.release()
            if kind is None:
                os.replace(self._temporary, self._path)
        self._temporary.unlink(missing_ok=True)
