"""An image and the annotation file that belongs to it, read and checked together; used by all readers."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from facealign.conversion.readers.foreign import describe_foreign
from facealign.errors import FaceAlignError
from facealign.io.image_header import IMAGE_SUFFIXES, UNREAD_SUFFIXES, ImageHeader, read_header, stored_to_shown
from facealign.structures.records import FaceRecord, Gathered, LeftOut
from facealign.utils.parallel import run_parallel

_NO_TEXT = 'file name is not UTF-8'


@dataclass(frozen=True)
class Pair:
    """File names, relative to one root and posix style, and where the face belongs (see :class:`FaceRecord`).

    ``image_root`` is the folder that ``image`` is relative to, where it is another than the annotation's.
    """

    image: str
    annotation: str
    source: str
    split: str
    subset: str = ''
    image_root: Path | None = None


@dataclass(frozen=True)
class Annotation:
    """What an annotation file says; see :class:`FaceRecord` for the fields."""

    points: np.ndarray
    occluded: np.ndarray | None = None
    attributes: dict[str, str] = field(default_factory=dict)


class Unusable(Exception):
    """An annotation file that gives no face: a ``reason`` to count by, and a ``detail`` about this file."""

    def __init__(self, reason: str, detail: str = '') -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


# Pixels of the longer side of the points' rectangle. What is smaller shows no face: the eyes are two pixels apart.
SMALLEST_FACE = 8
_FEW_POINTS = 5

# NAME.K, NAME_K: face K of the image NAME.
_FURTHER_FACE = re.compile(r'(.+)[._]\d{1,3}')

Parse = Callable[[Path], Annotation]
Usable = tuple[Annotation, ImageHeader]


def read_pair(pair: Pair, root: Path, parse: Parse, exif: str) -> Usable | LeftOut:
    """The annotation of one image, as :func:`check_pair` returns it; ``parse`` reads it and raises Unusable."""
    if not is_text(pair.image):
        return LeftOut(pair.image, _NO_TEXT)
    try:
        annotation = parse(root / pair.annotation)
    except Unusable as error:
        return LeftOut(pair.annotation, error.reason, error.detail)
    return check_pair((pair, annotation), root, exif)


def check_pair(pair_and_annotation: tuple[Pair, Annotation], root: Path, exif: str) -> Usable | LeftOut:
    """The annotation with its points on the picture as shown, and the image's header; or why it is left out.

    Args:
        pair_and_annotation: one argument, because this runs in worker processes.
        root: of the pair's names.
        exif: whether points were drawn on the picture as ``shown`` (turned by
            its EXIF orientation) or on its ``stored`` pixels.
    """
    pair, annotation = pair_and_annotation
    root = pair.image_root or root
    if not is_text(pair.image):
        return LeftOut(pair.image, _NO_TEXT)
    try:
        header = read_header(root / pair.image)
    except FaceAlignError as error:
        truncated = 'truncated' in str(error)
        reason = 'truncated image' if truncated else 'unreadable image'
        return LeftOut(pair.image, reason, '' if truncated else detail_of(error, root / pair.image))
    if header.orientation != 1 and exif == 'stored':
        annotation = dataclasses.replace(annotation, points=stored_to_shown(annotation.points, header))
    face = FaceRecord(root, pair.image, annotation.points, header.size, pair.source, pair.split)
    odd = why_unusable(face)
    return LeftOut(pair.annotation, *odd) if odd else (annotation, header)


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, so that JSON and CSV can hold it."""
    try:
        name.encode('utf-8')
    except UnicodeEncodeError:
        return False
    return True


