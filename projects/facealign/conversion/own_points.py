"""Which markup the points of a folder of ``.pts`` files are in: one that is known, one of a file, or one inferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facealign.conversion.readers.base import check_folder, list_files, walk
from facealign.errors import FaceAlignError
from facealign.io.pts import read_pts
from facealign.markup import IBUG68, Markup, add_markup, get_markup, markup_names
from facealign.markup_file import read_markup
from facealign.markup_inference import infer_markup
from facealign.structures.records import FaceRecord

_LOOKED_AT = 100  # files, to see how many points they have


def named_markup(name: str) -> Markup:
    """The markup that ``--markup`` names: one that is shipped, or the JSON file of one's own.

    Raises:
        FaceAlignError: neither, or the file says something impossible.
    """
    try:
        if Path(name).suffix.lower() == '.json':
            return add_markup(read_markup(name))
        return get_markup(name)
    except ValueError as error:
        raise FaceAlignError(f'--markup {name}: {error}, or give the FILE.json of your own') from error


def markup_of_pts(root: Path) -> Markup | int:
    """What the ``.pts`` files of a folder most often hold: the 68 points of 300W, or a number of others.

    Raises:
        FaceAlignError: ``root`` is no folder, or the number is that of several markups.
    """
    counts = Counter(_counts(check_folder(root)))
    count = counts.most_common(1)[0][0] if counts else IBUG68.num_keypoints
    if count == IBUG68.num_keypoints:
        return IBUG68
    shipped = [name for name in markup_names() if get_markup(name).num_keypoints == count]
    if shipped:
        raise FaceAlignError(
            f'{root}: its .pts files hold {count} points; say which with --markup: {", ".join(shipped)}'
        )
    return count


def inferred_markup(faces: Sequence[FaceRecord], root: Path) -> Markup:
    """The markup of faces of which no more is known; see :func:`facealign.markup_inference.infer_markup`.

    Raises:
        FaceAlignError: their points have no two mirrored halves.
    """
    try:
        return add_markup(infer_markup(np.stack([face.points for face in faces])))
    except ValueError as error:
        raise FaceAlignError(f'{root}: {error}; say them in a file, --markup FILE.json (data/README.md)') from error


def _counts(root: Path) -> list[int]:
    files = [
        root / folder / name
        for folder in walk(root)
        for name, _, ending in list_files(root / folder)
        if ending == '.pts'
    ]
    counts = []
    for path in files[:: max(1, len(files) // _LOOKED_AT)]:
        try:
            counts.append(len(read_pts(path)))
        except FaceAlignError:  # left out and named when it is read
            continue
    return counts
