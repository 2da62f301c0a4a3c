"""Menpo 2D: the semi-frontal faces, 68 points; the 39-point profiles are left out and counted."""

from __future__ import annotations

import os

from facealign.conversion.readers.base import check_folder, require_faces, walk
from facealign.conversion.readers.pts_folder import gather
from facealign.conversion.readers.w300 import MENPO_PROFILE
from facealign.structures.records import Gathered


def read_menpo(root: str | os.PathLike[str], exif: str = 'shown') -> Gathered:
    """The 68-point faces under ``root``; a folder whose name contains ``test`` goes to split ``test``.

    In a pack (``{300W,Menpo}/{train,test}``) only Menpo's part is read.

    Raises:
        FaceAlignError: ``root`` is no folder, or has no such face.
    """
    root = check_folder(root)
    children = {child.name.lower(): child.name for child in root.iterdir() if child.is_dir()}
    only = children.get('menpo') if '300w' in children else None
    gathered = Gathered()
    for folder in walk(root):
        parts = folder.split('/')
        if only is not None and parts[0] != only:
            continue
        lower = [part.lower() for part in parts if part and part != only]
        split = 'test' if any('test' in part for part in lower) else 'train'
        gather(
            gathered,
            root,
            folder,
            source='/'.join(['menpo', *lower]),
            split=split,
            subset='menpo',
            exif=exif,
            other_counts=MENPO_PROFILE,
        )
    return require_faces(gathered, root)
