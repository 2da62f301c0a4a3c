"""CSV lists about images: rows found by an image's name, columns by theirs."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from facealign.errors import FaceAlignError
from facealign.io.name_list import match_names, name_key

_NAME_COLUMNS = ('image', 'image_name', 'file_name', 'filename')
_Value = TypeVar('_Value')


class ImageTable:
    """Rows of a CSV file, by image.

    A row's image is the column ``image`` (or ``image_name``, ``file_name``); with
    the VisionLabs columns ``dataset_type`` and ``train_type`` it is
    ``DATASET/SPLIT/NAME``, because names recur between those. Column names
    are compared in lower case.

    Raises:
        FaceAlignError: the file cannot be read, or has no such column.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            with open(self.path, encoding='utf-8-sig', newline='') as file:
                reader = csv.DictReader(file)
                self.columns = [(name or '').strip().lower() for name in reader.fieldnames or []]
                reader.fieldnames = self.columns
                rows = list(reader)
        except OSError as error:
            raise FaceAlignError(f'{self.path}: cannot be read ({error.strerror}); check the name') from error
        except (csv.Error, UnicodeDecodeError) as error:
            raise FaceAlignError(f'{self.path}: not a CSV text file ({error}); check the name') from error
        name_column = self.require(*_NAME_COLUMNS)
        self._rows: dict[str, list[dict[str, str]]] = {}
        self._spelled: dict[str, str] = {}
        for line, row in enumerate(rows, start=2):
            if None in row or None in row.values():
                raise FaceAlignError(f'{self.path}: line {line} has not {len(self.columns)} columns; correct the line')
            row['#'] = str(line)
            full_name = _full_name(row, name_column)
            key = name_key(full_name)
            self._rows.setdefault(key, []).append(row)
            self._spelled.setdefault(key, full_name)

    def require(self, *names: str) -> str:
        """The first of ``names`` that is a column; raises FaceAlignError where none is."""
        for name in names:
            if name in self.columns:
                return name
        raise FaceAlignError(
            f'{self.path}: no column {" or ".join(names)}; it has {", ".join(self.columns) or "no columns at all"}'
        )

    def value(self, row: dict[str, str], column: str, convert: Callable[[str], _Value]) -> _Value:
        """A cell, converted; raises FaceAlignError naming the line where that fails."""
        try:
            return convert(row[column].strip())
        except ValueError:
            raise FaceAlignError(
                f'{self.path}: line {row["#"]}, column {column}: "{row[column]}" is not a number; correct the line'
            ) from None

    def match(self, file_names: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        """For each of ``file_names`` the rows about it; a name without rows is absent.

        See :func:`facealign.io.name_list.match_names` for what belongs together.
        """
        return {name: self._rows[key] for name, key in match_names(self._rows, file_names).items()}

    def absent(self, matched: dict[str, list[dict[str, str]]]) -> list[str]:
        """Images of the file that a :meth:`match` found no file for, as the file spells them."""
        used = {row['#'] for rows in matched.values() for row in rows}
        return [self._spelled[key] for key, rows in self._rows.items() if rows[0]['#'] not in used]


def _full_name(row: dict[str, str], name_column: str) -> str:
    folders = [row[column].strip() for column in ('dataset_type', 'train_type') if row.get(column, '').strip()]
    name = row[name_column].strip()
    return name if len(folders) < 2 else '/'.join([*folders, PurePosixPath(name).name])