def fewest_points(num_points: int) -> int:
    """How many of a markup's points a face needs: a quarter, and at least five or, of fewer than ten, half.

    >>> fewest_points(106), fewest_points(68), fewest_points(7), fewest_points(5)
    (27, 17, 4, 3)
    """
    return max(-(-num_points // 4), min(_FEW_POINTS, -(-num_points // 2)))


def why_unusable(face: FaceRecord) -> tuple[str, str] | None:
    """Reason and detail why a face is of no use for training or measuring; None where it is."""
    points = face.points[face.annotated]
    if not len(points):
        return 'every point is missing', ''
    if len(points) < fewest_points(len(face.points)):
        return 'too few points', f'{len(points)} of {len(face.points)}'
    if face.points_off_image == len(points):
        return 'every point off the image', ''
    sides = face.landmark_box[2:] - face.landmark_box[:2]
    if sides.max() < SMALLEST_FACE:
        return 'face too small', f'{sides[0]:.3g} x {sides[1]:.3g} pixels'
    if not sides.min() > 0:
        return 'points all on one line', ''
    return None


def add_pair(gathered: Gathered, root: Path, pair: Pair, result: Usable | LeftOut) -> None:
    """Add what :func:`check_pair` returned to ``gathered``."""
    if isinstance(result, LeftOut):
        gathered.left_out.append(result)
        return
    annotation, header = result
    gathered.num_turned += header.orientation != 1
    # A hundred thousand faces share a few dozen words.
    attributes = {sys.intern(key): sys.intern(value) for key, value in annotation.attributes.items()}
    gathered.faces.append(
        FaceRecord(
            pair.image_root or root,
            pair.image,
            annotation.points,
            header.size,
            pair.source,
            pair.split,
            pair.subset,
            occluded=annotation.occluded,
            attributes=attributes,
        )
    )


def read_pairs(
    gathered: Gathered, root: Path, pairs: Sequence[Pair], parse: Parse, exif: str, workers: int | None = None
) -> None:
    """Add the faces of many pairs to ``gathered``, on several processes, with a progress bar."""
    work = functools.partial(read_pair, root=root, parse=parse, exif=exif)
    for pair, result in zip(pairs, run_parallel(work, pairs, 'reading faces', workers)):
        add_pair(gathered, root, pair, result)


def check_folder(root: str | os.PathLike[str]) -> Path:
    """``root`` as a path; raises FaceAlignError where it is no folder."""
    path = Path(root)
    if not path.is_dir():
        raise FaceAlignError(f'{path}: no such folder; give the folder that holds the images and their annotations')
    return path


def require_faces(gathered: Gathered, root: Path) -> Gathered:
    """``gathered`` itself; raises FaceAlignError, with the first reason, where it has no face."""
    if not gathered.faces:
        why = 'no annotation files'
        if gathered.left_out:
            first = gathered.left_out[0]
            why = f'the first of {len(gathered.left_out)} files left out: {first.reason} ({first.file})'
        if not gathered.num_annotations:
            names = (
                str(PurePosixPath(folder, name)) for folder in walk(root) for name, *_ in list_files(root / folder)
            )
            why = describe_foreign(root, names) or why
        raise FaceAlignError(f'{root}: no annotated face found: {why}; check the folder and the format name')
    return gathered


def walk(root: Path) -> Iterator[str]:
    """Folders at and under ``root``, relative and posix style ('' is root), in sorted order.

    Links are followed, each real folder once. Hidden folders and what macOS
    puts into archives are passed over.

    Raises:
        FaceAlignError: a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise FaceAlignError(
            f'{error.filename}: cannot be listed ({error.strerror}); check your permissions'
        ) from error

    seen = set()
    for folder, children, _ in os.walk(root, followlinks=True, onerror=fail):
        real = os.path.realpath(folder)
        if real in seen:
            children.clear()
            continue
        seen.add(real)
        children[:] = sorted(child for child in children if not child.startswith(('.', '__MACOSX')))
        relative = Path(folder).relative_to(root).as_posix()
        yield '' if relative == '.' else relative


def pair_files(
    gathered: Gathered, root: Path, image_folder: str, annotation_folder: str, suffix: str
) -> Iterator[tuple[str, str]]:
    """(image, annotation) of each annotation file with ``suffix`` that has exactly one image; the rest is left out.

    Which image an annotation belongs to is said by :func:`image_of`. Files are
    counted, and given in sorted order.
    """
    images: dict[str, list[str]] = defaultdict(list)
    annotations: dict[str, str] = {}
    for name, stem, ending in list_files(root / image_folder):
        if ending in (*IMAGE_SUFFIXES, *UNREAD_SUFFIXES):
            images[stem].append(str(PurePosixPath(image_folder, name)))
    for name, stem, ending in list_files(root / annotation_folder):
        if ending == suffix:
            annotations[stem] = str(PurePosixPath(annotation_folder, name))
    gathered.num_images += sum(map(len, images.values()))
    gathered.num_annotations += len(annotations)
    annotated: set[str] = set()
    folded = fold_stems(images)
    for stem, annotation in annotations.items():
        candidates = image_of(stem, images, folded)
        annotated.update(candidates)
        if len(candidates) > 1:  # such as a camera's raw file beside its JPEG
            candidates = [name for name in candidates if _is_read(name)] or candidates
        if len(candidates) > 1:
            names = ', '.join(PurePosixPath(name).name for name in candidates)
            gathered.leave_out(annotation, f'several images for one {suffix}', names)
        elif not candidates:
            gathered.leave_out(annotation, f'no image for the {suffix}')
        else:
            yield candidates[0], annotation
    for candidates in images.values():
        for name in candidates:
            if name not in annotated:
                gathered.leave_out(name, f'image without {suffix}')


def image_of(
    stem: str, images: Mapping[str, list[str]], folded: Mapping[str, list[str]] | None = None
) -> Sequence[str]:
    """The images that an annotation's ``stem`` (its file's name without suffix) belongs to; one, if all is well.

    ``NAME`` belongs to the image ``NAME``; ``NAME.K`` and ``NAME_K``, K a
    number, are further faces of it where no image bears that name itself. An
    image whose name differs in upper and lower case alone is taken if there is
    none with the very name.

    Args:
        stem: of the annotation.
        images: stem → file names.
        folded: of :func:`fold_stems`; None makes it.

    >>> images = {'IMG_1': ['IMG_1.JPG'], 'f': ['f.jpg'], 'f_2': ['f_2.png']}
    >>> [image_of(stem, images) for stem in ('img_1', 'f.1', 'f_2', 'f_3', 'g')]
    [['IMG_1.JPG'], ['f.jpg'], ['f_2.png'], ['f.jpg'], []]
    """
    folded = fold_stems(images) if folded is None else folded
    further = _FURTHER_FACE.fullmatch(stem)
    for name in (stem, *(further.groups() if further else ())):
        if found := images.get(name) or folded.get(name.casefold()):
            return found
    return []


def fold_stems(images: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """``images`` with stems that differ in upper and lower case alone joined."""
    folded: dict[str, list[str]] = defaultdict(list)
    for stem, names in images.items():
        folded[stem.casefold()] += names
    return dict(folded)


def _is_read(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def list_images(root: Path, unread: bool = False) -> list[str]:
    """Names of all images in ``root`` and its sub-folders, relative and posix style, sorted by folder.

    With ``unread`` also those of kinds that are not read, for a command that names them.
    """
    suffixes = (*IMAGE_SUFFIXES, *UNREAD_SUFFIXES) if unread else IMAGE_SUFFIXES
    return [
        str(PurePosixPath(folder, name))
        for folder in walk(root)
        for name, _, suffix in list_files(root / folder)
        if suffix in suffixes
    ]


def split_of(folder: str) -> str:
    """The split a folder's own name says (``train``, ``val`` or ``test``, as a part of its path), else ``train``."""
    own = {'valid': 'val', 'validation': 'val', 'val': 'val', 'test': 'test', 'testing': 'test'}
    return next((own[part] for part in reversed(folder.lower().split('/')) if part in own), 'train')


def detail_of(error: FaceAlignError, path: Path) -> str:
    """An error's message without the file name it begins with."""
    return str(error).removeprefix(f'{path}: ')


def list_files(folder: Path) -> list[tuple[str, str, str]]:
    """(name, stem, suffix in lower case) of the files directly in ``folder``, sorted; not the hidden ones."""
    names = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith('.') and not entry.is_dir())
    return [(name, os.path.splitext(name)[0], os.path.splitext(name)[1].lower()) for name in names]
