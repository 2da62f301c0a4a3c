"""Hand-placed points of a face told from those that were filled in: only the former are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image_table import NAME_COLUMNS, ImageTable
from facealign.structures.records import FaceRecord


def keep_hand_placed(faces: Sequence[FaceRecord], path: Path) -> int:
    """Make the points absent (NaN) that a table marks with a 0; images that it does not list stay as they are.

    Args:
        faces: changed in place.
        path: CSV of an image's name and K digits, 1 for a point placed by hand, 0 for one that was not.

    Returns:
        how many points became absent.

    Raises:
        FaceAlignError: not such a table, or it names none of the images.
    """
    table = ImageTable(path)
    name = table.require(*NAME_COLUMNS)
    others = [column for column in table.columns if column != name]
    if len(others) != 1:
        raise FaceAlignError(f'{path}: has {len(table.columns)} columns; an image and its digits are wanted')
    rows = table.match([face.file_name for face in faces])
    if not rows:
        raise FaceAlignError(f'{path}: names none of the images; its paths must be relative to the data folder')
    count = 0
    for face in faces:
        for row in rows.get(face.file_name, [])[:1]:
            digits = row[others[0]].strip()
            if len(digits) != len(face.points) or set(digits) - {'0', '1'}:
                raise FaceAlignError(
                    f'{path}: line {row["#"]}: wants {len(face.points)} digits, 0 or 1 each, one a point'
                )
            absent = np.array([digit == '0' for digit in digits])
            count += int((absent & face.annotated).sum())
            face.points[absent] = np.nan
    return count
