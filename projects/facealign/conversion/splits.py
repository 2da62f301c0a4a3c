"""Which face is trained on and which is tested on; faces of one photo stay together."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.io.image_table import ImageTable
from facealign.io.name_list import match_names, read_name_list, without_suffix
from facealign.io.video import VIDEO_SUFFIXES
from facealign.structures.records import FaceRecord

# ID_N: the N-th face of the photo ID (AFW, HELEN); "image_NNN _N" or "image_NNN_N": of iBUG's photo NNN.
_PHOTO_ID = re.compile(r'(\d+)[ _]+\d+')
_NAMED_PHOTO = re.compile(r'(image_\d+)[ _]+\d+')
# X_mirror, X-flipped …: the mirror image of X, which some copies of 300W have beside every picture.
_MIRRORED = re.compile(r'(.+)[ _.-](mirror(ed)?|flip(ped)?)', re.IGNORECASE)
# A part that is held out may lack this share of what was asked for before other photos are taken for it.
_MAY_LACK = 0.1


def photo_id(file_name: str) -> str:
    """The photo that an image file shows, by its name alone.

    >>> photo_id('afw/111076519_2.jpg'), photo_id('lfpw/testset/image_0001.png'), photo_id('a/7_mirror.jpg')
    ('111076519', 'lfpw/testset/image_0001', 'a/7')
    """
    if (video := video_of(file_name)) is not None:
        return video
    folder, _, name = file_name.rpartition('/')
    stem = os.path.splitext(name)[0]
    if match := _MIRRORED.fullmatch(stem):
        stem = match[1]
    if match := _PHOTO_ID.fullmatch(stem):
        return match[1]  # a number given by the photo site, the same in every folder
    if match := _NAMED_PHOTO.fullmatch(stem):
        stem = match[1]
    return f'{folder}/{stem}'.lstrip('/')


def video_of(file_name: str) -> str | None:
    """The video that an image file is a frame of, if it is one: its folder then bears the video's name."""
    folder = file_name.rpartition('/')[0]
    return folder if folder.lower().endswith(VIDEO_SUFFIXES) else None


def assign_photos(faces: Sequence[FaceRecord], same: Iterable[Sequence[FaceRecord]] = ()) -> None:
    """Set each face's ``photo``: one key for the same :func:`photo_id`, the same bytes, or the same group of ``same``.

    ``same`` are groups of faces known to show one photo; see :mod:`facealign.conversion.duplicates`.
    """
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    names = {face.file_name: face.path for face in faces}
    groups = [*_same_bytes(names), *([face.file_name for face in group] for group in same)]
    for first, *others in groups:
        for other in others:
            a, b = sorted((find(photo_id(first)), find(photo_id(other))))
            parent[b] = a
    for face in faces:
        face.photo = find(photo_id(face.file_name))


def split_by_ratio(faces: Sequence[FaceRecord], shares: dict[str, float], seed: int) -> None:
    """Give each of ``shares`` about its share of the faces, by photo; the first takes what is left.

    A photo's place in the draw is the SHA-256 of seed and name, so it is the
    same on every machine and hardly moves when files are added.

    Raises:
        ValueError: a share is not between 0 and 1, they do not add up to 1,
            or one would be empty.

    Example: ``split_by_ratio(faces, {'train': 0.8, 'val': 0.1, 'test': 0.1}, seed=0)``.
    """
    for share in shares.values():
        _check_share(share)
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f'the shares add up to {sum(shares.values()):g}, not to 1')
    rest, *held_out = shares
    left = list(faces)
    for name in reversed(held_out):
        chosen = draw_photos(left, shares[name] * len(faces) / max(1, len(left)), seed)
        for face in left:
            if face.photo in chosen:
                face.split = name
        left = [face for face in left if face.photo not in chosen]
    for face in left:
        face.split = rest


def draw_photos(faces: Sequence[FaceRecord], share: float, seed: int) -> set[str]:
    """Photos that together hold ``share`` of ``faces`` as nearly as whole photos allow.

    Names are drawn, and those given back whose photo also bears a name that was
    not drawn: so a copy found later takes a face out of the part, but puts no
    other in. Only where a tenth and more would lack, further photos are drawn.

    Raises ValueError as :func:`split_by_ratio`.
    """
    _check_share(share)
    sizes: dict[str, int] = defaultdict(int)
    names: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))  # photo → name → faces
    for face in faces:
        sizes[face.photo] += 1
        names[face.photo][photo_id(face.file_name if face.original is None else face.original.file_name)] += 1
    wanted = max(1, round(share * len(faces)))
    drawn = _draw({(photo, name): count for photo in names for name, count in names[photo].items()}, wanted, seed)
    chosen = {photo for photo in names if all((photo, name) in drawn for name in names[photo])}
    taken = sum(sizes[photo] for photo in chosen)
    if taken < (1 - _MAY_LACK) * wanted:
        rest = {(photo, max(names[photo], key=lambda name: _place(name, seed))): sizes[photo] for photo in names}
        rest = {key: size for key, size in rest.items() if key[0] not in chosen}
        chosen |= {photo for photo, _ in _draw(rest, wanted - taken, seed)}
    if not chosen or len(chosen) == len(sizes):
        raise ValueError(f'{len(faces)} faces of {len(sizes)} photos are too few to hold out {share:g} of them')
    return chosen


