"""Annotated frames of a video, written as images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.video import VideoReader
from facealign.utils.files import atomic_write_bytes

_JPEG_QUALITY = 95


@dataclass(frozen=True)
class Frames:
    """Which frames of a video to write where.

    Attributes:
        video: the file.
        numbers: of the frames; the first is 1.
        out: folder for them, as ``NNNNNN.jpg``.
    """

    video: Path
    numbers: frozenset[int]
    out: Path


def frame_name(number: int) -> str:
    """The file name of frame ``number``.

    >>> frame_name(7)
    '000007.jpg'
    """
    return f'{number:06d}.jpg'


def write_frames(job: Frames) -> tuple[set[int], str]:
    """Write the frames that can be decoded; returns their numbers, and what is wrong with the video, if anything.

    Raises:
        FaceAlignError: a file cannot be written.
    """
    written: set[int] = set()
    try:
        frames = iter(VideoReader(job.video))
    except FaceAlignError as error:
        return written, str(error).removeprefix(f'{job.video}: ')
    last = max(job.numbers)
    for number, *_, image in frames:
        if number + 1 in job.numbers:
            atomic_write_bytes(job.out / frame_name(number + 1), _jpeg(image))
            written.add(number + 1)
        if number + 1 >= last:
            break
    return written, ''


def _jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
