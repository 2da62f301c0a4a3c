"""LaPa: ``{train,val,test}/images/NAME.jpg`` and ``{train,val,test}/landmarks/NAME.txt``, 106 points."""

from __future__ import annotations

import os
from pathlib import Path

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
from facealign.markup import LAPA106
from facealign.structures.records import Gathered
from facealign.utils.reading import FARTHEST, MEBIBYTE, read_text


def read_lapa(root: str | os.PathLike[str], exif: str = 'shown', workers: int | None = None) -> Gathered:
    """All faces under ``root``, split as its folders say; ``labels`` (the parsing masks) is not needed.

    Raises:
        FaceAlignError: ``root`` is no folder, or holds no ``images`` beside ``landmarks``.
    """
    root = check_folder(root)
    gathered = Gathered()
    pairs = []
    for folder in walk(root):
        images, landmarks = (f'{folder}/{child}'.lstrip('/') for child in ('images', 'landmarks'))
        if not ((root / images).is_dir() and (root / landmarks).is_dir()):
            continue
        split = split_of(f'{root.resolve().name}/{folder}')
        source = '/'.join(part for part in ('lapa', folder) if part)
        for image, annotation in pair_files(gathered, root, images, landmarks, '.txt'):
            pairs.append(Pair(image, annotation, source, split))
    read_pairs(gathered, root, pairs, parse_lapa, exif, workers)
    return require_faces(gathered, root)


def parse_lapa(path: Path) -> Annotation:
    """Points of one text file: their number on the first line, then x and y (pixels, 0-based) on a line each.

    A byte order mark, commas between the numbers and a missing first line are accepted.

    Raises:
        Unusable: not readable, not numbers, or not 106 points.
    """
    try:
        text = read_text(path, MEBIBYTE).replace(',', ' ')
        lines = [line.split() for line in text.splitlines() if line.strip()]
        numbers = [[float(word) for word in line] for line in lines]
    except OSError as error:
        raise Unusable('unreadable landmarks', error.strerror or str(error)) from error
    except ValueError as error:
        raise Unusable('unreadable landmarks', 'not a text of numbers') from error
    count, rows = (numbers[0], numbers[1:]) if numbers and len(numbers[0]) == 1 else ([len(numbers)], numbers)
    if count != [LAPA106.num_keypoints] or len(rows) != LAPA106.num_keypoints:
        said = f'{count[0]:g}' if rows is not numbers else 'no number'
        raise Unusable(f'not {LAPA106.num_keypoints} points', f'{said} on the first line, {len(rows)} points')
    if any(len(row) != 2 for row in rows):
        raise Unusable('unreadable landmarks', 'a line has not x and y')
    points = np.array(rows)
    if (np.abs(points) > FARTHEST).any():
        raise Unusable('unreadable landmarks', 'a point is farther away than any pixel')
    points[~np.isfinite(points).all(axis=1)] = np.nan
    return Annotation(points)
