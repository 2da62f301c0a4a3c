"""The 106-point system's own ``annot_coco.h5``, made from Datatang's JSON files.

It keeps names, boxes and points only: visibility and attributes are lost in
it, so convert the JSON files where they are at hand. Its boxes are the points'
extent and a tenth more, not a detector's, and are not read.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np

from facealign.datasets.name_lists import match_names
from facealign.datasets.pairs import Annotation, Pair, add_pair, check_folder, check_pair, list_images, require_faces
from facealign.datasets.records import Gathered
from facealign.errors import FaceAlignError
from facealign.markup import DATATANG106
from facealign.parallel import run_parallel


def read_datatang_h5(
    path: str | os.PathLike[str], images: str | os.PathLike[str], exif: str = 'shown', workers: int | None = None
) -> Gathered:
    """The faces that ``path`` lists, all as split ``train``.

    Args:
        path: HDF5 file with ``imgname`` [N, L] (characters' codes) and
            ``part`` [N, 106, 2] (pixels, 0-based; 0, 0 for a missing point).
        images: folder that holds the images, in any sub-folder.
        exif: see :func:`facealign.datasets.pairs.check_pair`.
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
        with h5py.File(path, 'r') as file:
            codes, parts = np.asarray(file['imgname']), np.asarray(file['part'], dtype=float)
    except (OSError, KeyError, ValueError) as error:
        raise FaceAlignError(
            f'{path}: not an annot_coco.h5 ({error}); give the file that holds imgname and part'
        ) from error
    shape = (len(codes), DATATANG106.num_keypoints, 2)
    if codes.ndim != 2 or parts.shape != shape:
        raise FaceAlignError(f'{path}: part is {parts.shape}, not {shape}; give the annot_coco.h5 of 106 points')
    return [''.join(chr(int(code)) for code in row).strip('\0 ') for row in codes], parts
