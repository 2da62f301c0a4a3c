"""Face detection over many image files, on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facealign.detection.base import Detector, detect, get_detector
from facealign.errors import FaceAlignError
from facealign.io.image import read_image
from facealign.utils.parallel import run_parallel

_detector: Detector | None = None


def detect_files(
    paths: Sequence[Path], name: str, model: str | None = None, workers: int | None = None
) -> list[np.ndarray | None]:
    """Run detector ``name`` on image files.

    Returns:
        for each path [N, 5]: x1, y1, x2, y2 (0-based pixels of the image as
        shown) and score, best first; None where the file cannot be decoded.

    Raises:
        FaceAlignError: as :func:`facealign.detection.base.get_detector`.
    """
    if not paths:
        return []
    get_detector(name, model)  # fails here, with its message, not in a worker
    return run_parallel(_detect, paths, f'detecting faces ({name})', workers, _start, (name, model))


def why_unread(path: Path) -> str:
    """Why :func:`detect_files` gave None for ``path``, without the file's name."""
    try:
        read_image(path, min_side=1)
    except FaceAlignError as error:
        return str(error).removeprefix(f'{path}: ')
    return 'cannot be decoded'  # then, that is


def _start(name: str, model: str | None) -> None:
    global _detector
    cv2.setNumThreads(1)  # the processes share the cores already
    _detector = get_detector(name, model)


def _detect(path: Path) -> np.ndarray | None:
    assert _detector is not None
    try:
        image = read_image(path, min_side=1)
    except FaceAlignError:
        return None
    return detect(_detector, image, path)
