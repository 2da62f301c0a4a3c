"""Face boxes in a table that names each image; the one reader and writer of such tables, for all commands.

CSV (see :mod:`facealign.io.image_table`) with a column ``image`` and the sides ``x1 y1 x2 y2`` in 0-based pixels, y1
the top, perhaps ``score``; one row a face. Other names of the sides are VisionLabs' ``face_rect_x1`` …, ``box_x1`` …
(as in ``landmarks.csv``), ``xmin ymin xmax ymax``, ``left top right bottom``, and ``x y w h``. Or JSON:
``{"image": [[x1, y1, x2, y2], …], …}``. A row with empty sides, or an empty list, says that there is no face.
"""

from __future__ import annotations

import json
import math
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image_table import ImageTable
from facealign.io.name_list import folded, match_names, slashed
from facealign.io.text import decode_text, read_user_file
from facealign.utils.files import atomic_write_csv

_SIDES = ('x1', 'y1', 'x2', 'y2')
# Those with a prefix first: beside them, x1 … are landmarks.
_CORNERS = (
    *(tuple(f'{prefix}{side}' for side in _SIDES) for prefix in ('face_rect_', 'box_', 'bbox_', '')),
    ('xmin', 'ymin', 'xmax', 'ymax'),
    ('x_min', 'y_min', 'x_max', 'y_max'),
    ('left', 'top', 'right', 'bottom'),
)
_SIZES = (
    ('bbox_x', 'bbox_y', 'bbox_w', 'bbox_h'),
    ('x', 'y', 'w', 'h'),
    ('x', 'y', 'width', 'height'),
    ('left', 'top', 'width', 'height'),
)
_SCORES = ('box_score', 'face_score', 'score', 'confidence')


@dataclass(frozen=True)
class _Box:
    """``values`` x1, y1, x2, y2, score (NaN where there is none), and where they stand, for messages."""

    values: tuple[float, ...]
    where: str


