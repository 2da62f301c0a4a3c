"""Where the images of annotation files lie: beside them, in a folder of their own, or as the frames of a video."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from facealign.conversion.readers.base import image_of, list_files, walk
from facealign.io.image_header import IMAGE_SUFFIXES, UNREAD_SUFFIXES
from facealign.io.video import VIDEO_SUFFIXES

# Of several folders that hold a picture for the same annotations, one so named is meant.
_IMAGE_FOLDERS = ('images', 'image', 'imgs', 'img', 'frames', 'photos', 'pictures', 'jpg', 'png')


@dataclass(frozen=True)
class Place:
    """A folder of annotations and what they belong to, all relative to one root and posix style ('' is the root).

    Attributes:
        folder: of the annotations.
        images: folders of their images: one, or several where it cannot be said which.
        video: the file whose frames they number; then there are no ``images``.
    """

    folder: str
    images: tuple[str, ...]
    video: str | None = None


@dataclass
class _Folder:
    images: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # stem → names
    annotations: list[str] = field(default_factory=list)  # stems
    videos: list[str] = field(default_factory=list)


def find_places(root: Path, suffix: str) -> list[Place]:
    """The folders at and under ``root`` that hold annotations with ``suffix`` or images, sorted.

    Annotations with no image beside them belong to the images of the parent or
    of a neighbouring folder, as ``labels/`` or ``labels/train/`` to
    ``images/`` or ``images/train/``; if no image is of their names, and the
    names are numbers, to the frames of the video there (300VW). A folder of
    images alone is a place too, so that they can be counted as not annotated,
    unless it is another's.

    Raises:
        FaceAlignError: a folder cannot be listed.
    """
    folders = {folder: _look_into(root / folder, suffix) for folder in walk(root)}
    children: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        if folder:
            children[_parent(folder)].append(folder)
    places: dict[str, Place] = {}
    used: set[str] = set()
    for folder, found in folders.items():
        if found.annotations and not found.images:
            places[folder] = _place_of(folder, folders, children)
            used.update(places[folder].images)
        elif found.annotations:
            places[folder] = Place(folder, (folder,))
    for folder, found in folders.items():
        if found.images and folder not in places and folder not in used:
            places[folder] = Place(folder, (folder,))
    return [places[folder] for folder in sorted(places)]


def _look_into(path: Path, suffix: str) -> _Folder:
    found = _Folder()
    for name, stem, ending in list_files(path):
        if ending in (*IMAGE_SUFFIXES, *UNREAD_SUFFIXES):
            found.images[stem].append(name)
        elif ending == suffix:
            found.annotations.append(stem)
        elif ending in VIDEO_SUFFIXES:
            found.videos.append(name)
    return found


def _place_of(folder: str, folders: dict[str, _Folder], children: dict[str, list[str]]) -> Place:
    stems = folders[folder].annotations
    matches: dict[str, int] = {}
    for other in _neighbours(folder, folders, children):
        if count := sum(bool(image_of(stem, folders[other].images)) for stem in stems):
            matches[other] = count
    if matches:
        best = [other for other, count in matches.items() if count == max(matches.values())]
        named = [other for other in best if set(other.lower().split('/')) & set(_IMAGE_FOLDERS)]
        return Place(folder, tuple(named if len(named) == 1 else best))
    return Place(folder, (folder,), _video_of(folder, folders, children))


def _neighbours(folder: str, folders: dict[str, _Folder], children: dict[str, list[str]]) -> Iterator[str]:
    """Folders of images that differ from ``folder`` in one step of their path, or are its parent or its child."""
    steps = folder.split('/') if folder else []
    candidates = [*children[folder], *([_parent(folder)] if folder else [])]
    for i in range(len(steps)):
        candidates += [
            '/'.join([sibling, *steps[i + 1 :]]) for sibling in children['/'.join(steps[:i])] if sibling != folder
        ]
    for candidate in dict.fromkeys(candidates):
        if candidate != folder and candidate in folders and folders[candidate].images:
            yield candidate


def _video_of(folder: str, folders: dict[str, _Folder], children: dict[str, list[str]]) -> str | None:
    """The one video in ``folder``, its parent or beside it, or of several the one that bears the folder's name."""
    if not all(stem.isascii() and stem.isdigit() for stem in folders[folder].annotations):
        return None
    parent = _parent(folder)
    places = [folder, *([parent, *children[parent]] if folder else [])]
    for place in dict.fromkeys(places):
        videos = folders[place].videos
        named = [name for name in videos if os.path.splitext(name)[0] == PurePosixPath(folder).name]
        if len(videos) == 1 or len(named) == 1:
            return str(PurePosixPath(place, (named or videos)[0]))
    return None


def _parent(folder: str) -> str:
    return folder.rpartition('/')[0]
