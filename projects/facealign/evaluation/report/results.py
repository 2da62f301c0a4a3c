"""``results.json`` and ``per_face.csv``: all numbers of a run, written and read.

results.json: ``markup``, ``normaliser`` (the main one), ``thresholds``,
``unions``, ``resamples``, ``confidence``, ``normalisers`` (name → meaning) and
``rows``: one a model, with ``name``, ``about`` and ``subsets`` (name → what
:mod:`facealign.metrics.table` describes). Fractions, not percent.
"""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facealign import __version__
from facealign.errors import FaceAlignError
from facealign.metrics import NORMALISERS, face_errors
from facealign.metrics.table import ErrorTable, subset_masks
from facealign.utils.files import atomic_write_json, atomic_write_text, csv_cell
from facealign.utils.reading import is_number, read_json, read_text, shown

_MAX_BYTES = 2**30
RESULTS, PER_FACE = 'results.json', 'per_face.csv'


@dataclass
class FaceColumns:
    """A row of the table, face by face.

    Attributes:
        files, ids, subsets, detected: [N].
        values: column name (``nme_landmark_bbox``, ``mpd``, …) → [N] float64, NaN where there is none.
    """

    files: list[str]
    ids: list[int]
    subsets: list[str]
    detected: list[bool]
    values: dict[str, np.ndarray]


@dataclass
class Run:
    """Results of one or several models on the same faces.

    Attributes:
        results: the content of results.json.
        faces: name of the row → its faces.
    """

    results: dict[str, Any]
    faces: dict[str, FaceColumns]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.results['rows']

    @property
    def subsets(self) -> list[str]:
        """Names of the subsets that any row has, in order."""
        return list(dict.fromkeys(subset for row in self.rows for subset in row['subsets']))

    def errors(self, row: str, subset: str) -> np.ndarray:
        """[N] errors of a subset's faces by the main normaliser."""
        faces = self.faces[row]
        mask = subset_masks(np.array(faces.subsets), self.results['unions'])[subset]
        return faces.values[f'nme_{self.results["normaliser"]}'][mask]


def face_columns(table: ErrorTable, normaliser: str) -> FaceColumns:
    """The per-face numbers of a row: NME by every normaliser, MPD, and NME of each region by the main one."""
    values = {f'nme_{name}': table.face_errors(name) for name in table.sizes}
    values['mpd'] = face_errors(table.errors)
    for (_, name), errors in table.point_groups().items():
        values[f'nme_{normaliser}_{name}'] = face_errors(errors, table.sizes[normaliser])
    faces = table.faces
    return FaceColumns(
        faces.files.tolist(), faces.ids.tolist(), faces.subsets.tolist(), (~table.undetected()).tolist(), values
    )


def results_head(markup: str, normaliser: str, thresholds: tuple[float, ...], unions: dict, resamples: int) -> dict:
    """All of results.json but its rows."""
    return dict(
        facealign_version=__version__,
        markup=markup,
        normaliser=normaliser,
        thresholds=list(thresholds),
        unions={name: list(parts) for name, parts in unions.items()},
        resamples=resamples,
        confidence=0.95,
        normalisers=NORMALISERS,
    )


def write_run(run: Run, folder: str | os.PathLike[str]) -> None:
    """Write results.json and per_face.csv. Raises FaceAlignError."""
    buffer = io.StringIO()
    columns = list(dict.fromkeys(name for faces in run.faces.values() for name in faces.values))
    writer = csv.writer(buffer, lineterminator='\n')
    writer.writerow(['model', 'id', 'file', 'subset', 'detected', *columns])
    for row, faces in run.faces.items():
        cells = [[_cell(value) for value in faces.values[name]] if name in faces.values else [] for name in columns]
        cells = [column or [''] * len(faces.files) for column in cells]
        known = zip(faces.ids, map(csv_cell, faces.files), faces.subsets, map(int, faces.detected))
        writer.writerows([row, *start, *rest] for start, *rest in zip(known, *cells))
    atomic_write_text(Path(folder) / PER_FACE, buffer.getvalue())
    atomic_write_json(Path(folder) / RESULTS, run.results, indent=1)


def read_run(path: str | os.PathLike[str]) -> Run:
    """Read both files of a run from its folder, or from the path of its results.json.

    Raises:
        FaceAlignError: a file is missing or is not one of this project's.
    """
    path = Path(path)
    folder = path.parent if path.suffix == '.json' else path
    try:
        results = read_json(folder / RESULTS, _MAX_BYTES)
        _check_results(results)
        names = [row['name'] for row in results['rows']]
        faces = _read_faces(folder / PER_FACE)
        if missing := set(names) - set(faces):
            raise ValueError(f'{PER_FACE} lacks {", ".join(sorted(missing))}')
    except OSError as error:
        raise FaceAlignError(f'{error.filename}: {error.strerror}; give the work dir of a tools/test.py run') from error
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        problem = shown(str(error), 200)
        raise FaceAlignError(f'{folder}: not results of tools/test.py ({problem}); run it again') from error
    return Run(results, faces)


def _check_results(results: Any) -> None:
    """Raise ValueError where a part that :class:`Run` is made of is missing or of another kind."""
    kinds = dict(markup=str, normaliser=str, thresholds=list, unions=dict, rows=list)
    for key, kind in kinds.items():
        if not (isinstance(results, dict) and isinstance(results.get(key), kind)):
            raise ValueError(f'{RESULTS} has no {key}')
    if not all(map(is_number, results['thresholds'])):
        raise ValueError('thresholds are no numbers')
    if not all(
        isinstance(parts, list) and all(isinstance(p, str) for p in parts) for parts in results['unions'].values()
    ):
        raise ValueError('unions are no lists of subsets')
    for row in results['rows']:
        if not (isinstance(row, dict) and isinstance(row.get('name'), str) and isinstance(row.get('subsets'), dict)):
            raise ValueError('a row has no name or no subsets')
        if not all(isinstance(numbers, dict) for numbers in row['subsets'].values()):
            raise ValueError(f'{shown(row["name"])} has a subset without numbers')


def _read_faces(path: Path) -> dict[str, FaceColumns]:
    by_row: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in csv.DictReader(io.StringIO(read_text(path, _MAX_BYTES), newline='')):
        if None in line or None in line.values():
            raise ValueError(f'{PER_FACE} has a line of another length')
        by_row[line['model']].append(line)
    known = ('model', 'id', 'file', 'subset', 'detected')
    return {
        row: FaceColumns(
            [line['file'] for line in lines],
            [int(line['id']) for line in lines],
            [line['subset'] for line in lines],
            [line['detected'] == '1' for line in lines],
            {name: np.array([float(line[name] or 'nan') for line in lines]) for name in lines[0] if name not in known},
        )
        for row, lines in by_row.items()
    }


def _cell(value: float) -> str:
    return '' if np.isnan(value) else f'{value:.7g}'
