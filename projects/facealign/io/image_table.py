"""Tables about images: rows found by an image's name, columns by theirs; the one reader of tables, for all commands.

Cells may be separated by commas, semicolons, tabs or blanks; column names are compared in lower case; the file may be
UTF-8, UTF-16 or Latin-1. A file without a head whose lines are ``name x y w h`` has these columns.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from facealign.errors import FaceAlignError
from facealign.io.name_list import match_names, slashed
from facealign.io.text import decode_text, read_user_file

NAME_COLUMNS = ('image', 'image_name', 'file_name', 'filename', 'file', 'image_path', 'path', 'name')
_HEADLESS = ('image', 'x', 'y', 'w', 'h', 'score')
_NUMBER = re.compile(r'[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})(e[+-]?\d{1,3})?', re.IGNORECASE)
_Value = TypeVar('_Value')
_Row = dict[str, str]


class ImageTable:
    """Rows of a CSV file, by image.

    A row's image is the column ``image`` (or another of ``NAME_COLUMNS``); with
    the VisionLabs columns ``dataset_type`` and ``train_type`` it is
    ``DATASET/SPLIT/NAME``, because names recur between those.

    Raises:
        FaceAlignError: the file cannot be read, or has no such column.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        data = read_user_file(self.path, 'a table')
        try:
            self.columns, rows = _read(decode_text(data).splitlines(keepends=True))
        except (csv.Error, ValueError) as error:
            raise FaceAlignError(f'{self.path}: not a CSV text file ({error}); check the name') from error
        name_column = self.require(*NAME_COLUMNS)
        self._rows: dict[str, list[_Row]] = {}
        for row in rows:
            self._rows.setdefault(slashed(_full_name(row, name_column)), []).append(row)

    @property
    def names(self) -> list[str]:
        """The images that the table has rows about, as it spells them."""
        return list(self._rows)

    def rows(self, name: str) -> list[_Row]:
        """Those of one of :attr:`names`; raises FaceAlignError where one of them has other columns than the head."""
        for row in self._rows[name]:
            if '!' in row:
                raise FaceAlignError(f'{self.path}: {row["!"]}')
        return self._rows[name]

    def require(self, *names: str) -> str:
        """The first of ``names`` that is a column; raises FaceAlignError where none is."""
        for name in names:
            if name in self.columns:
                return name
        there = ', '.join(column[:40] for column in self.columns[:12]) or 'no columns at all'
        more = ', …' if len(self.columns) > 12 else ''
        raise FaceAlignError(f'{self.path}: no column {" or ".join(names[:3])}; it has {there}{more}')

    def value(self, row: _Row, column: str, convert: Callable[[str], _Value]) -> _Value:
        """A cell, converted; raises FaceAlignError naming the line where that fails."""
        try:
            return convert(row[column].strip())
        except ValueError:
            text = row[column] if len(row[column]) <= 40 else f'{row[column][:37]}...'
            raise FaceAlignError(
                f'{self.path}: line {row["#"]}, column {column}: "{text}" is not a number; correct the line'
            ) from None

    def match(self, file_names: Iterable[str]) -> dict[str, list[_Row]]:
        """For each of ``file_names`` the rows about it; a name without rows is absent.

        See :func:`facealign.io.name_list.match_names` for what belongs together.
        """
        return {name: self.rows(key) for name, key in match_names(self._rows, file_names).items()}

    def absent(self, matched: dict[str, list[_Row]]) -> list[str]:
        """Images of the file that a :meth:`match` found no file for, as the file spells them."""
        used = {row['#'] for rows in matched.values() for row in rows}
        return [name for name, rows in self._rows.items() if rows[0]['#'] not in used]


def _read(lines: list[str]) -> tuple[list[str], list[_Row]]:
    """Columns and rows; ``#`` of a row is its line, ``!`` what is wrong with it."""
    start = next((i for i, line in enumerate(lines) if line.strip() and not _names_separator(line)), len(lines))
    if start == len(lines):
        return [], []
    head = lines[start]
    separator = max(',;\t', key=lambda one: (_has_name(_cells(head, one)), head.count(one)))
    columns = _cells(head, separator)
    if not _has_name(columns):
        if numbers := _numbers_behind(head):
            return list(_HEADLESS[: numbers + 1]), _by_blanks(lines, start, list(_HEADLESS[: numbers + 1]))
        if _has_name(head.lower().split()):
            return head.lower().split(), _by_blanks(lines, start + 1, head.lower().split())
    for column in columns:
        if column and columns.count(column) > 1:
            raise ValueError(f'its column {column} stands there twice')
    rows = []
    reader = csv.reader(lines[start + 1 :], delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append(_row(columns, cells, start + 1 + reader.line_num, separator))
    return columns, rows


def _names_separator(line: str) -> bool:
    """Whether a line is Excel's ``sep=;``."""
    return line.strip().lower()[:-1] == 'sep='


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().lower() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]


def _has_name(columns: list[str]) -> bool:
    return any(name in columns for name in NAME_COLUMNS)


def _row(columns: list[str], cells: list[str], line: int, separator: str) -> _Row:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    row = dict(zip(columns, cells))
    if len(cells) != len(columns):
        row = dict.fromkeys(columns, '') | row
        row['!'] = f'line {line} has not {len(columns)} columns; correct the line'
    if separator != ',':  # where the comma separates decimals
        row = {key: _with_point(cell) for key, cell in row.items()}
    row['#'] = str(line)
    return row


def _with_point(cell: str) -> str:
    changed = cell.strip().replace(',', '.')
    return changed if changed != cell and _NUMBER.fullmatch(changed) else cell


def _numbers_behind(line: str) -> int:
    """How many numbers follow the name in a line without a head: 4 or 5, or 0 where it is no such line."""
    words = line.split()
    for count in (5, 4):
        if len(words) > count and all(_NUMBER.fullmatch(word) for word in words[-count:]):
            return count
    return 0


def _by_blanks(lines: list[str], start: int, columns: list[str]) -> list[_Row]:
    rows = []
    for number, line in enumerate(lines[start:], start + 1):
        if line.strip():
            cells = line.strip().rsplit(None, len(columns) - 1)
            cells[0] = cells[0].strip('"')
            rows.append(_row(columns, cells, number, ' '))
    return rows


def _full_name(row: _Row, name_column: str) -> str:
    folders = [row[column].strip() for column in ('dataset_type', 'train_type') if row.get(column, '').strip()]
    name = row[name_column].strip()
    return name if len(folders) < 2 else '/'.join([*folders, PurePosixPath(name).name])
