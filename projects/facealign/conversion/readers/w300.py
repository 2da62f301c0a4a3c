"""300W: iBUG's own folders, and the flat layout of the VisionLabs pack."""

from __future__ import annotations

import os
from pathlib import Path

from facealign.conversion.readers.base import check_folder, require_faces, walk
from facealign.conversion.readers.pts_folder import gather
from facealign.structures.records import Gathered

# Folder (lower case, the end of its path) → split, subset.
_OFFICIAL = {
    'afw': ('train', 'train'),
    'helen/trainset': ('train', 'train'),
    'lfpw/trainset': ('train', 'train'),
    'helen/testset': ('test_common', 'common'),
    'lfpw/testset': ('test_common', 'common'),
    'ibug': ('test_challenge', 'challenge'),
    '01_indoor': ('test_private', 'private'),
    '02_outdoor': ('test_private', 'private'),
}
_PACK = {f'{dataset}/{split}': (split, dataset) for dataset in ('300w', 'menpo') for split in ('train', 'test')}
MENPO_PROFILE = {39: 'profile face (39 points)'}


def read_300w(root: str | os.PathLike[str], exif: str = 'shown') -> Gathered:
    """The faces of a 300W folder, split as its folders say.

    Official folders, at any depth and in any case: ``afw``, ``helen/trainset``,
    ``lfpw/trainset`` → train; ``helen/testset``, ``lfpw/testset`` →
    test_common; ``ibug`` → test_challenge; ``01_Indoor``, ``02_Outdoor`` →
    test_private. Pack folders: ``{300W,Menpo}/{train,test}``. Files in other
    folders are left out, and counted.

    Raises:
        FaceAlignError: ``root`` is no folder, or has no face in such folders.
    """
    return _read(check_folder(root), {**_OFFICIAL, **_PACK}, exif)


def _read(root: Path, layout: dict[str, tuple[str, str]], exif: str) -> Gathered:
    gathered = Gathered()
    for folder in walk(root):
        # A root such as .../300w/afw is itself one of the folders.
        parts = [part.lower() for part in (*root.resolve().parts[1:], *folder.split('/')) if part]
        name = next((end for end in ('/'.join(parts[-2:]), parts[-1]) if end in layout), None)
        if name is None:
            _leave_out_folder(gathered, root, folder)
            continue
        split, subset = layout[name]
        source = f'pack/{name}' if name in _PACK else f'300w/{name}'
        gather(gathered, root, folder, source=source, split=split, subset=subset, exif=exif, other_counts=MENPO_PROFILE)
    return require_faces(gathered, root)


def _leave_out_folder(gathered: Gathered, root: Path, folder: str) -> None:
    aside = Gathered()
    gather(aside, root, folder, source='', split='')
    gathered.num_images += aside.num_images
    gathered.num_annotations += aside.num_annotations
    for name in sorted([face.file_name for face in aside.faces] + [left.file for left in aside.left_out]):
        gathered.leave_out(name, 'folder not part of 300W')
