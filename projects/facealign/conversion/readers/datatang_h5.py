"""The 106-point system's own ``annot_coco.h5``, made from Datatang's JSON files.

It keeps names, boxes and points only: visibility and attributes are lost in
it, so convert the JSON files where they are at hand. Its boxes are the points'
extent and a tenth more, not a detector's, and are not read.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from facealign.conversion.readers.base import (
    Annotation,
    Pair,
    add_pair,
    check_folder,
    check_pair,
    list_images,
    require_faces,
)
from facealign.errors import FaceAlignError
from facealign.io.name_list import match_names
from facealign.markup import DATATANG106
from facealign.structures.records import Gathered
from facealign.utils.parallel import run_parallel
from facealign.utils.reading import FARTHEST, MEBIBYTE, check_regular, shown

_MAX_BYTES = 512 * MEBIBYTE
_MOST_PACKED = 1032  # bytes that gzip, HDF5's own packing, can make of one
_LONGEST_NAME = 256


def read_datatang_h5(
    path: str | os.PathLike[str], images: str | os.PathLike[str], exif: str = 'shown', workers: int | None = None
) -> Gathered:
    """The faces that ``path`` lists, all as split ``train``.

    Args:
        path: HDF5 file with ``imgname`` [N, L] (characters' codes) and
            ``part`` [N, 106, 2] (pixels, 0-based; 0, 0 for a missing point).
        images: folder that holds the images, in any sub-folder.
        exif: see :func:`facealign.conversion.readers.base.check_pair`.
        workers: processes; None takes all cores.

    Raises:
        FaceAlignError: h5py is not installed, the file is not such a file, or
            there is no image for it.
    """
    root = check_folder(images)
    names, parts = _read_arrays(Path(path))
    gathered = Gathered(num_annotations=len(names))
    files = list_images(root)
    gathered.num_images = len(files)
    matched = match_names(names, files)
    for file in files:
        if file not in matched:
            gathered.leave_out(file, 'image without annotation')
    found = {listed: file for file, listed in matched.items()}
    items = []
    for name, part in zip(names, parts):
        if name not in found:
            gathered.leave_out(name, 'no image for the annotation')
            continue
        points = part.astype(float)
        points[~np.isfinite(points).all(axis=1) | (points == 0).all(axis=1)] = np.nan
        if (np.abs(points) > FARTHEST).any():
            gathered.leave_out(name, 'point farther away than any pixel')
            continue
        items.append((Pair(found[name], name, 'datatang', 'train'), Annotation(points)))
    work = functools.partial(check_pair, root=root, exif=exif)
    for (pair, _), result in zip(items, run_parallel(work, items, 'reading faces', workers)):
        add_pair(gathered, root, pair, result)
    return require_faces(gathered, Path(path))


def _read_arrays(path: Path) -> tuple[list[str], np.ndarray]:
    try:
        import h5py
    except ImportError as error:
        raise FaceAlignError(f'{path}: reading it needs h5py; pip install h5py') from error
    try:
        room = min(check_regular(path, _MAX_BYTES) * _MOST_PACKED, _MAX_BYTES)
        with h5py.File(path, 'r') as file:
            codes, parts = (_dataset(file, name, room) for name in ('imgname', 'part'))
            names = _names(np.asarray(codes))
            shape = (len(names), DATATANG106.num_keypoints, 2)
            if parts.shape != shape:
                problem = f'part is {parts.shape}, not {shape}; give the annot_coco.h5 of 106 points'
                raise FaceAlignError(f'{path}: {problem}')
            return names, np.asarray(parts, dtype=float)
    except FaceAlignError:
        raise
    except Exception as error:  # a damaged file makes h5py raise what it likes: RuntimeError, RecursionError …
        reason = getattr(error, 'strerror', None) or str(error)
        problem = f'not an annot_coco.h5 ({shown(reason, 120)})'
        raise FaceAlignError(f'{path}: {problem}; give the file that holds imgname and part') from error


def _dataset(file: Any, name: str, room: int) -> Any:
    """A dataset of numbers that the file itself holds; raises ValueError for what is stored elsewhere or too large."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or not isinstance(file[name], h5py.Dataset):
        raise ValueError(f'{name} is not stored in it')
    dataset = file[name]
    if dataset.external or dataset.is_virtual or dataset.dtype.kind not in 'iuf':
        raise ValueError(f'{name} is not an array of numbers in it')
    # Sizes are only declared; what was never written reads as zeros, of any size.
    if dataset.dtype.itemsize > 8 or dataset.size * 8 > room:
        raise ValueError(f'{name} claims to be larger than the file can hold')
    return dataset


def _names(codes: np.ndarray) -> list[str]:
    """File names from their characters' codes [N, L].

    >>> _names(np.array([[97, 46, 106, 112, 103, 0, 0]]))
    ['a.jpg']
    """
    if codes.ndim != 2 or not 1 <= codes.shape[1] <= _LONGEST_NAME:
        raise ValueError(f'imgname is {codes.shape}, not names of up to {_LONGEST_NAME} characters')
    valid = (codes >= 0) & (codes <= sys.maxunicode) & ~((codes >= 0xD800) & (codes < 0xE000))
    if not valid.all():
        raise ValueError('imgname holds what are no characters')
    texts = np.ascontiguousarray(codes, dtype=np.uint32).view(f'<U{codes.shape[1]}')[:, 0]
    return [text.strip('\0 ') for text in texts.tolist()]
