"""Datatang's 106-point faces: a JSON file beside each image."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from facealign.conversion.readers.base import (
    Annotation,
    Pair,
    Unusable,
    check_folder,
    pair_files,
    read_pairs,
    require_faces,
    split_of,
    walk,
)
from facealign.markup import DATATANG106
from facealign.structures.records import Gathered
from facealign.utils.reading import MEBIBYTE, is_number, parse_json, read_bytes, shown

_MAX_BYTES = 16 * MEBIBYTE
_NUM_POINTS = DATATANG106.num_keypoints
# With fewer points than half of them a face's rectangle says little about the face.
_FEWEST_POINTS = _NUM_POINTS // 2
_OCCLUDED = {'visiblePoint': False, 'inVisiblePoint': True}


def read_datatang(root: str | os.PathLike[str], exif: str = 'shown', workers: int | None = None) -> Gathered:
    """All faces in ``root`` and its sub-folders; a folder named ``val`` or ``test`` gives the split, else ``train``.

    Raises:
        FaceAlignError: ``root`` is no folder, or has no image with its JSON.
    """
    root = check_folder(root)
    gathered = Gathered()
    pairs = []
    for folder in walk(root):
        source = '/'.join(part for part in ('datatang', folder) if part)
        split = split_of(folder)
        for image, annotation in pair_files(gathered, root, folder, folder, '.json'):
            pairs.append(Pair(image, annotation, source, split))
    read_pairs(gathered, root, pairs, parse_datatang, exif, workers)
    return require_faces(gathered, root)


def parse_datatang(path: Path) -> Annotation:
    """Points, visibility and attributes of one JSON file.

    Points are numbered from 1; their pixels are taken as 0-based. One that is
    absent, or lies at (0, 0) as that system writes a missing one, is NaN.

    Raises:
        Unusable: not readable; ids twice or not 1 to 106; or incomplete: an
            entry lacks what it should have, or half of the points are absent.
    """
    try:
        data = parse_json(read_bytes(path, _MAX_BYTES), allow_nan=True)
    except OSError as error:
        raise Unusable('unreadable JSON', error.strerror or str(error)) from error
    except ValueError as error:
        raise Unusable('unreadable JSON', f'not JSON: {error}') from error
    entries = data.get('DataList') if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise Unusable('incomplete JSON', 'no DataList')
    points = np.full((_NUM_POINTS, 2), np.nan)
    occluded = np.zeros(_NUM_POINTS, dtype=bool)
    seen = set()
    for entry in entries:
        if not isinstance(entry, dict):
            raise Unusable('incomplete JSON', 'an entry of DataList is no object')
        if entry.get('type', 'Point') != 'Point':
            continue
        number = entry.get('id')
        if type(number) is not int or not 1 <= number <= _NUM_POINTS:
            raise Unusable('mis-numbered JSON', f'id {shown(number)} is not 1 to {_NUM_POINTS}')
        if number in seen:
            raise Unusable('mis-numbered JSON', f'id {number} twice')
        seen.add(number)
        points[number - 1] = _coordinates(entry.get('coordinates'), number)
        occluded[number - 1] = _is_occluded(entry.get('properties'), number)
    found = int(np.isfinite(points).all(axis=1).sum())
    if found < _FEWEST_POINTS:
        raise Unusable('incomplete JSON', f'{found} of {_NUM_POINTS} points')
    workload = data.get('WorkLoad')
    attributes = workload if isinstance(workload, dict) else {}
    return Annotation(points, occluded, {str(key): str(value) for key, value in attributes.items()})


def _coordinates(value: Any, number: int) -> tuple[float, float]:
    if not value:
        return math.nan, math.nan
    if not (isinstance(value, list) and len(value) == 2 and all(type(item) in (int, float) for item in value)):
        raise Unusable('incomplete JSON', f'point {number} has no x and y')
    x, y = value
    if any(type(item) is float and not math.isfinite(item) for item in value) or (x == 0 and y == 0):
        return math.nan, math.nan
    if not (is_number(x) and is_number(y)):
        raise Unusable('incomplete JSON', f'point {number} is farther away than any pixel')
    return x, y


def _is_occluded(properties: Any, number: int) -> bool:
    kind = properties.get('globaltype') if isinstance(properties, dict) else None
    if not isinstance(kind, str) or kind not in _OCCLUDED:
        raise Unusable('incomplete JSON', f'point {number} is neither visiblePoint nor inVisiblePoint')
    return _OCCLUDED[kind]
