"""A markup of one's own: read from a small JSON file, and carried inside annotation and model files.

    {"name": "mine7", "num_points": 7,
     "names": ["left_eye", …],               one a point; otherwise p0, p1 …
     "mirror": [[0, 3], [1, 2]],             points that change places in a mirrored face, counted from 0
     "regions": {"eyes": [0, 1, 2, 3]},      for tables and colours; the rest is "other"
     "outlines": [[0, 1]],                   lines for drawing
     "outer_eye_corners": [0, 3],            for the inter-ocular normaliser
     "pupils": [[0, 1], [2, 3]]}             for the inter-pupil normaliser

Only the name and the number (or the names) of the points must be there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.markup import Markup
from facealign.utils.reading import read_json

_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')
_KEYS = {'name', 'num_points', 'names', 'mirror', 'regions', 'outlines', 'outer_eye_corners', 'pupils'}
_MOST_POINTS = 2000
_MOST_BYTES = 1 << 20


def read_markup(path: str | os.PathLike[str]) -> Markup:
    """The markup in a JSON file, as the module describes.

    Raises:
        FaceAlignError: it cannot be read, or says something impossible.
    """
    path = Path(path)
    try:
        return markup_from_dict(read_json(path, _MOST_BYTES))
    except OSError as error:
        raise FaceAlignError(f'{path}: cannot be read ({error.strerror}); check the name of the markup file') from error
    except ValueError as error:
        raise FaceAlignError(f'{path}: no markup: {error}; data/README.md shows one') from error


def markup_to_dict(markup: Markup) -> dict[str, Any]:
    """A markup as :func:`markup_from_dict` reads it, ready for JSON."""
    value: dict[str, Any] = dict(
        name=markup.name,
        num_points=markup.num_keypoints,
        names=list(markup.keypoint_names),
        mirror=[list(pair) for pair in markup.flip_pairs],
        regions={name: list(points) for name, points in markup.regions.items()},
        outlines=[list(line) for line in markup.polylines],
    )
    if markup.outer_eye_corners is not None:
        value['outer_eye_corners'] = list(markup.outer_eye_corners)
    if markup.pupils is not None:
        value['pupils'] = [list(points) for points in markup.pupils]
    return value


def markup_from_dict(value: Any) -> Markup:
    """The markup that a JSON object describes.

    Raises:
        ValueError: what is wrong with it.
    """
    if not isinstance(value, dict):
        raise ValueError('not a JSON object')
    if unknown := sorted(map(str, value.keys() - _KEYS)):
        raise ValueError(f'"{unknown[0][:40]}" is not one of {", ".join(sorted(_KEYS))}')
    name = value.get('name')
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ValueError('"name" must be of letters, digits, "_", "-" and ".", at most 64')
    names = _names(value)
    count = len(names)
    mirror = [_indices(pair, count, 'mirror', 2) for pair in _list(value, 'mirror')]
    if len({point for pair in mirror for point in pair}) != 2 * len(mirror):
        raise ValueError('"mirror" names a point twice')
    eyes, pupils = value.get('outer_eye_corners'), value.get('pupils')
    if pupils is not None and not (isinstance(pupils, list) and len(pupils) == 2 and all(pupils)):
        raise ValueError('"pupils" must be two lists of points')
    return Markup(
        name=name,
        keypoint_names=names,
        flip_pairs=tuple((pair[0], pair[1]) for pair in mirror),
        regions=_regions(value.get('regions', {}), count),
        polylines=tuple(_indices(line, count, 'outlines') for line in _list(value, 'outlines')),
        outer_eye_corners=None if eyes is None else _two(_indices(eyes, count, 'outer_eye_corners', 2)),
        pupils=None if pupils is None else _two([_indices(points, count, 'pupils') for points in pupils]),
    )


def _names(value: dict[str, Any]) -> tuple[str, ...]:
    names, count = value.get('names'), value.get('num_points')
    if count is None and isinstance(names, list):
        count = len(names)
    if type(count) is not int or not 1 <= count <= _MOST_POINTS:
        raise ValueError(f'"num_points" must be a number from 1 to {_MOST_POINTS}')
    if names is None:
        return tuple(f'p{i}' for i in range(count))
    if not (isinstance(names, list) and all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)):
        raise ValueError('"names" must be a list of names of letters, digits, "_", "-" and "."')
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f'"names" must be {count} different names')
    return tuple(names)


def _regions(value: Any, count: int) -> dict[str, tuple[int, ...]]:
    if not (isinstance(value, dict) and all(_NAME.fullmatch(name) for name in value)):
        raise ValueError('"regions" must be an object of named lists of points')
    regions = {name: _indices(points, count, 'regions') for name, points in value.items()}
    named = [point for points in regions.values() for point in points]
    if len(set(named)) != len(named):
        raise ValueError('"regions" name a point twice')
    if rest := tuple(sorted(set(range(count)) - set(named))):
        key = 'other' if regions else 'all_points'
        regions[key] = (*regions.get(key, ()), *rest)
    return regions


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key, [])
    if not isinstance(found, list):
        raise ValueError(f'"{key}" must be a list')
    return found


def _indices(value: Any, count: int, key: str, length: int | None = None) -> tuple[int, ...]:
    if not (isinstance(value, list) and value and all(type(i) is int and 0 <= i < count for i in value)):
        raise ValueError(f'"{key}" must hold lists of points from 0 to {count - 1}')
    if length is not None and (len(value) != length or len(set(value)) != length):
        raise ValueError(f'"{key}" must hold {length} different points')
    return tuple(value)


def _two(values: Iterable[Any]) -> tuple[Any, Any]:
    first, second = values
    return first, second
