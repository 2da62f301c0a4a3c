"""Any folder of images with ``.pts`` files beside them."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from facealign.datasets.pairs import (
    Annotation,
    Pair,
    Unusable,
    add_pair,
    check_folder,
    detail_of,
    pair_files,
    read_pair,
    require_faces,
    walk,
)
from facealign.datasets.records import Gathered
from facealign.errors import FaceAlignError
from facealign.io.pts import read_pts


def read_pts_folder(root: str | os.PathLike[str], num_points: int = 68, exif: str = 'shown') -> Gathered:
    """All faces in ``root`` and its sub-folders, as split ``train``.

    ``NAME.pts`` belongs to the image ``NAME.*`` beside it; ``NAME.K.pts`` is a
    further face of the same image.

    Args:
        root: the folder.
        num_points: faces with another number are left out.
        exif: whether points were drawn on the picture as ``shown`` (turned by
            its EXIF orientation) or on its ``stored`` pixels.

    Raises:
        FaceAlignError: ``root`` is no folder, or has no image with points.
    """
    root = check_folder(root)
    gathered = Gathered()
    for folder in walk(root):
        source = '/'.join(part for part in (root.resolve().name, folder) if part)
        gather(gathered, root, folder, source=source, split='train', num_points=num_points, exif=exif)
    return require_faces(gathered, root)


def gather(
    gathered: Gathered,
    root: Path,
    folder: str,
    *,
    source: str,
    split: str,
    subset: str = '',
    num_points: int = 68,
    exif: str = 'shown',
    other_counts: dict[int, str] | None = None,
) -> None:
    """Add the faces directly in ``root/folder`` to ``gathered``.

    ``other_counts`` gives the reason for leaving out files with a known other
    number of points, such as Menpo's profiles.
    """
    parse = functools.partial(_parse, num_points=num_points, other_counts=other_counts or {})
    for image, annotation in pair_files(gathered, root, folder, folder, '.pts'):
        pair = Pair(image, annotation, source, split, subset)
        add_pair(gathered, root, pair, read_pair(pair, root, parse, exif))


def _parse(path: Path, num_points: int, other_counts: dict[int, str]) -> Annotation:
    try:
        points = read_pts(path)
    except FaceAlignError as error:
        reasons = {'no points': 'empty .pts', 'second block': 'several faces in one .pts'}
        reason = next((reason for sign, reason in reasons.items() if sign in str(error)), 'unreadable .pts')
        raise Unusable(reason, detail_of(error, path)) from error
    if len(points) in other_counts:
        raise Unusable(other_counts[len(points)])
    if len(points) != num_points:
        raise Unusable(f'not {num_points} points', f'{len(points)} points')
    return Annotation(points)
