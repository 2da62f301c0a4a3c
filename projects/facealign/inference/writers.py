"""Result files: JSON, CSV, .pts, .npy, and the 106-point system's JSON.

A *record* is one image or video frame as a dictionary: ``file``, for a frame
also ``frame`` (from 0) and ``time`` (seconds), and ``faces`` (see
:func:`record_of`); of an input that could not be read it is ``file`` and
``error``.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from facealign.inference.result_files import pts_file, remove_file
from facealign.io.pts import format_pts
from facealign.markup import Markup
from facealign.structures.face import Face
from facealign.utils.files import atomic_path, atomic_write_text, csv_cell

# One file for all images, by format; the other formats have files beside each other, one or more an image.
TABLES = {'json': 'landmarks.json', 'csv': 'landmarks.csv', 'alphapose': 'alphapose-results.json'}
FORMATS = (*TABLES, 'pts', 'npy')


def record_of(name: str, faces: Iterable[Face], frame: int | None = None, time: float | None = None) -> dict[str, Any]:
    """The record of one image or frame; coordinates to a hundredth of a pixel, scores to a thousandth."""
    record: dict[str, Any] = dict(file=name)
    if frame is not None and time is not None:
        record.update(frame=frame, time=round(time, 4))
    record['faces'] = [_face(face) for face in faces]
    return record


def write_table(
    path: Path, kind: str, records: Iterable[dict[str, Any]], markup: Markup, about: dict[str, Any]
) -> None:
    """Write all records to one file of ``kind`` (a key of ``TABLES``), as they come, whole or not at all.

    Args:
        path: of the file.
        kind: the format.
        records: of all images and frames.
        markup: of the points.
        about: what made them, for the head of the JSON file.

    Raises:
        FaceAlignError: it cannot be written.
    """
    with atomic_path(path) as temporary, open(temporary, 'w', encoding='utf-8', newline='') as file:
        if kind == 'json':
            head = json.dumps({**about, 'markup': markup.name}, indent=1, ensure_ascii=False)
            failures: list[dict[str, Any]] = []
            images = (_compact(record) for record in records if _is_read(record, failures))
            _write_list(file, head[:-2] + ',\n "images": [', images, '],')
            _write_list(file, ' "failures": [', map(_compact, failures), ']}')
        elif kind == 'alphapose':
            _write_list(file, '[', (_compact(entry) for record in records for entry in _alphapose(record)), ']')
        else:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(csv_header(markup))
            writer.writerows(row for record in records for row in _csv_rows(record, markup))


def _is_read(record: dict[str, Any], failures: list[dict[str, Any]]) -> bool:
    if 'error' in record:
        failures.append(record)
    return 'error' not in record


def write_faces(stem: Path, kind: str, faces: list[dict[str, Any]]) -> None:
    """Write the faces of one record beside each other: ``STEM.pts`` (``STEM.2.pts`` … for more) or ``STEM.npy``.

    ``.pts`` counts from 1, as iBUG does, and has no scores; ``.npy`` is
    [faces, K, 3] with x, y (0-based) and score. Files of faces that an earlier
    run found and this did not are removed.

    Raises:
        FaceAlignError: it cannot be written.
    """
    if kind == 'npy' and not faces:
        remove_file(stem.with_name(f'{stem.name}.npy'))
    elif kind == 'npy':
        with atomic_path(stem.with_name(stem.name + '.npy')) as temporary, open(temporary, 'wb') as file:
            np.save(file, np.array([np.column_stack([face['points'], face['scores']]) for face in faces]))
    else:
        for number, face in enumerate(faces, 1):
            atomic_write_text(pts_file(stem, number), format_pts(np.array(face['points'])))
        number = len(faces) + 1
        while remove_file(pts_file(stem, number)):
            number += 1


def csv_header(markup: Markup) -> list[str]:
    """The columns of ``landmarks.csv``, each once; points count from 0 in the order of the markup."""
    points = [f'{axis}{i}' for i in range(markup.num_keypoints) for axis in ('x', 'y', 'score')]
    return ['image', 'frame', 'time', 'face', 'track', *_BOX, 'box_score', 'turned', 'doubtful', *points, 'error']


_BOX = ('box_x1', 'box_y1', 'box_x2', 'box_y2')


def _csv_rows(record: dict[str, Any], markup: Markup) -> Iterator[list[Any]]:
    """A row for each face; where there is none, one of empty cells, with the reason if the input could not be read."""
    first = [csv_cell(record['file']), record.get('frame', ''), record.get('time', '')]
    for number, face in enumerate(record.get('faces', ())):
        points = [value for (x, y), score in zip(face['points'], face['scores']) for value in (x, y, score)]
        about = [face['score'], face.get('turned', 0), int(face.get('doubtful', False))]
        yield [*first, number, face.get('track', ''), *face['box'], *about, *points, '']
    if not record.get('faces'):
        yield [*first, *[''] * (len(csv_header(markup)) - len(first) - 1), csv_cell(record.get('error', ''))]


def _alphapose(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The 106-point system's entries, one a face with x, y, score a point; and its successor's box and idx.

    An image or frame without a face has one entry, whose points and box are empty lists.
    """
    name = record['file'] if 'frame' not in record else f'{record["file"]}/{record["frame"]:06d}'
    for face in record.get('faces', ()):
        x1, y1, x2, y2 = face['box']
        yield dict(
            image_id=name,
            category_id=1,
            keypoints=[value for (x, y), score in zip(face['points'], face['scores']) for value in (x, y, score)],
            score=round(float(np.mean(face['scores'])), 4),
            box=[x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)],
            idx=face.get('track', 0),
        )
    if not record.get('faces'):
        error = {'error': record['error']} if 'error' in record else {}
        yield dict(image_id=name, category_id=1, keypoints=[], score=0.0, box=[], idx=0, **error)


def _face(face: Face) -> dict[str, Any]:
    result: dict[str, Any] = dict(
        box=_rounded(face.box, 2),
        score=None if math.isnan(face.score) else round(face.score, 4),
        points=_rounded(face.points, 2),
        scores=_rounded(face.scores, 3),
        turned=face.turned,
        doubtful=face.doubtful,
    )
    if face.track is not None:
        result['track'] = face.track
    return result


def _rounded(values: np.ndarray, digits: int) -> list[Any]:
    return (np.round(values, digits) + 0.0).tolist()  # + 0.0: no minus zero


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False, allow_nan=False)


def _write_list(file: IO[str], head: str, items: Iterable[str], tail: str) -> None:
    file.write(head)
    for number, item in enumerate(items):
        file.write(('\n' if number == 0 else ',\n') + item)
    file.write(f'\n{tail}\n')
