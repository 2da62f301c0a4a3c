"""The iBUG ``.pts`` text format, as it is met in the wild.

On disk a point counts from 1, inside from 0; this reader and this writer are
the only places that know. Both work in decimals, so that neither direction
loses a digit.
"""

from __future__ import annotations

import os
import re
from decimal import Context, Decimal, DecimalException
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError
from facealign.utils.files import atomic_write_text
from facealign.utils.reading import FARTHEST, MEBIBYTE, read_bytes

_MAX_BYTES = MEBIBYTE
_MAX_POINTS = 10_000
_MAX_DIGITS = 100  # characters of a number
# Enough digits that adding 1 to any float64 that is no closer to 0 than 1e-40 is exact.
_EXACT = Context(prec=60)
_ONE = Decimal(1)
_COMMENT = re.compile(r'(//|#(?!QNAN|SNAN|IND|INF)|%|;\s*$).*', re.IGNORECASE)
_HEADER = re.compile(r'(version|n_?points)\b\s*[:=]?\s*[\d.]*', re.IGNORECASE)
_POINT = re.compile(r'[+-]?\d[\d.eE+-]*[\s,;]+[+-]?\d[\d.eE+-]*')
_SEPARATORS = re.compile(r'[\s,;]+')
_NAN = re.compile(r'[+-]?(nan(\(\w*\))?|inf(inity)?|1\.#\w+)', re.IGNORECASE)


def parse_pts(text: str) -> np.ndarray:
    """The points of a ``.pts`` file's text: [N, 2] pixels, 0-based, NaN where not annotated.

    The header (``version``, ``n_points``, braces) may be there or not and is
    not believed: what counts is the points themselves. Comments (``//``,
    ``#``, ``%``), blank lines, any line ends and commas are accepted. A point
    written ``0 0`` or ``-1 -1`` is one that the annotator left out: counted
    from 1, no pixel has such numbers.

    Raises:
        ValueError: a line that is no point or is farther away than any pixel,
            or a second block of points in braces; the message gives the line's
            number.

    >>> parse_pts('version: 1\\nn_points: 2\\n{\\n1 1\\n100.866 nan\\n}')
    array([[ 0.,  0.],
           [nan, nan]])
    """
    points = []
    text = text.lstrip('\ufeff')
    closed = False
    for number, line in enumerate(text.splitlines(), start=1):
        body, closing, after = _COMMENT.sub('', line).partition('}')
        # What stands after the points is passed over, but not a second face, with or without braces.
        rest = body + after if closed else after
        if '{' in rest or _POINT.fullmatch(rest.strip()):
            raise ValueError(f'line {number} begins a second block of points')
        if closed:
            continue
        body = _HEADER.sub('', body).replace('{', ' ')
        words = [word for word in _SEPARATORS.split(body) if word]
        if words:
            if len(words) != 2:
                raise ValueError(f'line {number} has {len(words)} values where x and y are expected')
            points.append([_from_disk(word, number) for word in words])
            if len(points) > _MAX_POINTS:
                raise ValueError(f'line {number} is point {len(points)}, and no face has so many')
        closed = bool(closing)
    array = np.array(points, dtype=np.float64).reshape(-1, 2)
    array[~np.isfinite(array).all(axis=1) | _is_absent(array)] = np.nan
    return array


def read_pts(path: str | os.PathLike[str]) -> np.ndarray:
    """The points of a ``.pts`` file, as :func:`parse_pts` gives them.

    Raises:
        FaceAlignError: the file cannot be read, is not text, or holds no points.
    """
    path = Path(path)
    try:
        data = read_bytes(path, _MAX_BYTES)
    except OSError as error:
        raise FaceAlignError(
            f'{path}: cannot be read ({error.strerror}); check the file and your permissions'
        ) from error
    if b'\0' in data:
        raise FaceAlignError(f'{path}: not a text file; put the .pts file published with the image in its place')
    try:
        points = parse_pts(data.decode('utf-8', errors='replace'))
    except ValueError as error:
        raise FaceAlignError(f'{path}: {error}; correct the line or remove the file') from error
    if not len(points):
        raise FaceAlignError(f'{path}: holds no points; put the complete file in its place or remove it')
    return points


def format_pts(points: np.ndarray) -> str:
    """The ``.pts`` text of ``points`` [N, 2] (pixels, 0-based, NaN for a point not annotated).

    >>> print(format_pts(np.array([[99.866, 0]])))
    version: 1
    n_points: 1
    {
    100.866 1.0
    }
    <BLANKLINE>
    """
    array = np.array(points, dtype=np.float64).reshape(-1, 2)
    # One that happens to lie where absent points are written moves by the least step there is.
    array[_is_absent(array)] = np.nextafter(array[_is_absent(array)], 0)
    rows = [f'{_to_disk(x)} {_to_disk(y)}' for x, y in array.tolist()]
    return '\n'.join(['version: 1', f'n_points: {len(rows)}', '{', *rows, '}', ''])


def write_pts(path: str | os.PathLike[str], points: np.ndarray) -> None:
    """Write ``points`` [N, 2] (pixels, 0-based) so that :func:`read_pts` gives back the same floats.

    Raises:
        FaceAlignError: the file cannot be written.
    """
    atomic_write_text(path, format_pts(points))


def _is_absent(points: np.ndarray) -> np.ndarray:
    """[N] bool: the points, 0-based here, that ``0 0`` and ``-1 -1`` on disk give."""
    return (points == -1).all(axis=1) | (points == -2).all(axis=1)


def _from_disk(word: str, line: int) -> float:
    try:
        if _NAN.fullmatch(word):
            return float('nan')
        if '_' in word or len(word) > _MAX_DIGITS:  # Decimal would read 1_000
            raise DecimalException
        number = Decimal(word)
        if -FARTHEST <= number <= FARTHEST:
            return float(_EXACT.subtract(number, _ONE))
        problem = 'is farther away than any pixel'
    except DecimalException:
        problem = 'is not a number'
    raise ValueError(f'line {line}: "{ascii(word[:20])[1:-1]}" {problem}')


def _to_disk(value: float) -> str:
    return f'{_EXACT.add(Decimal(repr(value)), _ONE):f}' if np.isfinite(value) else 'nan'