def _draw(sizes: dict[tuple[str, str], int], wanted: int, seed: int) -> set[tuple[str, str]]:
    """(photo, name) in the order of their names' places, each that still fits into ``wanted`` faces."""
    drawn = set()
    taken = 0
    for key in sorted(sizes, key=lambda key: _place(key[1], seed)):
        if taken + sizes[key] <= wanted:
            drawn.add(key)
            taken += sizes[key]
    return drawn


def _place(name: str, seed: int) -> bytes:
    return hashlib.sha256(f'{seed}:{name}'.encode()).digest()


def split_by_csv(faces: Sequence[FaceRecord], path: str | os.PathLike[str]) -> tuple[list[FaceRecord], list[str]]:
    """Set each face's split from a CSV list with a column ``split`` (or ``train_type``).

    Returns:
        the faces that the list does not name (their split is left alone), and
        the listed images that are not among ``faces``.

    Raises:
        FaceAlignError: unreadable, no such column, an empty or odd split name,
            two splits for one image, or no image of the list is here.
    """
    table = ImageTable(path)
    column = table.require('split', 'train_type')
    rows = table.match(face.file_name for face in faces)
    if not rows:
        raise FaceAlignError(f'{path}: names none of the images; its paths must be relative to the data folder')
    unlisted = []
    for face in faces:
        if face.file_name not in rows:
            unlisted.append(face)
            continue
        splits = {row[column].strip().lower() for row in rows[face.file_name]}
        if len(splits) > 1:
            raise FaceAlignError(f'{path}: {face.file_name} is in several splits: {", ".join(sorted(splits))}')
        (face.split,) = splits
        if not re.fullmatch(r'[a-z0-9][a-z0-9_-]{0,63}', face.split):
            raise FaceAlignError(f'{path}: split "{face.split}" of {face.file_name} is no name; use letters and digits')
        if face.split == 'summary':
            raise FaceAlignError(f'{path}: a split cannot be called "summary", as a file written beside it; rename it')
    return unlisted, table.absent(rows)


def split_by_lists(faces: Sequence[FaceRecord], paths: Sequence[Path]) -> tuple[list[FaceRecord], list[str]]:
    """Set each face's split from files that name images, one a line, with or without their suffix.

    What a list's own name says (``train``, ``val`` or ``test``, else ``test``)
    is the split of its images. A face on no list goes to ``train``, unless one
    of the lists is a train list.

    Returns:
        the faces that belong to no split, and the listed images that are not
        among ``faces``.

    Raises:
        FaceAlignError: unreadable, no image of a list is here, or an image is on two lists.
    """
    split_of_image: dict[str, str] = {}
    absent: list[str] = []
    for path in paths:
        stem = path.stem.lower()
        split = next((name for name in ('train', 'val') if name in stem), 'test')
        names = read_name_list(path, (face.file_name for face in faces))
        spelled = {face.file_name: face.file_name for face in faces}
        if not any(without_suffix(name) != name for name in names):
            spelled = {without_suffix(name): name for name in spelled}
        matched = match_names(names, spelled)
        if not matched:
            raise FaceAlignError(f'{path}: names none of the images; its paths must be relative to the data folder')
        for file_name in (spelled[name] for name in matched):
            if split_of_image.setdefault(file_name, split) != split:
                raise FaceAlignError(f'{path}: {file_name} is on another list too; correct the lists')
        used = set(matched.values())
        absent += [name for name in dict.fromkeys(names) if name not in used]
    rest = None if 'train' in split_of_image.values() else 'train'
    unlisted = []
    for face in faces:
        split_name = split_of_image.get(face.file_name, rest)
        if split_name is None:
            unlisted.append(face)
        else:
            face.split = split_name
    return unlisted, absent


def split_by_number(faces: Iterable[FaceRecord]) -> None:
    """Set each face's split by the last number in its file name, modulo 10: 0 and 1 test, 2 val, else train.

    Raises:
        FaceAlignError: a name without a number.
    """
    for face in faces:
        numbers = re.findall(r'\d+', without_suffix(Path(face.file_name).name))
        if not numbers:
            raise FaceAlignError(f'{face.path}: --split modulo: no number in its name; choose another split')
        face.split = {0: 'test', 1: 'test', 2: 'val'}.get(int(numbers[-1]) % 10, 'train')


def photos_on_both_sides(faces: Iterable[FaceRecord]) -> list[str]:
    """Photos with faces in more than one split, sorted."""
    splits: dict[str, set[str]] = defaultdict(set)
    for face in faces:
        splits[face.photo].add(face.split)
    return sorted(photo for photo, names in splits.items() if len(names) > 1)


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f'a share must lie between 0 and 1, not {share:g}')


def _same_bytes(paths: dict[str, Path]) -> list[list[str]]:
    """File names grouped by equal content, groups of two and more. Of files of equal length the ends are compared
    first, and only where those are equal too all of it.
    """
    groups = [list(paths)]
    for fingerprint in (_length, _end, _digest):
        finer: list[list[str]] = []
        for group in groups:
            by_key: dict[Any, list[str]] = defaultdict(list)
            for name in group:
                by_key[fingerprint(paths[name])].append(name)
            finer += [names for names in by_key.values() if len(names) > 1]
        groups = finer
    return groups


def _length(path: Path) -> int:
    return path.stat().st_size


def _end(path: Path) -> bytes:
    with open(path, 'rb') as file:
        file.seek(max(0, path.stat().st_size - 1024))
        return file.read()


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
