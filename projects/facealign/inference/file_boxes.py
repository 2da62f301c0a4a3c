"""Boxes that no detector has to find: from the user's file, or the whole image."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from facealign.errors import FaceAlignError

_SIDES = ('x1', 'y1', 'x2', 'y2')


class WholeImage:
    """The image is one face."""

    def __call__(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return np.array([[0.0, 0.0, width - 1, height - 1, math.nan]])


class FileBoxes:
    """Boxes from a file that names each image.

    CSV: columns ``image``, ``x1 y1 x2 y2`` (pixels, 0-based) and perhaps
    ``score``; one row a face. JSON: ``{"image": [[x1, y1, x2, y2], …], …}``. An
    image is found by its longest trailing path that the file lists, so
    ``b/c.jpg`` serves ``/a/b/c.jpg``. One that is not listed is an error; a row
    with empty sides says that there is no face.

    Raises:
        FaceAlignError: unreadable, or of another form.
    """

    by_path = True

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            text = file.read_text(encoding='utf-8-sig')
            rows = _from_json(text) if file.suffix.lower() == '.json' else _from_csv(text)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise FaceAlignError(f'{file}: cannot be read as a table of boxes ({error})') from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FaceAlignError(
                f'{file}: not a table of boxes ({error}); CSV columns image, x1, y1, x2, y2 are wanted, '
                'or JSON {"image": [[x1, y1, x2, y2]]}'
            ) from error
        self._boxes = {
            name.replace('\\', '/'): np.array(boxes, dtype=float).reshape(-1, 5) for name, boxes in rows.items()
        }

    def __call__(self, image: np.ndarray, path: str | os.PathLike[str] | None = None) -> np.ndarray:
        if path is None:
            raise FaceAlignError(f'{self._file}: boxes go by file name, and this image has none; give boxes= instead')
        parts = PurePosixPath(Path(path).as_posix()).parts
        for start in range(len(parts)):
            boxes = self._boxes.get('/'.join(parts[start:]).replace('//', '/'))
            if boxes is not None:
                return boxes
        raise FaceAlignError(
            f'{self._file}: lists no boxes for {path}; add a row (with empty sides if it shows no face)'
        )


def _from_csv(text: str) -> dict[str, list[list[float]]]:
    boxes: dict[str, list[list[float]]] = {}
    table = csv.DictReader(text.splitlines())
    missing = [column for column in ('image', *_SIDES) if column not in (table.fieldnames or ())]
    if missing:
        raise ValueError(f'no column {", ".join(missing)}')
    for row in table:
        of_image = boxes.setdefault(row['image'], [])
        if any((row[side] or '').strip() for side in _SIDES):
            of_image.append([*(float(row[side]) for side in _SIDES), float(row.get('score') or 'nan')])
    return boxes


def _from_json(text: str) -> dict[str, list[list[float]]]:
    table: Any = json.loads(text)
    return {name: [_row(box) for box in boxes] for name, boxes in table.items()}


def _row(box: Any) -> list[float]:
    values = [float(value) for value in box]
    if len(values) not in (4, 5):
        raise ValueError(f'{box} is no box')
    return [*values, math.nan][:5]