class BoxTable:
    """The boxes of a table, by image.

    Raises:
        FaceAlignError: unreadable, or no table of boxes. What is wrong with one image's row is said when its boxes
            are asked for.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        text = _json_text(read_user_file(self.path, 'a table of boxes'))
        try:
            self._boxes = self._from_csv() if text is None else self._from_json(text)
            wrong = [boxes for boxes in self._boxes.values() if isinstance(boxes, FaceAlignError)]
            if wrong and len(wrong) == len(self._boxes):
                raise wrong[0]
        except FaceAlignError as error:
            raise FaceAlignError(
                f'{error} (not a table of boxes: CSV columns image, x1, y1, x2, y2 are wanted, '
                'or JSON {"image": [[x1, y1, x2, y2]]})'
            ) from None
        self._spelled: dict[str, list[str]] = defaultdict(list)
        for name in self._boxes:
            self._spelled[folded(name)].append(name)

    def of_file(self, path: str | os.PathLike[str]) -> np.ndarray | None:
        """The boxes [M, 5] of the file whose longest trailing path the table lists; None where it lists none.

        ``b/c.jpg`` serves ``/a/b/c.jpg``. Upper and lower case are the same, and so are Unicode's
        forms, unless the table has both.

        Raises:
            FaceAlignError: a row about it is no box.
        """
        parts = PurePosixPath(Path(path).as_posix()).parts
        for start in range(len(parts)):
            name = '/'.join(parts[start:]).replace('//', '/')
            spelled = [name] if name in self._boxes else self._spelled.get(folded(name), [])
            if len(spelled) == 1:
                return np.array([box.values for box in self._of(spelled[0])], dtype=float).reshape(-1, 5)
        return None

    def of_names(self, file_names: Iterable[str]) -> dict[str, np.ndarray]:
        """``file_name`` → its boxes [M, 5]; images that the table does not list are absent.

        See :func:`facealign.io.name_list.match_names` for what belongs together.

        Raises:
            FaceAlignError: a row about one of them is no box, or a box without area.
        """
        detections = {}
        for name, key in match_names(self._boxes, file_names).items():
            boxes = self._of(key)
            for box in boxes:
                x1, y1, x2, y2, _ = box.values
                if not (x2 > x1 and y2 > y1 and np.isfinite(box.values[:4]).all()):
                    raise FaceAlignError(
                        f'{self.path}: {box.where}: the box {list(box.values[:4])} has no area; '
                        'x1 < x2 and y1 (top) < y2 must hold'
                    )
            detections[name] = np.array([box.values for box in boxes], dtype=float).reshape(-1, 5)
        return detections

    def _of(self, name: str) -> list[_Box]:
        boxes = self._boxes[name]
        if isinstance(boxes, FaceAlignError):
            raise boxes
        return boxes

    def _from_csv(self) -> dict[str, list[_Box] | FaceAlignError]:
        table = ImageTable(self.path)
        sides, are_sizes = _find_sides(table)
        score = next((name for name in _SCORES if name in table.columns), None)
        boxes: dict[str, list[_Box] | FaceAlignError] = {}
        for name in table.names:
            try:
                boxes[name] = [
                    _Box(_values(table, row, sides, are_sizes, score), f'line {row["#"]}')
                    for row in table.rows(name)
                    if any(row[side].strip() for side in sides)
                ]
            except FaceAlignError as error:
                boxes[name] = error
        return boxes

    def _from_json(self, text: str) -> dict[str, list[_Box] | FaceAlignError]:
        try:
            table: Any = json.loads(text, object_pairs_hook=_without_doubles)
            if not isinstance(table, dict):
                raise ValueError(f'a {type(table).__name__} instead of names with their boxes')
        except (ValueError, RecursionError) as error:
            what = 'nested too deeply' if isinstance(error, RecursionError) else error
            raise FaceAlignError(f'{self.path}: {what}') from None
        boxes: dict[str, list[_Box] | FaceAlignError] = {}
        for name, rows in table.items():
            try:
                boxes[slashed(name)] = _boxes_of(rows)
            except (ValueError, TypeError) as error:
                boxes[slashed(name)] = FaceAlignError(f'{self.path}: {name[:200]}: {error}')
        return boxes


def _find_sides(table: ImageTable) -> tuple[tuple[str, ...], bool]:
    """The columns of the sides, and whether the last two are width and height."""
    for columns in (*_CORNERS, *_SIZES):
        if all(column in table.columns for column in columns):
            return columns, columns in _SIZES
    for side in _SIDES:
        table.require(side, f'face_rect_{side}')
    raise AssertionError('one of them is missing')


def _values(
    table: ImageTable, row: dict[str, str], sides: tuple[str, ...], are_sizes: bool, score: str | None
) -> tuple[float, ...]:
    a, b, c, d = (table.value(row, side, float) for side in sides)
    if are_sizes:
        c, d = a + c, b + d
    return a, b, c, d, table.value(row, score, float) if score and row[score].strip() else math.nan


def _json_text(data: bytes) -> str | None:
    """The text of a JSON file; None for any other."""
    try:
        text = decode_text(data)
    except ValueError:
        return None
    return text if text.lstrip()[:1] in ('{', '[') else None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError('an image stands there twice; give all its boxes in one list')
    return found


def _boxes_of(rows: Any) -> list[_Box]:
    """The boxes of one image in a JSON table; raises ValueError or TypeError."""
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise ValueError('no list of boxes')
    if len(rows) in (4, 5) and not any(isinstance(value, list) for value in rows):
        rows = [rows]
    boxes = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) not in (4, 5):
            raise ValueError(f'box {number} is no box')
        boxes.append(_Box(tuple(_number(value, number) for value in [*row, math.nan][:5]), f'box {number}'))
    return boxes


def _number(value: Any, number: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (ValueError, TypeError):
        raise ValueError(f'box {number} is not of numbers') from None


def has_boxes(path: str | os.PathLike[str]) -> bool:
    """Whether a CSV file has the columns of a box."""
    columns = ImageTable(path).columns
    return any(all(side in columns for side in sides) for sides in (*_CORNERS, *_SIZES))


def read_box_csv(path: str | os.PathLike[str], file_names: Iterable[str]) -> dict[str, np.ndarray]:
    """Boxes of a table for the images it lists: ``file_name`` → [M, 5] x1, y1, x2, y2, score.

    Raises:
        FaceAlignError: as :class:`BoxTable` and its :meth:`BoxTable.of_names`.
    """
    return BoxTable(path).of_names(file_names)


def write_box_csv(path: str | os.PathLike[str], detections: dict[str, np.ndarray]) -> None:
    """Write detections (as :func:`read_box_csv` returns them) as a CSV file it reads.

    One row a detection, best score first; one with empty sides for an image
    without any.

    Raises:
        FaceAlignError: the file cannot be written.
    """
    rows: list[list[Any]] = [['image', *_SIDES, 'score', 'n_faces']]
    for name, boxes in detections.items():
        for box in boxes if len(boxes) else [[math.nan] * 5]:
            rows.append([name, *(_cell(value) for value in box), len(boxes)])
    atomic_write_csv(path, rows)


def _cell(value: float) -> float | str:
    if not math.isfinite(value):
        return ''
    rounded = round(float(value), 4)
    return int(rounded) if rounded.is_integer() else rounded
