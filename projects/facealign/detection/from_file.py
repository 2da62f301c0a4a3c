"""Boxes that no detector has to find: from the user's file, or the whole image."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.box_table import BoxTable


class WholeImage:
    """The image is one face."""

    def __call__(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return np.array([[0.0, 0.0, width - 1, height - 1, math.nan]])


class FileBoxes:
    """Boxes from a table that names each image (see :mod:`facealign.io.box_table`). One that is not listed is an error.

    Raises:
        FaceAlignError: unreadable, or of another form.
    """

    by_path = True

    def __init__(self, file: Path) -> None:
        self._table = BoxTable(file)

    def __call__(self, image: np.ndarray, path: str | os.PathLike[str] | None = None) -> np.ndarray:
        file = self._table.path
        if path is None:
            raise FaceAlignError(f'{file}: boxes go by file name, and this image has none; give boxes= instead')
        boxes = self._table.of_file(path)
        if boxes is None:
            raise FaceAlignError(f'{file}: lists no boxes for {path}; add a row (with empty sides if it shows no face)')
        return boxes
