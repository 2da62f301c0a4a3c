"""Face detection over many image files, on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facealign.inference.detectors import Detector, detect, get_detector
from facealign.parallel import run_parallel

_detector: Detector | None = None


def detect_files(
    paths: Sequence[Path], name: str, model: str | None = None, workers: int | None = None
) -> list[np.ndarray | None]:
    """Run detector ``name`` on image files.

    Returns:
        for each path [N, 5]: x1, y1, x2, y2 (0-based pixels of the image as
        OpenCV decodes it) and score, best first; None where the file cannot
        be decoded.

    Raises:
        FaceAlignError: as :func:`facealign.inference.detectors.get_detector`.
    """
    if not paths:
        return []
    get_detector(name, model)  # fails here, with its message, not in a worker
    return run_parallel(_detect, paths, f'detecting faces ({name})', workers, _start, (name, model))


def _start(name: str, model: str | None) -> None:
    global _detector
    cv2.setNumThreads(1)  # the processes share the cores already
    _detector = get_detector(name, model)


def _detect(path: Path) -> np.ndarray | None:
    assert _detector is not None
    image = read_image(path)
    return None if image is None else detect(_detector, image, path)


def read_image(path: Path) -> np.ndarray | None:
    """A BGR image [H, W, 3] uint8, turned by its EXIF orientation; None where it cannot be decoded."""
    try:
        return cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None
